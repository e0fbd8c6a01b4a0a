"""The activity by which Temporal keeps a ledger's newest mark, as its heartbeat."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import structlog
from google.protobuf.field_mask_pb2 import FieldMask
from pydantic import ValidationError
from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import VersioningOverride, WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsRequest
from temporalio.client import AsyncActivityCancelledError, AsyncActivityHandle, Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.error_text import message_of
from activities.errors import CannotDecrypt, ConfigurationError, ServiceUnavailable
from activities.failures import translated
from activities.ledger.ledger import Ledger
from workflows.contract.ledger import LEDGER_WATCH_WORKFLOW, WATCH_LEDGER, LedgerMark, WatchedLedger, watch_id

log = structlog.stdlib.get_logger(__name__)

LOOKS_EVERY = 5.0
"""Seconds: what is lost with all workers that knew of it, and was younger, is not noticed."""
TURN = 3600.0
"""Seconds, after which the watch goes on in a new run."""


class LedgerWatch:
    """Of the ledger of one worker; of all workers that share it, one at a time watches."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._restores = ledger.restores
        self._going_on: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Once the worker was told to stop: let Temporal hear that another has to go on, unless it answers nothing."""
        if self._going_on:
            _, unheard = await asyncio.wait(self._going_on, timeout=LOOKS_EVERY)
            for task in unheard:
                task.cancel()
            await asyncio.gather(*unheard, return_exceptions=True)

    @activity.defn(name=WATCH_LEDGER)
    async def watch(self, watched: WatchedLedger) -> WatchedLedger:
        """Compare the ledger with the newest mark that Temporal has, and give it newer ones, for an hour.

        The SDK hears nothing more of it, neither heartbeats nor its end: those that it sends may arrive after a younger
        one, and an attempt that it has heard nothing of for 15 s it ends.
        """
        self._ledger.must_be(watched.identity)
        attempt = activity.client().get_async_activity_handle(task_token=activity.info().task_token)
        task = asyncio.create_task(self._go_on(attempt, watched))
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        activity.raise_complete_async()

    async def _go_on(self, attempt: AsyncActivityHandle, watched: WatchedLedger) -> None:
        try:
            with translated():
                mark = await self._for_an_hour(attempt, _heard() or watched.mark)
            await attempt.complete(watched.model_copy(update={"mark": mark}))
        except Exception as error:  # whatever it is, Temporal has to give the watch to a worker again
            is_mistake = not isinstance(error, (ApplicationError, RPCError, AsyncActivityCancelledError))
            log.info("the ledger's watch has ended before its time", reason=message_of(error), exc_info=is_mistake)
            with suppress(RPCError, AsyncActivityCancelledError):
                await attempt.fail(error)

    async def _for_an_hour(self, attempt: AsyncActivityHandle, mark: LedgerMark | None) -> LedgerMark | None:
        until = time.monotonic() + TURN
        while time.monotonic() < until:
            await _heartbeat(attempt, mark)  # in a new run, nobody could find it otherwise
            await self._restores.compare(mark)
            mark = await self._mark(attempt, mark)
            if await _worker_stops(LOOKS_EVERY):
                raise ServiceUnavailable("the worker stops; another one goes on")
        return mark

    async def _mark(self, attempt: AsyncActivityHandle, before: LedgerMark | None) -> LedgerMark | None:
        """Let Temporal hear the newest mark, and the ledger that it has."""
        mark = await self._restores.next_mark(before, namespace=activity.client().namespace)
        if mark is None or mark == before:
            return before
        await _heartbeat(attempt, mark)
        await self._restores.confirmed(mark)
        return mark


@asynccontextmanager
async def watched_by_temporal(
    client: Client, ledger: Ledger, task_queue: str, *, versioned: bool = False
) -> AsyncGenerator[None]:
    """Compare the ledger with what Temporal knows of it before a worker begins, and see to it that it is watched.

    Args:
        client: of the worker.
        ledger: that the worker opened.
        task_queue: of the worker.
        versioned: whether it takes part in Worker Versioning.

    Raises:
        ConfigurationError: the worker lacks a key.
    """
    try:
        await ledger.restores.compare(await mark_in_temporal(client, ledger.identity))
        await client.start_workflow(
            LEDGER_WATCH_WORKFLOW,
            WatchedLedger(identity=ledger.identity),
            id=watch_id(ledger.identity),
            task_queue=task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"how far the ledger {ledger.identity} has come",
        )
        if versioned:
            await _follow_versions(client, watch_id(ledger.identity))
    except CannotDecrypt as error:
        raise ConfigurationError(f"{error}; what Temporal knows of the ledger {ledger.identity} needs it") from error
    except RPCError as error:
        log.warning("nobody watches the ledger: an older copy may go unnoticed", reason=error.message)
    yield


async def _follow_versions(client: Client, workflow_id: str) -> None:
    """Let the watch go over to each version as it becomes the current one: the one before may be gone at once."""
    await client.workflow_service.update_workflow_execution_options(
        UpdateWorkflowExecutionOptionsRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            workflow_execution_options=WorkflowExecutionOptions(
                versioning_override=VersioningOverride(auto_upgrade=True)
            ),
            update_mask=FieldMask(paths=["versioning_override"]),
            identity=client.identity,
        )
    )


async def mark_in_temporal(client: Client, identity: str) -> LedgerMark | None:
    """The newest mark that Temporal has of a ledger, if any.

    Raises:
        RPCError: Temporal cannot be asked.
        CannotDecrypt: the mark is encrypted, and the key is not here.
    """
    watch: WorkflowHandle[object, None] = client.get_workflow_handle(watch_id(identity))
    try:
        found = await watch.describe()
        for pending in found.raw_description.pending_activities:
            for value in await client.data_converter.decode(pending.heartbeat_details.payloads):
                return _mark_of(value)
        return await _mark_of_run(client, watch)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _mark_of_run(client: Client, watch: WorkflowHandle[object, None]) -> LedgerMark | None:
    """The mark with which a run has begun, or with which its activity has ended: one that goes on has said its own."""
    mark = None
    async for event in watch.fetch_history_events():
        started = event.workflow_execution_started_event_attributes
        completed = event.activity_task_completed_event_attributes
        said = [*started.input.payloads, *completed.result.payloads]
        for watched in await client.data_converter.decode(said, [WatchedLedger] * len(said)):
            mark = watched.mark
    return mark


def _heard() -> LedgerMark | None:
    """What the attempt before has let Temporal hear."""
    details = activity.info().heartbeat_details
    return _mark_of(details[0]) if details else None


def _mark_of(value: object) -> LedgerMark | None:
    try:
        return LedgerMark.model_validate(value)
    except ValidationError:  # of another release
        return None


async def _heartbeat(attempt: AsyncActivityHandle, mark: LedgerMark | None) -> None:
    """Say that the watch goes on, and be sure that Temporal has heard its mark."""
    try:
        await (attempt.heartbeat(mark) if mark else attempt.heartbeat())
    except (RPCError, AsyncActivityCancelledError) as error:
        raise ServiceUnavailable(f"Temporal has not heard the ledger's mark: {error}") from error


async def _worker_stops(within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            await activity.wait_for_worker_shutdown()
    except TimeoutError:
        return False
    return True
