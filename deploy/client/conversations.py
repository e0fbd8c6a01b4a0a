"""Requests that are kept open, as a program has to do with them: say something, and get the answer."""

import asyncio
import uuid
from typing import Any

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import ConfigurationError, NotOpen
from deploy.client.requests import PATIENCE, RequestHandle, handle_of, id_or_new
from workflows.contract.api import REQUEST_WORKFLOW, TASK_QUEUE, Outcome, Request, Say
from workflows.markdown import code

PAUSE = 0.2
"""Seconds until a message is said again to a request that is about to go on in a new run."""


async def open_with(
    client: Client,
    request: Request,
    text: str,
    *,
    by: str = "",
    request_id: str | None = None,
    message_id: str | None = None,
    task_queue: str = TASK_QUEUE,
) -> Outcome:
    """Start a request that is kept open, and say the first message to it in one step; returns the message's outcome.

    Where the request is open already, the message is said to it.

    Raises:
        NotOpen: the request has ended.
        ConfigurationError: it can be no request's id.
    """
    request_id, message_id = id_or_new(request_id), message_id or str(uuid.uuid4())
    start: WithStartWorkflowOperation[Any, Outcome] = WithStartWorkflowOperation(
        REQUEST_WORKFLOW,
        request.model_copy(update={"keep_open": True}),
        id=request_id,
        task_queue=task_queue,
        static_summary=code(request.text or text) or None,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    # The SDK leaves the parameter of one overload of its Update functions untyped, here and below.
    first = client.execute_update_with_start_workflow(  # pyright: ignore[reportUnknownMemberType]
        "say", Say(text=text, by=by), start_workflow_operation=start, id=message_id, result_type=Outcome
    )
    try:
        return await first
    except WorkflowAlreadyStartedError as ended:
        raise NotOpen(f"{request_id} has ended") from ended
    except (WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        _again_or_raise(error)
    return await say(client, request_id, text, by=by, message_id=message_id)


async def say(
    client: Client, request_id: str, text: str, *, by: str = "", message_id: str | None = None, question: str = ""
) -> Outcome:
    """Answer the question of a request that waits: the one of this key, or the first. The outcome is `running` then.

    Where none waits, say a message to a request that is kept open, and wait for its outcome: for hours, if an approval
    takes them. The same `message_id` twice is one message.

    Raises:
        NotOpen: the question does not wait any more, the request takes no message, or this one was answered before and
            its outcome is not kept.
    """
    handle, message_id = handle_of(client, request_id), message_id or str(uuid.uuid4())
    while True:
        try:
            return await handle.execute_update(  # pyright: ignore[reportUnknownMemberType]
                "say", Say(text=text, by=by, question=question), id=message_id, result_type=Outcome
            )
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND and "already completed" in error.message:
                raise NotOpen(f"{request_id} has ended") from error
            raise
        except (WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
            _again_or_raise(error)
        await asyncio.sleep(PAUSE)


def _again_or_raise(error: WorkflowUpdateFailedError | WorkflowUpdateRPCTimeoutOrCancelledError) -> None:
    """Return where the same message is to be said again: a poll was too long, or the request goes on in a new run."""
    if isinstance(error, WorkflowUpdateRPCTimeoutOrCancelledError):
        task = asyncio.current_task()
        if task and task.cancelling():  # the SDK reports it as if the server had done it
            raise asyncio.CancelledError from error
        return
    cause = error.cause
    if not isinstance(cause, ApplicationError):
        raise error
    match cause.type:
        case "Moved" | "Busy":
            return
        case "NotOpen" | "NotWaiting" | "AnsweredBefore":
            raise NotOpen(cause.message) from error
        case "BadRequest":
            raise ConfigurationError(cause.message) from error
        case _:
            raise error


async def close(handle: RequestHandle) -> None:
    """Let a request that is kept open end, once everything that was said before is answered."""
    await handle.execute_update("close", rpc_timeout=PATIENCE)  # pyright: ignore[reportUnknownMemberType]
