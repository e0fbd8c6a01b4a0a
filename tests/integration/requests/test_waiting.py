"""wait_until: the request goes on when the time has come, and nothing runs until then."""

from datetime import UTC, datetime, timedelta

from temporalio.client import Client

from activities.settings import Settings
from tests.conftest import running_worker
from tests.integration.requests.asking import ask, start
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Limits, ReceiptStatus, RequestStatus


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def test_what_stands_behind_a_wait_is_done_when_the_time_has_come(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    until = in_seconds(3)
    model.scripts["Later"] = [calls(call("wait_until", time=until), call("write_down", word="a")), say("Done.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Later", approve=("*",))
    waited, wrote = outcome.receipts
    assert (outcome.status, waited.status, wrote.status) == (RequestStatus.COMPLETED, *[ReceiptStatus.DONE] * 2)
    assert wrote.started_at is not None
    assert wrote.started_at >= datetime.fromisoformat(until)
    assert waited.attempts == 2


async def test_a_time_that_is_over_is_not_waited_for(client: Client, settings: Settings, model: ScriptedModel) -> None:
    model.scripts["Now"] = [calls(call("wait_until", time="2020-01-01T08:00:00")), say("Done.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Now")
    assert [(each.status, each.attempts) for each in outcome.receipts] == [(ReceiptStatus.DONE, 1)]


async def test_a_wait_beyond_the_time_limit_of_the_request_is_told_at_once(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Long"] = [calls(call("wait_until", time=in_seconds(3600))), say("It is too long.")]
    async with running_worker(client, settings, sandboxed=True):
        handle = await start(client, settings, "Long", limits=Limits(seconds=60))
        outcome = await handle.result()
    assert outcome.status is RequestStatus.COMPLETED
    [waited] = outcome.receipts
    assert waited.status is ReceiptStatus.FAILED
    assert waited.attempts == 1
    assert "is beyond the time limit of this request, which ends at" in (waited.error or "")
    assert "with a higher limit (limits.seconds, or --timeout)" in (waited.error or "")
