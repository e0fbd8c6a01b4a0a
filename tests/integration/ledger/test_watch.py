"""Temporal always finds the newest mark of a ledger that it has heard of."""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import aclosing
from datetime import timedelta

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities import heartbeats
from activities.heartbeats import Heartbeats
from activities.ledger import watch
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from activities.ledger.watch import LedgerWatch, mark_in_temporal
from tests.integration.ledger.conftest import Database
from tests.integration.requests.asking import why_it_is_tried_again
from workflows import ledger_watch
from workflows.contract.internal import ToolCall
from workflows.contract.ledger import LEDGER_WATCH_WORKFLOW, LedgerMark, WatchedLedger, watch_id
from workflows.ledger_watch import LedgerWatchWorkflow

pytestmark = pytest.mark.sampled(1)

OFTEN = 0.1
"""Seconds between two looks, and between two heartbeats."""


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOKS_EVERY", OFTEN)
    monkeypatch.setattr(heartbeats, "INTERVAL", OFTEN)


async def writes(ledger: Ledger, key: str) -> None:
    call = ToolCall(key=key, tool="pay", arguments={"to": [key]}, chain="5eed")
    await ledger.finish(key, await ledger.begin(Write(call), attempt=1, seen=None), State.DONE)


async def heard(client: Client, ledger: Ledger, like: Callable[[LedgerMark], bool]) -> LedgerMark:
    """The mark that Temporal has, as soon as it is like this one."""
    async with asyncio.timeout(20):
        while not (mark := await mark_in_temporal(client, ledger.identity)) or not like(mark):
            await asyncio.sleep(0.02)
    return mark


async def starts(client: Client, ledger: Ledger) -> str:
    queue = f"watch-{uuid.uuid4().hex[:8]}"
    watched = WatchedLedger(identity=ledger.identity)
    await client.start_workflow(LEDGER_WATCH_WORKFLOW, watched, id=watch_id(ledger.identity), task_queue=queue)
    return queue


def watching(client: Client, ledger: Ledger, queue: str, watch: LedgerWatch | None = None) -> Worker:
    watch = watch or LedgerWatch(ledger)
    return Worker(client, task_queue=queue, activities=[watch.watch], interceptors=[Heartbeats()])


def deciding(client: Client, queue: str) -> Worker:
    workflows = [LedgerWatchWorkflow]
    return Worker(client, task_queue=queue, workflows=workflows, workflow_runner=UnsandboxedWorkflowRunner())


async def test_a_watch_gives_the_sdk_no_heartbeat_to_send_which_might_arrive_after_a_newer_one(
    database: Database, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_the_sdk: list[object] = []

    def sends(*details: object) -> None:
        by_the_sdk.append(details)

    monkeypatch.setattr(activity, "heartbeat", sends)
    ledger = await database.open()
    queue = await starts(client, ledger)
    async with deciding(client, queue), watching(client, ledger, queue):
        for number in (1, 2, 3):
            await writes(ledger, f"r/{number}.1")
            await heard(client, ledger, lambda mark, key=f"r/{number}.1": mark.key == key)
        await asyncio.sleep(3 * OFTEN)
    assert by_the_sdk == []


@pytest.mark.long
async def test_a_watch_goes_on_for_longer_than_the_sdk_waits_for_heartbeats(
    database: Database, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends an attempt of which it has heard nothing, five seconds after Temporal would."""
    monkeypatch.setattr(ledger_watch, "HEARTBEAT", timedelta(seconds=1))
    ledger = await database.open()
    queue = await starts(client, ledger)
    async with deciding(client, queue), watching(client, ledger, queue):
        await scheduled(client, ledger)
        await asyncio.sleep(7)
        await writes(ledger, "r/1.1")
        await heard(client, ledger, lambda mark: mark.key == "r/1.1")
        [pending] = await pending_activities(client, ledger)
    assert (pending.attempt, pending.state) == (1, PendingActivityState.PENDING_ACTIVITY_STATE_STARTED)


async def test_another_worker_goes_on_at_once_where_one_stops(database: Database, client: Client) -> None:
    ledger = await database.open()
    queue = await starts(client, ledger)
    async with deciding(client, queue):
        async with aclosing(LedgerWatch(ledger)) as watch, watching(client, ledger, queue, watch):
            await writes(ledger, "r/1.1")
            await heard(client, ledger, lambda mark: mark.key == "r/1.1")
        reason = await why_it_is_tried_again(client.get_workflow_handle(watch_id(ledger.identity)))
        assert "the worker stops; another one goes on" in reason
        async with watching(client, ledger, queue):
            await writes(ledger, "r/2.1")
            await heard(client, ledger, lambda mark: mark.key == "r/2.1")


async def test_the_newest_mark_is_found_between_the_end_of_a_watch_and_its_next_run(
    database: Database, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No worker was left to begin that run, and the first that comes back compares before it does."""
    monkeypatch.setattr(watch, "TURN", 10 * OFTEN)
    ledger = await database.open()
    queue = await starts(client, ledger)
    async with deciding(client, queue):
        await scheduled(client, ledger)
    async with watching(client, ledger, queue):
        await writes(ledger, "r/1.1")
        newest = await heard(client, ledger, lambda mark: mark.key == "r/1.1")
        async with asyncio.timeout(20):
            while await pending_activities(client, ledger):
                await asyncio.sleep(0.02)
    assert await mark_in_temporal(client, ledger.identity) == newest


async def scheduled(client: Client, ledger: Ledger) -> None:
    async with asyncio.timeout(20):
        while not await pending_activities(client, ledger):
            await asyncio.sleep(0.02)


async def pending_activities(client: Client, ledger: Ledger) -> list[PendingActivityInfo]:
    watched = client.get_workflow_handle(watch_id(ledger.identity))
    return [*(await watched.describe()).raw_description.pending_activities]
