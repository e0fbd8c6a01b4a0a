"""With more tools than a model can look through, it is shown those that fit, and finds the others itself."""

from pathlib import Path
from typing import Any

from temporalio.client import Client

from tests.conftest import running_worker, settings_for
from tests.integration.requests.asking import ask
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import ReceiptStatus

SHOP = """
from activities.toolkit.schema_tools import tool_from_schema

def made(name, description):
    async def run(arguments):
        return {"ran": name}
    return tool_from_schema(name=name, description=description, parameters={}, function=run, effect="read")

TOOLS = [
    made("list_orders", "List the orders of a customer."),
    *(made(f"count_{number}", "Count what is in a shelf.") for number in range(60)),
    made("track_parcel", "Track a parcel on its way."),
]
"""


async def test_a_model_finds_and_calls_a_tool_that_it_was_not_shown(
    client: Client, model: ScriptedModel, tmp_path: Path
) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    settings = settings_for(model, tools=(str(tmp_path),))
    model.scripts["Ann's orders, please"] = [
        calls(call("list_orders")),
        calls(call("find_tools", query="where is a parcel")),
        calls(call("track_parcel")),
        say("All found."),
    ]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Ann's orders, please")
    assert [each.status for each in outcome.receipts] == [ReceiptStatus.DONE] * 3
    assert outcome.receipts[-1].result == {"ran": "track_parcel"}
    first, second, third, last = (names(each) for each in model.asked)
    assert "track_parcel" not in first
    assert first == second
    assert third[: len(first)] == first
    assert "track_parcel" in third
    assert third == last


def names(asked: Any) -> list[str]:
    return [each["function"]["name"] for each in asked["tools"]]
