"""Cancelled, killed, restarted: what a request does when it is not left alone."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.settings import Settings
from tests.conftest import running_worker
from tests.dev_server import variables_for
from tests.forked.process import Process, Processes
from tests.integration.requests.asking import answer, start, state, until, until_it_waits
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Approve, ReceiptStatus, RequestStatus

ROOT = Path(__file__).parents[3]


async def test_cancelling_a_waiting_request_ends_it_with_a_receipt_for_the_call_that_did_not_run(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Wait"] = [calls(call("look_up", word="a"), call("write_down", word="b")), say("Never said.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Wait")
        await until_it_waits(handle)
        await handle.cancel()
        outcome = await handle.result()
        assert (await state(handle)).receipts == outcome.receipts
    assert outcome.status is RequestStatus.CANCELLED
    assert [receipt.status for receipt in outcome.receipts] == [ReceiptStatus.DONE, ReceiptStatus.CANCELLED]
    assert happened.done("write_down") == []


async def test_cancelling_during_a_write_waits_for_what_became_of_it(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = [calls(call("write_down", word="tree", seconds=5)), say("Never said.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write", approve=("*",))
        await until(handle, lambda now: bool(now.running))
        await asyncio.sleep(0.5)
        await handle.cancel()
        outcome = await handle.result()
    assert outcome.status is RequestStatus.CANCELLED
    assert [receipt.status for receipt in outcome.receipts] == [ReceiptStatus.DONE]
    assert happened.done("write_down") == ["tree"]


async def test_cancelling_during_reads_does_not_wait_for_them(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    slow = [call("look_up", word=word, seconds=8) for word in "ab"]
    model.scripts["Read"] = [calls(*slow), say("Never said.")]
    async with running_worker(client, settings):
        handle = await start(client, settings, "Read")
        await until(handle, lambda now: len(now.running) + len(now.receipts) == 2)
        await handle.cancel()
        async with asyncio.timeout(5):
            outcome = await handle.result()
    assert outcome.status is RequestStatus.CANCELLED
    assert [receipt.status for receipt in outcome.receipts] == [ReceiptStatus.CANCELLED] * 2


def variables_of(environment: WorkflowEnvironment, settings: Settings) -> dict[str, str]:
    """The environment of a `worker.py`."""
    return {
        **os.environ,
        **variables_for(environment.client),
        "OPENAI_MODEL": "scripted",
        "OPENAI_BASE_URL": str(settings.model.openai_base_url),
        "ERRAND_TASK_QUEUE": settings.worker.task_queue,
        "ERRAND_TOOLS": " ".join(settings.tools.tools),
        "ERRAND_LEDGER_URL": settings.ledger.ledger_url,
    }


class Workers:
    """`worker.py`, as processes of their own."""

    def __init__(self, environment: Mapping[str, str], processes: Processes, log: Path) -> None:
        self._environment = environment
        self._processes = processes
        self._log = log

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[Process]:
        """One that is ready to work; killed when the block ends, if it still lives."""
        self._log.unlink(missing_ok=True)
        process = await self._processes.start(["worker.py"], self._environment, self._log)
        try:
            async with asyncio.timeout(30):
                while "worker ready" not in self._log.read_text():
                    await asyncio.sleep(0.02)
            yield process
        finally:
            process.kill()
            await process.wait()


@pytest.fixture
def workers(temporal: WorkflowEnvironment, settings: Settings, processes: Processes, tmp_path: Path) -> Workers:
    return Workers(variables_of(temporal, settings), processes, tmp_path / "worker.log")


@pytest.mark.long
async def test_a_request_survives_the_death_of_its_worker(
    temporal: WorkflowEnvironment, settings: Settings, model: ScriptedModel, workers: Workers
) -> None:
    model.scripts["Survive"] = [
        calls(call("look_up", word="a")),
        calls(call("look_up", word="b", seconds=3)),
        say("Survived."),
    ]
    async with workers.one() as first:
        handle = await start(temporal.client, settings, "Survive")
        await until(handle, lambda now: len(now.running) + len(now.receipts) == 2)
        first.kill()
        await first.wait()
    async with workers.one():
        outcome = await handle.result()
    assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "Survived.")
    assert [receipt.status for receipt in outcome.receipts] == [ReceiptStatus.DONE] * 2


async def test_a_write_that_its_worker_did_not_live_to_report_is_unknown(
    temporal: WorkflowEnvironment, settings: Settings, model: ScriptedModel, workers: Workers
) -> None:
    model.scripts["Die"] = [calls(call("write_down", word="tree", seconds=9)), say("I do not know.")]
    async with workers.one() as first:
        handle = await start(temporal.client, settings, "Die", approve=("*",))
        await until(handle, lambda now: bool(now.running))
        await asyncio.sleep(0.5)
        first.kill()
        await first.wait()
    async with workers.one():
        outcome = await handle.result()
    assert [receipt.status for receipt in outcome.receipts] == [ReceiptStatus.UNKNOWN]
    assert "never reported on" in str(outcome.receipts[0].error)


async def test_a_worker_that_is_told_to_stop_finishes_what_it_runs(
    temporal: WorkflowEnvironment, settings: Settings, model: ScriptedModel, workers: Workers
) -> None:
    model.scripts["Stop"] = [calls(call("write_down", word="tree", seconds=2)), say("Done.")]
    async with workers.one() as first:
        handle = await start(temporal.client, settings, "Stop", approve=("*",))
        await until(handle, lambda now: bool(now.running))
        await asyncio.sleep(0.5)
        first.send_signal(signal.SIGTERM)
        assert await first.wait() == 0
    async with workers.one():
        outcome = await handle.result()
    assert [receipt.status for receipt in outcome.receipts] == [ReceiptStatus.DONE]


async def test_a_result_that_arrives_together_with_the_cancellation_is_not_lost(
    temporal: WorkflowEnvironment, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Both"] = [calls(call("write_down", word="tree", seconds=1)), say("Never said.")]
    client = temporal.client
    async with running_worker(client, settings) as first:
        handle = await start(client, settings, "Both", approve=("*",))
        await until(handle, lambda now: bool(now.running))
        stopping = asyncio.create_task(first.shutdown())
        await asyncio.sleep(0.3)
        await handle.cancel()
        await stopping
    async with running_worker(client, settings):
        outcome = await handle.result()
    assert outcome.status is RequestStatus.CANCELLED
    assert [receipt.status for receipt in outcome.receipts] == [ReceiptStatus.DONE]
    assert happened.done("write_down") == ["tree"]


async def test_a_request_goes_on_soon_after_its_workers_death_where_another_worker_is_there(
    temporal: WorkflowEnvironment, settings: Settings, model: ScriptedModel, workers: Workers
) -> None:
    model.scripts["Recover"] = [calls(call("write_down", word="tree")), say("Recovered.")]
    # The server waits 2 s for a dead worker; with its default it would be ten, before anything else is counted.
    # A second try, because a busy machine takes its own time.
    assert await recovery(temporal, settings, workers) < 9 or await recovery(temporal, settings, workers) < 9


async def recovery(temporal: WorkflowEnvironment, settings: Settings, workers: Workers) -> float:
    """Seconds from the death of the worker that knows a request to the request's end at another."""
    async with workers.one() as first:
        handle = await start(temporal.client, settings, "Recover")
        pending = await until_it_waits(handle)
        async with workers.one():
            first.kill()
            await first.wait()
            killed = time.monotonic()
            await answer(handle, Approve(key=pending.key, digest=pending.digest, by="ann"))
            outcome = await handle.result()
    assert outcome.status is RequestStatus.COMPLETED
    return time.monotonic() - killed
