"""A tool that is withdrawn while a call of it waits: receipt, log and what is tried again say so in one line."""

from contextlib import aclosing

import pytest
from temporalio.client import Client

from activities.ledger.ledger import Ledger
from activities.ledger.rows import State
from activities.settings import Settings
from tests.conftest import changed, running_worker
from tests.integration.requests.asking import Handle, answer, start, until_it_waits, why_it_is_tried_again
from tests.logged import lines_of, logged
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Approve, ReceiptStatus

pytestmark = pytest.mark.long

TEXT = "Write it down."


async def waiting(client: Client, settings: Settings, model: ScriptedModel) -> tuple[Handle, Approve]:
    """A request with a call that waits for approval, and the yes to it; there is no worker any more."""
    model.scripts[TEXT] = [calls(call("write_down", word="pen")), say("It was not written.")]
    async with running_worker(client, settings):
        request = await start(client, settings, TEXT)
        pending = await until_it_waits(request)
    return request, Approve(key=pending.key, digest=pending.digest, by="ann")


def without_the_tool(settings: Settings) -> Settings:
    return changed(settings, tools={"offer": ("*", "-write_down")})


async def test_the_receipt_the_log_and_what_is_tried_again_say_that_the_tool_was_withdrawn(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    request, yes = await waiting(client, settings, model)
    with logged() as log:
        async with running_worker(client, without_the_tool(settings)):
            await answer(request, yes)
            reason = await why_it_is_tried_again(request)
            outcome = await request.result()
    [receipt] = outcome.receipts
    said = "this worker does not offer the tool write_down, so this attempt did nothing: the tool was withdrawn"
    assert (receipt.status, receipt.attempts, happened.happened) == (ReceiptStatus.FAILED, 5, [])
    assert (receipt.error or "").startswith(said)
    assert reason == receipt.error
    lines = [line for line in lines_of(log) if line.get("tool") == "write_down"]
    assert [(line["error"], line["attempt"], line["key"]) for line in lines] == [
        ("NotOffered", attempt, yes.key) for attempt in range(1, 6)
    ]
    assert not any("exception" in line for line in lines_of(log))
    async with aclosing(await Ledger.open(settings.ledger.ledger_url, create=False)) as ledger:
        row = await ledger.find(yes.key)
    assert row is not None, "no worker may do it later"
    assert row.state is State.NOT_DONE


async def test_it_runs_once_where_a_worker_that_has_the_tool_comes_back_in_time(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    request, yes = await waiting(client, settings, model)
    async with running_worker(client, without_the_tool(settings)):
        await answer(request, yes)
        await why_it_is_tried_again(request)
    async with running_worker(client, settings):
        outcome = await request.result()
    assert [(each.status, each.attempts > 1) for each in outcome.receipts] == [(ReceiptStatus.DONE, True)]
    assert happened.done("write_down") == ["pen"]
