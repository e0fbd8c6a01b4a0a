"""Tools of somebody's own file, with settings of its own, on a real server."""

from pathlib import Path

import pytest
from pydantic import JsonValue
from temporalio.client import Client

from deploy.client.why import explain
from tests.conftest import running_worker, settings_for
from tests.integration.requests.asking import answer, ask, start, until_it_waits
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Approve, ReceiptStatus, RequestStatus

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


PAYING = """
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from activities.toolkit.tool import tool


def crash(amount):
    if amount == 13:
        raise RuntimeError("crash in a validator")
    return amount


class Person(BaseModel):
    name: str = Field(alias="from")


@tool(effect="write")
async def pay(amount: Annotated[int, AfterValidator(lambda amount: min(amount, 50)), AfterValidator(crash)]) -> int:
    return amount


@tool(effect="write")
async def pay_double(amount: Annotated[int, AfterValidator(lambda amount: amount * 2)]) -> int:
    return amount


@tool(effect="write")
async def thank(person: Person, model_config: str, schema: str) -> str:
    return f"{person.name} {model_config} {schema}"
"""


@pytest.mark.usefixtures("imports_undone")
async def test_what_a_person_approves_is_what_the_function_gets(
    client: Client, model: ScriptedModel, tmp_path: Path
) -> None:
    (tmp_path / "paying.py").write_text(PAYING)
    settings = settings_for(model, tools=(str(tmp_path),))
    thanks: dict[str, JsonValue] = {"person": {"from": "ann"}, "model_config": "a", "schema": "b"}
    model.scripts["Pay 99"] = [calls(call("pay", amount=99)), calls(call("thank", **thanks)), say("Paid.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Pay 99", requester="bob")
        pending = await until_it_waits(handle)
        assert pending.arguments == {"amount": 50}
        await answer(handle, Approve(key=pending.key, digest=pending.digest, by="ann", arguments={"amount": 70}))
        pending = await until_it_waits(handle)
        assert (pending.arguments, pending.reason.rpartition("; ")[2]) == (
            {"amount": 50},
            "the tool takes what was written as it stands here",
        )
        await answer(handle, Approve(key=pending.key, digest=pending.digest, by="ann", arguments={"amount": 40}))
        pending = await until_it_waits(handle)
        assert pending.arguments == thanks
        await answer(handle, Approve(key=pending.key, digest=pending.digest, by="ann"))
        outcome = await handle.result()
    paid, thanked = outcome.receipts
    assert (paid.status, paid.arguments, paid.result) == (ReceiptStatus.DONE, {"amount": 40}, 40)
    assert (thanked.status, thanked.arguments, thanked.result) == (ReceiptStatus.DONE, thanks, "ann a b")


@pytest.mark.usefixtures("imports_undone")
async def test_a_call_on_which_a_tools_types_break_has_failed_with_one_question_to_the_model(
    client: Client, model: ScriptedModel, tmp_path: Path
) -> None:
    (tmp_path / "paying.py").write_text(PAYING)
    settings = settings_for(model, tools=(str(tmp_path),))
    model.scripts["Pay 13"] = [calls(call("pay", amount=13), call("pay_double", amount=5)), say("It did not work.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Pay 13", approve=("*",))
    crashed, changing = outcome.receipts
    assert (outcome.status, outcome.usage.model_calls, len(model.asked)) == (RequestStatus.COMPLETED, 2, 2)
    assert (crashed.status, crashed.error) == (
        ReceiptStatus.FAILED,
        "a mistake in pay: its types broke on argument amount: RuntimeError: crash in a validator",
    )
    assert (changing.status, changing.error) == (
        ReceiptStatus.FAILED,
        "a mistake in pay_double: its types change what they are given each time they are read (amount: 10 → 20); "
        "a validator must leave alone what it has made",
    )


DELIVERING = """
from activities.toolkit.tool import tool


@tool(effect="write", grounded=("to",))
async def deliver(word: str, to: str = "ann@example.com") -> str:
    return f"{word} to {to}"
"""


@pytest.mark.usefixtures("imports_undone")
async def test_who_approves_a_call_sees_the_tools_defaults_which_run_whatever_those_of_a_later_build_are(
    client: Client, model: ScriptedModel, tmp_path: Path
) -> None:
    file = tmp_path / "delivering.py"
    file.write_text(DELIVERING)
    settings = settings_for(model, tools=(str(file),))
    model.scripts["Deliver"] = [calls(call("deliver", word="tree")), say("Ended.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Deliver")
        pending = await until_it_waits(handle)
        (explained,) = (await explain(client, handle.id)).calls
    decided = {"word": "tree", "to": "ann@example.com"}
    assert (pending.arguments, "nobody mentioned" in pending.reason) == (decided, False)
    assert [str(source.origins[0]) for source in explained.sources if source.argument == "to"] == ["the tool's default"]
    file.write_text(DELIVERING.replace("ann@", "mallory@"))
    async with running_worker(client, settings):
        await answer(handle, Approve(key=pending.key, digest=pending.digest, by="eve"))
        outcome = await handle.result()
    (receipt,) = outcome.receipts
    assert (receipt.status, receipt.arguments) == (ReceiptStatus.DONE, decided)
    assert receipt.result == "tree to ann@example.com"
