"""A request id that is used again: what was done under it is not done again without a word, nor said to be."""

import asyncio
import re
import uuid
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowContinuedAsNewError
from temporalio.common import RetryPolicy, WorkflowIDConflictPolicy

from activities.settings import Settings
from tests.conftest import running_worker, settings_for
from tests.integration.requests.asking import Handle, outcome_after_reset, reset_to_its_beginning, start, state, until
from tests.sample_tools import World
from tests.scripted_model import Answer, ScriptedModel, call, calls, say
from workflows.contract.api import (
    REQUEST_WORKFLOW,
    Outcome,
    Receipt,
    ReceiptStatus,
    Request,
    RequestState,
    RequestStatus,
)

pytestmark = pytest.mark.long

DONE, REFUSED = ReceiptStatus.DONE, ReceiptStatus.REFUSED
WRITE = calls(call("write_down", word="tree"))
SAME_TURN: list[Answer] = [WRITE, say("That is all.")]
OTHER_TURN: list[Answer] = [calls(call("look_up", word="x")), *SAME_TURN]
PATHS = pytest.mark.parametrize(
    "path", [pytest.param(SAME_TURN, id="at the same turn"), pytest.param(OTHER_TURN, id="at another turn")]
)


def writes(outcome: Outcome | RequestState) -> list[tuple[ReceiptStatus, bool]]:
    """(status, whether it is an earlier one's) of the writes."""
    return [(each.status, each.earlier) for each in outcome.receipts if each.effect == "write"]


def refused(outcome: Outcome) -> Receipt:
    (receipt,) = [each for each in outcome.receipts if each.status is REFUSED]
    return receipt


@PATHS
async def test_an_id_that_is_executed_again_after_its_end_shows_the_earlier_write_and_refuses_a_like_one(
    client: Client, settings: Settings, model: ScriptedModel, happened: World, path: list[Answer]
) -> None:
    model.scripts["Write"] = SAME_TURN
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write", approve=("*",))
        assert writes(await handle.result()) == [(DONE, False)]
        model.scripts["Write"] = path
        again = await (await start(client, settings, "Write", approve=("*",), request_id=handle.id)).result()
    assert happened.done("write_down") == ["tree"]
    assert writes(again) == [(REFUSED, False), (DONE, True)]
    assert "by an earlier request of the same id; a new request needs an id of its own" in str(refused(again).error)


