"""Whether a worker is there for what a request waits for."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from deploy.client.requests import PATIENCE, RequestHandle, handle_of

LOOK_EVERY = 2.5
"""Seconds between two looks while a request is watched."""
LOOK_SOON = 0.1
"""Seconds between two looks at a request that has just been started."""


@dataclass(frozen=True)
class Untaken:
    """A step that waits in a task queue until a worker takes it."""

    task_queue: str
    kind: TaskQueueType.ValueType
    since: datetime


async def nobody_takes(client: Client, request_id: str) -> str | None:
    """Wait until a worker has taken the first step of a request, for at most five seconds.

    Returns:
        What is to be said where none polls the task queue.
    """
    handle = handle_of(client, request_id)
    step = await _untaken(handle)
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while step:
                await asyncio.sleep(LOOK_SOON)
                step = await _untaken(handle)
    return None if step is None or await _is_polled(client, step) else _said(request_id, step)


@asynccontextmanager
async def told_if_nobody_takes(client: Client, request_id: str, tell: Callable[[str], None]) -> AsyncGenerator[None]:
    """While the block runs: tell it, each time that a step has waited for five seconds and no worker polls for it."""
    looking = asyncio.create_task(_look_out(client, request_id, tell))
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


async def _look_out(client: Client, request_id: str, tell: Callable[[str], None]) -> None:
    handle, looks, told = handle_of(client, request_id), 0, False
    before: Untaken | None = None
    while True:
        with suppress(RPCError):  # whoever watches is told by what they watch
            step = await _untaken(handle)
            looks = looks + 1 if step == before else 0
            told = told and step is not None
            if step and looks * LOOK_EVERY >= PATIENCE.total_seconds() and not told:
                told = not await _is_polled(client, step)
                if told:
                    tell(_said(request_id, step))
            before = step
        await asyncio.sleep(LOOK_EVERY)


def _said(request_id: str, step: Untaken) -> str:
    return (
        f"no worker polls the task queue {step.task_queue}, and {request_id} waits until one does; "
        "start one: uv run worker.py"
    )


async def _untaken(handle: RequestHandle) -> Untaken | None:
    """The step that waits for a worker, if one does."""
    described = await handle.describe()
    raw, queue = described.raw_description, described.task_queue
    task = raw.pending_workflow_task
    if task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        return Untaken(queue, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, task.scheduled_time.ToDatetime())
    for activity in raw.pending_activities:
        is_due = not activity.HasField("next_attempt_schedule_time")
        if is_due and activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
            return Untaken(queue, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY, activity.scheduled_time.ToDatetime())
    return None


async def _is_polled(client: Client, step: Untaken) -> bool:
    """Whether a worker has asked for work since the step was there: one that had asked before would have got it."""
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=step.task_queue), task_queue_type=step.kind
    )
    found = await client.workflow_service.describe_task_queue(asked)
    return any(poller.last_access_time.ToDatetime() >= step.since for poller in found.pollers)
