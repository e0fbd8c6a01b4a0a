"""Starting requests as a caller does, by workflow type and task queue, and looking at what came of them."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import cast

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from activities.settings import Settings
from tests.scripted_model import ScriptedModel
from workflows.contract.api import (
    REQUEST_WORKFLOW,
    Approve,
    Limits,
    Outcome,
    PendingApproval,
    Reject,
    Request,
    RequestState,
)
from workflows.contract.values import Schema

Handle = WorkflowHandle[object, Outcome]


async def start(
    client: Client,
    settings: Settings,
    text: str,
    *,
    approve: tuple[str, ...] = (),
    requester: str = "",
    limits: Limits | None = None,
    request_id: str | None = None,
    output_schema: Schema | None = None,
    keep_open: bool = False,
) -> Handle:
    return await client.start_workflow(
        REQUEST_WORKFLOW,
        Request(
            text=text,
            approve=approve,
            requester=requester,
            limits=limits or Limits(),
            output_schema=output_schema,
            keep_open=keep_open,
        ),
        id=request_id or f"test-{uuid.uuid4().hex[:12]}",
        task_queue=settings.worker.task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        execution_timeout=timedelta(seconds=60),
        result_type=Outcome,
    )


async def ask(
    client: Client,
    settings: Settings,
    text: str,
    *,
    approve: tuple[str, ...] = (),
    requester: str = "",
    limits: Limits | None = None,
) -> Outcome:
    handle = await start(client, settings, text, approve=approve, requester=requester, limits=limits)
    return await handle.result()


async def state(handle: Handle) -> RequestState:
    return await handle.query("state", result_type=RequestState)


async def until(handle: Handle, so: Callable[[RequestState], bool]) -> RequestState:
    """The first state in which something is so."""
    async with asyncio.timeout(20):
        while not so(now := await state(handle)):
            await asyncio.sleep(0.05)
    return now


async def until_it_waits(handle: Handle) -> PendingApproval:
    """The call that waits for approval, as soon as one does."""
    return (await until(handle, lambda now: bool(now.awaiting_approval))).awaiting_approval[0]


async def why_it_is_tried_again(handle: Handle) -> str:
    """What Temporal's UI shows of the activity that is pending: why its last attempt has failed."""
    async with asyncio.timeout(20):
        while True:
            description = await handle.describe()
            for pending in description.raw_description.pending_activities:
                if pending.HasField("last_failure"):
                    return pending.last_failure.message
            await asyncio.sleep(0.05)


async def answer(handle: Handle, verdict: Approve | Reject) -> None:
    """Say yes or no to a call, as any caller does: by an Update."""
    name = "approve" if isinstance(verdict, Approve) else "reject"
    await handle.execute_update(name, verdict)  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open


def last_told(model: ScriptedModel) -> list[tuple[str, str]]:
    """(tool, text) of the tool messages at the end of the last conversation that the model was given."""
    messages = cast("list[dict[str, str]]", model.asked[-1]["messages"])
    last_of_others = max(index for index, each in enumerate(messages) if each["role"] != "tool")
    return [(each["name"], each["content"]) for each in messages[last_of_others + 1 :]]


async def reset_to_its_beginning(client: Client, handle: Handle) -> str:
    """Let Temporal run a request again from its first decision, as an operator may; returns the new run's id."""
    reply = await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=handle.run_id or ""),
            reason="a test",
            workflow_task_finish_event_id=4,
            request_id=uuid.uuid4().hex,
        )
    )
    return reply.run_id


async def outcome_after_reset(client: Client, handle: Handle) -> Outcome:
    """Of the run in which Temporal does it all again."""
    run_id = await reset_to_its_beginning(client, handle)
    return await client.get_workflow_handle(handle.id, run_id=run_id, result_type=Outcome).result()
