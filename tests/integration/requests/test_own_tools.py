"""Tools of somebody's own file, with settings of its own, on a real server."""

from pathlib import Path

import pytest
from temporalio.client import Client

from tests.conftest import running_worker, settings_for
from tests.integration.requests.asking import ask
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import ReceiptStatus

CRM = """
from pydantic import SecretStr
from pydantic_settings import BaseSettings
from activities.toolkit.schema_tools import tool_from_schema
from activities.toolkit.tool import tool

class Crm(BaseSettings):
    crm_token: SecretStr

@tool(replaces="get_weather")
async def get_weather(city: str, *, crm: Crm) -> str:
    return f"sunny in {city}, says {len(crm.crm_token.get_secret_value())}"

async def run(arguments, *, crm: Crm):
    return {"kept": arguments["note"]}

SCHEMA = {"properties": {"note": {"type": "string"}}, "required": ["note"]}
TOOLS = [tool_from_schema(name="keep_note", description="Keep a note.", parameters=SCHEMA, function=run)]
"""


@pytest.mark.usefixtures("imports_undone")
async def test_a_file_of_tools_with_settings_of_its_own_is_all_that_a_worker_needs(
    client: Client, model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_TOKEN", "hush")
    (tmp_path / "crm.py").write_text(CRM)
    settings = settings_for(model, tools=(str(tmp_path),), offer=("*", "-get_stock_price"))
    model.scripts["Note the weather"] = [
        calls(call("get_weather", city="Oslo"), call("get_stock_price", symbol="IBM")),
        calls(call("keep_note", note="sunny")),
        say("Kept."),
    ]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Note the weather", approve=("keep_note",))
    read, unknown, write = outcome.receipts
    assert (read.status, read.result) == (ReceiptStatus.DONE, "sunny in Oslo, says 4")
    assert (unknown.tool, unknown.status) == ("get_stock_price", ReceiptStatus.INVALID)
    assert (write.effect, write.status, write.result) == ("write", ReceiptStatus.DONE, {"kept": "sunny"})
