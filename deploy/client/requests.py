"""Requests, as a program has to do with them: start one, say more to it, decide about its calls, wait for its end."""

import asyncio
import base64
import secrets
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeAlias, TypeVar, cast

from pydantic import BaseModel
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import ConfigurationError, ErrandError, Unreachable
from deploy.client.endings import crash_of
from deploy.client.payloads import Payloads
from deploy.client.queue import queue_or_set
from workflows.contract.api import (
    INTERNAL_FIELDS,
    REQUEST_WORKFLOW,
    Approve,
    Outcome,
    PendingApproval,
    Reject,
    Request,
    RequestState,
    RequestStatus,
)
from workflows.contract.approvals import VERDICT_ID
from workflows.contract.messages import Input
from workflows.contract.values import Arguments, sha256
from workflows.markdown import code
from workflows.refusals import problem_with_id

RequestHandle: TypeAlias = WorkflowHandle[Any, Outcome]
Output = TypeVar("Output", bound=BaseModel)

PATIENCE = timedelta(seconds=5)
"""How long a command waits for Temporal, or for a worker behind it, before it says that nobody answers."""


class TakenId(ConfigurationError):
    """The id belongs to something else: to a request that differs in `fields`, or to no request at all."""

    def __init__(self, request_id: str, fields: Sequence[str]) -> None:
        super().__init__(taken_id(request_id, fields))
        self.request_id = request_id
        self.fields = fields


def taken_id(request_id: str, fields: Sequence[str]) -> str:
    what = f"a request with another {', another '.join(sorted(fields))}" if fields else "something that is no request"
    return f"{request_id} is taken by {what}; use another id"


async def submit(
    client: Client,
    request: Request,
    output: type[BaseModel] | None = None,
    *,
    request_id: str | None = None,
    task_queue: str | None = None,
) -> RequestHandle:
    """Start a request, or join the same one that was started before with the same id.

    With `output`, the outcome's output has this form; `output_of` reads it. Without `task_queue`, the workers are met
    on that of ERRAND_TASK_QUEUE, else `errand`.

    Raises:
        TakenId: the id belongs to something else.
        ConfigurationError: it can be no request's id.
    """
    handle, _ = await start(client, with_output(request, output), request_id=request_id, task_queue=task_queue)
    return handle


