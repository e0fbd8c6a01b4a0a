"""Whatever a tool returns or raises, its request ends with an outcome and every receipt, and these are true."""

from collections.abc import Iterable
from contextlib import aclosing

import pytest
from pydantic import JsonValue
from temporalio.client import Client

from activities.ledger.ledger import Ledger, State
from activities.settings import Settings
from tests.conftest import running_worker, settings_for
from tests.integration.requests.asking import ask, start, why_it_is_tried_again
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Outcome, Receipt, ReceiptStatus, RequestStatus

pytestmark = pytest.mark.long

RETURNED: dict[str, JsonValue] = {
    "a huge number": {"n": "(a whole number of about 5,001 digits)", "unit": "m"},
    "half a character": {"name": "Ann \N{REPLACEMENT CHARACTER}", "age": 3},
    "an object without words": [1, "(cannot be kept as JSON)"],
    "bytes": {"picture": "(5 bytes that are no text)", "width": 3},
    "a circle": [1, "(refers to itself)"],
}
RAISED = {
    "megabytes": "ValueError: xxx",
    "a speechless error": "Speechless: (what it says cannot be had)",
    "half a character in an error": "ValueError: Ann \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} and more",
    "an exit": "SystemExit: 3",
    "an interrupt": "KeyboardInterrupt",
    "a group": "BaseExceptionGroup: several (2 sub-exceptions): SystemExit: 3; ValueError: closed",
    "a broken pool": "BrokenProcessPool: a process ended",
    "a cancellation of its own": "CancelledError",
}
EVERYTHING = [*RETURNED, *RAISED]


@pytest.fixture
def settings(model: ScriptedModel) -> Settings:
    return settings_for(model, tools=("tests.sample_tools", "tests.strange_tools"))


async def carried_out(
    client: Client, settings: Settings, model: ScriptedModel, tool: str, whats: Iterable[str]
) -> dict[str, Receipt]:
    """The receipts of a request that calls a tool for each; the worker works on."""
    model.scripts["Go"] = [calls(*(call(tool, what=what) for what in whats)), say("That was it.")]
    model.scripts["Again"] = [say("Still here.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Go", approve=("*",))
        assert (await ask(client, settings, "Again")).summary == "Still here."
    assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "That was it.")
    return {str(receipt.arguments["what"]): receipt for receipt in outcome.receipts}


async def ledger(settings: Settings) -> dict[str, tuple[State, JsonValue]]:
    """What it knows of each write."""
    async with aclosing(await Ledger.open(settings.ledger.ledger_url, create=False)) as opened:
        rows = await opened.search()
    return {str(row.arguments["what"]): (row.state, row.result) for row in rows}


def is_told(error: str | None, start: str) -> bool:
    """In one line that is not too long."""
    return error is not None and error.startswith(start) and len(error) < 2100 and len(error.splitlines()) == 1


async def test_a_read_may_return_or_raise_anything(client: Client, settings: Settings, model: ScriptedModel) -> None:
    receipts = await carried_out(client, settings, model, "fetch", EVERYTHING)
    for what, result in RETURNED.items():
        assert (receipts[what].status, receipts[what].result) == (ReceiptStatus.DONE, result)
    for what, error in RAISED.items():
        assert (receipts[what].status, receipts[what].attempts) == (ReceiptStatus.FAILED, 2)
        assert is_told(receipts[what].error, error)


async def test_a_write_that_returns_anything_is_done_and_one_that_raises_anything_in_its_act_is_unknown(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    receipts = await carried_out(client, settings, model, "store", EVERYTHING)
    for what, result in RETURNED.items():
        assert (receipts[what].status, receipts[what].result) == (ReceiptStatus.DONE, result)
    for what, error in RAISED.items():
        assert receipts[what].status is ReceiptStatus.UNKNOWN
        assert is_told(receipts[what].error, f"it may have happened: {error}")
    assert happened.done("store") == EVERYTHING
    assert await ledger(settings) == {
        **{what: (State.DONE, result) for what, result in RETURNED.items()},
        **dict.fromkeys(RAISED, (State.UNKNOWN, None)),
    }


async def test_a_write_that_raises_anything_before_its_act_failed_and_says_what_it_was(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    receipts = await carried_out(client, settings, model, "prepare_and_store", RAISED)
    for what, error in RAISED.items():
        assert (receipts[what].status, receipts[what].attempts) == (ReceiptStatus.FAILED, 1)
        assert is_told(receipts[what].error, error)
    assert happened.done("prepare_and_store") == []
    assert await ledger(settings) == {}


@pytest.mark.parametrize("what", ["a huge number", "megabytes"])
async def test_the_receipt_of_a_write_survives_whatever_a_later_read_returns_or_raises(
    client: Client, settings: Settings, model: ScriptedModel, happened: World, what: str
) -> None:
    model.scripts[what] = [calls(call("write_down", word="oak")), calls(call("fetch", what=what)), say("Done.")]
    async with running_worker(client, settings):
        outcome: Outcome = await ask(client, settings, what, approve=("*",))
    written, read = outcome.receipts
    assert (written.status, written.result) == (ReceiptStatus.DONE, "written")
    assert read.status is (ReceiptStatus.DONE if what in RETURNED else ReceiptStatus.FAILED)
    assert happened.done("write_down") == ["oak"]


async def test_why_an_attempt_is_made_again_is_shown_however_much_there_was_to_say(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Go"] = [calls(call("fetch", what="3 MB of emoji")), say("That was it.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Go")
        assert (await why_it_is_tried_again(handle)).startswith("ValueError: 😀😀😀")
        assert (await handle.result()).receipts[0].status is ReceiptStatus.FAILED
