"""Requests that are kept open, as a program has to do with them: say something, and get the answer."""

import asyncio
import uuid
from contextlib import aclosing
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.update.v1 import UpdateRef
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import ConfigurationError, NotOpen
from deploy.client.history_steps import follow
from deploy.client.queue import queue_or_set
from deploy.client.requests import PATIENCE, RequestHandle, handle_of, id_or_new
from deploy.client.steps import MessageCame
from workflows.contract.api import REQUEST_WORKFLOW, Outcome, Request, Say
from workflows.contract.progress import QueuedMessage
from workflows.markdown import code


class TakenMessage(ConfigurationError):
    """The message's id belongs to another message."""


PAUSE = 0.2
"""Seconds until a message is said again to a request that is about to go on in a new run."""
LONGEST_PAUSE = 2.0
"""Seconds, where it stays refused: while as many messages wait as may."""


async def open_with(
    client: Client,
    request: Request,
    text: str,
    *,
    by: str = "",
    request_id: str | None = None,
    message_id: str | None = None,
    task_queue: str | None = None,
) -> Outcome:
    """Start a request that is kept open, and say the first message to it in one step; returns the message's outcome.

    Where the request is open already, the message is said to it. `task_queue` is as for `submit`.

    Raises:
        NotOpen: the request has ended.
        ConfigurationError: it can be no request's id.
    """
    request_id, message_id = id_or_new(request_id), message_id or str(uuid.uuid4())
    start: WithStartWorkflowOperation[Any, Outcome] = WithStartWorkflowOperation(
        REQUEST_WORKFLOW,
        request.model_copy(update={"keep_open": True}),
        id=request_id,
        task_queue=queue_or_set(task_queue),
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
            raise _as_ended(error, request_id) from error
        except (WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
            _again_or_raise(error)
        await asyncio.sleep(PAUSE)


async def say_within(
    client: Client, request_id: str, text: str, *, by: str, message_id: str, seconds: float, question: str = ""
) -> Outcome | None:
    """Say a message, and wait so many seconds for its outcome; None where it was taken and is not answered yet.

    `question` is as for `say`. The same again waits for the same outcome.

    Raises:
        NotOpen, WorkflowUpdateFailedError: as `say`; and as many messages as may wait do, or the request is in between
            two runs, for all of `seconds` and at least five: `Busy`, `Moved`.
        TakenMessage: another was said under this id.
        TimeoutError: no worker has taken it in time; the same may be said again.
    """
    handle, clock = handle_of(client, request_id), asyncio.get_running_loop().time
    until = clock() + seconds
    given_up, pause = max(until, clock() + PATIENCE.total_seconds()), PAUSE
    if await _is_known(client, request_id, message_id):
        await _must_be_the_same(client, request_id, QueuedMessage(id=message_id, text=text, by=by))
    while True:
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                taken = await handle.start_update(  # pyright: ignore[reportUnknownMemberType]
                    "say",
                    Say(text=text, by=by, question=question),
                    id=message_id,
                    wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                    result_type=Outcome,
                )
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            raise TimeoutError from error
        except RPCError as error:
            raise _as_ended(error, request_id) from error
        try:
            async with asyncio.timeout(max(until - clock(), 0.05)):
                return await taken.result()
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            if clock() >= until:
                return None
        except WorkflowUpdateFailedError as error:  # also where it was not taken
            _again_or_raise(error)
            if clock() >= given_up:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


async def _is_known(client: Client, request_id: str, message_id: str) -> bool:
    """Whether something was said to the latest run under this id."""
    meant = UpdateRef(workflow_execution=WorkflowExecution(workflow_id=request_id), update_id=message_id)
    asked = PollWorkflowExecutionUpdateRequest(namespace=client.namespace, update_ref=meant)
    try:
        await client.workflow_service.poll_workflow_execution_update(asked, timeout=PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


async def _must_be_the_same(client: Client, request_id: str, message: QueuedMessage) -> None:
    """Temporal compares no more than the id, and answers with what it knows."""
    async with aclosing(follow(client, request_id, to_the_end=False)) as steps:
        async for step in steps:
            match step:
                case MessageCame(known) if known.id == message.id and known != message:
                    raise TakenMessage(f"{message.id} is the id of another message to {request_id}; use another id")
                case _:
                    pass


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


def _as_ended(error: RPCError, request_id: str) -> RPCError | NotOpen:
    is_over = error.status is RPCStatusCode.NOT_FOUND and "already completed" in error.message
    return NotOpen(f"{request_id} has ended") if is_over else error


async def close(handle: RequestHandle) -> None:
    """Let a request that is kept open end, once everything that was said before is answered."""
    await handle.execute_update("close", rpc_timeout=PATIENCE)  # pyright: ignore[reportUnknownMemberType]