@PATHS
@pytest.mark.parametrize("conflict", [None, WorkflowIDConflictPolicy.TERMINATE_EXISTING], ids=str)
async def test_an_id_whose_run_was_terminated_after_its_write_does_not_do_it_again(
    client: Client,
    settings: Settings,
    model: ScriptedModel,
    happened: World,
    conflict: WorkflowIDConflictPolicy | None,
    path: list[Answer],
) -> None:
    model.scripts["Write"] = [WRITE, calls(call("look_up", word="slow", seconds=8)), say("That is all.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write", approve=("*",))
        await until(handle, lambda now: bool(now.receipts))
        if conflict is None:
            await handle.terminate()
        model.scripts["Write"] = path
        again: Outcome = await client.execute_workflow(
            REQUEST_WORKFLOW,
            Request(text="Write", approve=("*",)),
            id=handle.id,
            task_queue=settings.worker.task_queue,
            id_conflict_policy=conflict or WorkflowIDConflictPolicy.FAIL,
            result_type=Outcome,
        )
    assert happened.done("write_down") == ["tree"]
    assert writes(again) == [(REFUSED, False), (DONE, True)]


async def test_another_write_under_an_id_that_was_used_before_is_done_and_is_the_requests_own(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = SAME_TURN
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write", approve=("*",))
        await handle.result()
        model.scripts["Write"] = [calls(call("write_down", word="house")), say("That is all.")]
        handle = await start(client, settings, "Write", approve=("*",), request_id=handle.id)
        again = await handle.result()
        own = again.receipts[0]
        assert (own.key, own.status, own.arguments) == (f"{handle.id}/1.1", DONE, {"word": "house"})
        assert re.fullmatch(rf"{handle.id}/1\.1~[0-9a-f]{{8}}", str(own.ledger_key))
        assert writes(again) == [(DONE, False), (DONE, True)]
        reset = await outcome_after_reset(client, handle)
    assert happened.done("write_down") == ["tree", "house"]
    assert writes(reset) == [(DONE, False), (DONE, True)]


async def test_every_time_of_a_cron_is_a_request_of_its_own(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = SAME_TURN
    async with running_worker(client, settings):
        name = f"cron-{uuid.uuid4().hex[:8]}"
        handle: Handle = await client.start_workflow(
            REQUEST_WORKFLOW,
            Request(text="Write", approve=("*",)),
            id=name,
            task_queue=settings.worker.task_queue,
            cron_schedule="@every 1s",
            result_type=Outcome,
        )
        async with asyncio.timeout(20):
            while len(happened.done("write_down")) < 2:
                await asyncio.sleep(0.1)
        first = client.get_workflow_handle(name, run_id=handle.first_execution_run_id)
        (receipt,) = (await state(first)).receipts
        model.scripts["Write"] = OTHER_TURN
        reset = client.get_workflow_handle(name, run_id=await reset_to_its_beginning(client, first))
        now = await until(reset, lambda now: now.status is not RequestStatus.RUNNING)
        await client.get_workflow_handle(name).terminate()
    assert receipt.status is DONE
    assert re.fullmatch(rf"{name}@\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z/1\.1", receipt.key)
    assert writes(now) == [(REFUSED, False), (DONE, True)]
    assert all(value == "tree" for value in happened.done("write_down"))


async def test_a_cron_with_a_retry_policy_is_refused_in_a_sentence(client: Client, settings: Settings) -> None:
    async with running_worker(client, settings):
        handle: Handle = await client.start_workflow(
            REQUEST_WORKFLOW,
            Request(text="Write"),
            id=f"cron-{uuid.uuid4().hex[:8]}",
            task_queue=settings.worker.task_queue,
            cron_schedule="@every 1s",
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
        with pytest.raises(WorkflowContinuedAsNewError):  # so Temporal says that the first time is over
            await handle.result(follow_runs=False)
        time = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        *_, end = [event async for event in time.fetch_history_events()]
        await client.get_workflow_handle(handle.id).terminate()
    failure = end.workflow_execution_failed_event_attributes.failure
    assert "cron start with a retry policy" in failure.message


async def test_a_retry_of_the_workflow_is_the_same_request(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    """Its first run times out after its write; the second goes another way."""
    model.scripts["Write"] = [WRITE, calls(call("look_up", word="slow", seconds=30)), say("That is all.")]
    async with running_worker(client, settings):
        handle: Handle = await client.start_workflow(
            REQUEST_WORKFLOW,
            Request(text="Write", approve=("*",)),
            id=f"retried-{uuid.uuid4().hex[:8]}",
            task_queue=settings.worker.task_queue,
            run_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=2, initial_interval=timedelta(seconds=1)),
            result_type=Outcome,
        )
        await until(handle, lambda now: bool(now.receipts and now.running))  # the model has answered twice
        model.scripts["Write"] = OTHER_TURN
        again = await handle.result()
    assert happened.done("write_down") == ["tree"]
    assert writes(again) == [(REFUSED, False), (DONE, True)]
    assert "before the request was reset" in str(refused(again).error)


async def test_a_reset_on_a_worker_with_another_ledger_does_nothing_and_says_which_setting_is_wrong(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = SAME_TURN
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write", approve=("*",))
        await handle.result()
    other = settings_for(model, task_queue=settings.worker.task_queue)
    async with running_worker(client, other):
        again = await outcome_after_reset(client, handle)
    assert happened.done("write_down") == ["tree"]
    assert writes(again) == [(REFUSED, False)]
    assert "ERRAND_LEDGER_URL" in str(refused(again).error)