async def start(
    client: Client, request: Request, *, request_id: str | None = None, task_queue: str | None = None
) -> tuple[RequestHandle, bool]:
    """What `submit` does, and whether the request is a new one.

    Raises:
        TakenId: the id belongs to something else.
        ConfigurationError: it can be no request's id.
    """
    request_id = id_or_new(request_id)
    handle = handle_of(client, request_id)
    try:
        await client.start_workflow(
            REQUEST_WORKFLOW,
            request,
            id=request_id,
            task_queue=queue_or_set(task_queue),
            static_summary=code(request.title) or None,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
    except WorkflowAlreadyStartedError as taken:
        known = await request_of(client, handle)
        if known is None:
            raise TakenId(request_id, ()) from taken
        if different := tuple(_differences(_in_order(known), _in_order(request))):
            raise TakenId(request_id, different) from taken
        return handle, False
    return handle, True


def same_request(one: Request, other: Request) -> bool:
    return not any(_differences(_in_order(one), _in_order(other)))


def _differences(one: Input, other: Input, within: str = "") -> Iterator[str]:
    """The fields in which two requests differ, by their path."""
    for name in type(one).model_fields.keys() - INTERNAL_FIELDS:
        mine, theirs = getattr(one, name), getattr(other, name)
        if isinstance(mine, Input) and isinstance(theirs, Input):
            yield from _differences(mine, theirs, f"{name}.")
        elif not _is_same(mine, theirs):
            yield within + name


def _is_same(mine: object, theirs: object) -> bool:
    """Whether both are the same JSON: to Python, true is 1."""
    match mine, theirs:
        case dict(), dict():
            one, other = cast("Arguments", mine), cast("Arguments", theirs)
            return one.keys() == other.keys() and all(_is_same(one[name], other[name]) for name in one)
        case list(), list():
            pairs = zip(cast("list[object]", mine), cast("list[object]", theirs), strict=False)
            return mine == theirs and all(_is_same(*pair) for pair in pairs)
        case _:
            return mine == theirs and isinstance(mine, bool) == isinstance(theirs, bool)


def _in_order(request: Request) -> Request:
    """The same tools in another order are the same approval."""
    return request.model_copy(update={"approve": tuple(sorted(set(request.approve)))})


def with_output(request: Request, output: type[BaseModel] | None) -> Request:
    """The request, with the schema of `output` if it is given."""
    return request if output is None else request.model_copy(update={"output_schema": output.model_json_schema()})


def output_of(outcome: Outcome, output: type[Output]) -> Output:
    """The outcome's output, as it was asked for.

    Raises:
        ErrandError: there is none, because the request has ended otherwise.
    """
    if outcome.output is None:
        raise ErrandError(f"{outcome.request_id} has no output; it is {outcome.status}: {outcome.summary}")
    return output.model_validate(outcome.output)


def id_or_new(request_id: str | None) -> str:
    """The given id of a request, or a new one.

    Raises:
        ConfigurationError: it can be no request's id.
    """
    if request_id is None:
        return new_id()
    if problem := problem_with_id(request_id):
        raise ConfigurationError(problem)
    return request_id


def new_id() -> str:
    return f"errand-{base64.b32encode(secrets.token_bytes(5)).decode().lower()}"


def handle_of(client: Client, request_id: str) -> RequestHandle:
    """A request that was started before, by anybody."""
    return client.get_workflow_handle(request_id, result_type=Outcome)


async def outcome(handle: RequestHandle) -> Outcome:
    """Wait until a request has ended."""
    return await handle.result()


async def outcome_or_account(handle: RequestHandle, *, patience: timedelta = PATIENCE) -> Outcome:
    """Wait until a request has ended. For one that Temporal has ended, which gives no outcome itself, what is known is
    put into one: a worker knows the receipts, and is waited for only so long."""
    try:
        return await handle.result()
    except WorkflowFailureError:
        end = await state(handle, patience=patience)
        return Outcome(
            request_id=handle.id, status=end.status, summary=end.doing, receipts=end.receipts, usage=end.usage
        )


async def request_of(client: Client, handle: RequestHandle) -> Request | None:
    """The request as it was started; None where it is none.

    Raises:
        CannotDecrypt: it is encrypted, and the key is not here.
    """
    async for event in handle.fetch_history_events(page_size=1):
        payloads = event.workflow_execution_started_event_attributes.input.payloads
        return await Payloads(client.data_converter).read(payloads, Request)
    return None


# --- while it runs -------------------------------------------------------------------------------------------------


async def state(handle: RequestHandle, *, patience: timedelta = PATIENCE) -> RequestState:
    """Where a request stands, with the calls that wait for approval. Of a request that is over, its end: also of one
    that Temporal has ended, which the workflow itself knows nothing of.

    Raises:
        Unreachable: the request goes on, and no worker answers.
    """
    try:
        async with asyncio.timeout(patience.total_seconds()):
            now = await handle.query("state", result_type=RequestState)
    except WorkflowQueryRejectedError:
        # Temporal asks no worker about a run that an operator has paused.
        paused = "paused by an operator; `temporal workflow unpause` lets it go on"
        return RequestState(request_id=handle.id, status=RequestStatus.RUNNING, turn=0, doing=paused)
    except (RPCError, TimeoutError, WorkflowQueryFailedError) as error:
        if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
            raise
        if await _is_over(handle):
            return await _end(handle, None)
        if isinstance(error, WorkflowQueryFailedError):
            raise
        where = "on its task queue, and of the version that it is pinned to, if it is"
        raise Unreachable(f"no worker answers for {handle.id}: is one running {where}?") from error
    return await _end(handle, now) if now.status is RequestStatus.RUNNING and await _is_over(handle) else now


async def _is_over(handle: RequestHandle) -> bool:
    return (await handle.describe()).close_time is not None


async def _end(handle: RequestHandle, last: RequestState | None) -> RequestState:
    """The state of a request that is over; `last` is what it was at the last moment that the workflow knows of."""
    last = last or RequestState(request_id=handle.id, status=RequestStatus.RUNNING, turn=0, doing="")
    news: dict[str, object] = {"awaiting_approval": (), "awaiting_answer": (), "running": (), "messages_waiting": 0}
    try:
        ended = await handle.result()
        news |= {"status": ended.status, "doing": f"{ended.status}: {ended.summary}"}
        news |= {"receipts": ended.receipts, "usage": ended.usage}
    except WorkflowFailureError as failure:
        crash = crash_of(failure)
        news["status"] = RequestStatus.CANCELLED if crash.how == "cancelled" else RequestStatus.FAILED
        lost = f" (under way then, so it may have happened: {', '.join(last.running)})" if last.running else ""
        news["doing"] = f"{crash.how}: {crash.error}{lost}"
    return last.model_copy(update=news)


async def approve(
    handle: RequestHandle, pending: PendingApproval, *, by: str, arguments: Arguments | None = None
) -> PendingApproval | None:
    """Say yes to one call exactly as it was shown, or to it with other arguments.

    Returns:
        The call as it waits now, with the reason, where these arguments need a second yes; nothing has run then.
    """
    return await decide(handle, Approve(key=pending.key, digest=pending.digest, by=by, arguments=arguments))


async def reject(handle: RequestHandle, pending: PendingApproval, *, by: str, reason: str) -> None:
    """Say no to one call; the model is told the reason."""
    await decide(handle, Reject(key=pending.key, digest=pending.digest, by=by, reason=reason))


async def decide(handle: RequestHandle, verdict: Approve | Reject) -> PendingApproval | None:
    """A person's word on one call; the same again, of the same person, is the same word.

    Returns:
        What `approve` does.
    """
    name = "approve" if isinstance(verdict, Approve) else "reject"
    edits = isinstance(verdict, Approve) and verdict.arguments is not None
    # An edit that was refused may be right later, so each is looked at anew.
    update_id = str(uuid.uuid4()) if edits else VERDICT_ID + sha256([name, verdict.model_dump(mode="json")])[:32]
    return await handle.execute_update(  # pyright: ignore[reportUnknownMemberType]
        name, verdict, id=update_id, rpc_timeout=PATIENCE, result_type=PendingApproval
    )
