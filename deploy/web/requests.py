"""Requests: start one, see one or many, wait for its outcome."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from temporalio.service import RPCError, RPCStatusCode

from activities.callbacks.endpoint_file import problem_before_start
from deploy.client.keys import Right
from deploy.client.listing import Found, find_page
from deploy.client.requests import RequestHandle, TakenId, handle_of, outcome_or_account, start
from deploy.client.traced_approvals import TracedState, traced_state
from deploy.web import examples
from deploy.web.callers import Caller
from deploy.web.cursors import cursor_of, page_of
from deploy.web.door import (
    ALWAYS,
    LONGEST_WAIT,
    OF_ONE,
    UNLISTED,
    WITH_BODY,
    Door,
    Reader,
    Running,
    StrictRoute,
    Submitter,
    TheDoor,
    ToRead,
    Wait,
    answer,
    forbidden,
    in_time,
    own_word,
)
from deploy.web.idempotency import IdempotencyKey, Submission, request_id_of, taken_problem
from deploy.web.problems import Kind, Problem, documented, of_the_door
from workflows.contract.api import Outcome, Request, RequestStatus

router = APIRouter(tags=["requests"], route_class=StrictRoute)


class Started(BaseModel):
    """A request that was started, now or before."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    requester: str


class Requests(BaseModel):
    """Requests, the latest first."""

    model_config = ConfigDict(frozen=True)

    requests: list[Found]
    next: str | None = Field(description="the cursor of the next page; null after the last")


class RequestView(TracedState):
    """Where a request stands, and whose it is."""

    requester: str
    text: str = Field(description="of the request, or its beginning")
    started_at: examples.Time
    closed_at: examples.Time | None
    keep_open: bool = Field(description="it takes messages")


@router.post(
    "/v1/requests",
    status_code=201,
    response_model=Started,
    response_description="It was started",
    responses={
        200: {
            "model": Started,
            "description": "It was started before",
            "content": {"application/json": {"example": examples.STARTED}},
        },
        201: {"content": {"application/json": {"example": examples.STARTED}}},
        **documented(*ALWAYS, *WITH_BODY, Kind.NO_KEY, Kind.TAKEN_ID, Kind.KEY_REUSED),
    },
)
async def submit(
    submission: Annotated[Submission, Body(openapi_examples=examples.SUBMISSIONS)],
    caller: Submitter,
    door: TheDoor,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Start a request. The same call again, under the same key or id, is the same request."""
    request_id = request_id_of(submission, idempotency_key, caller)
    handle, is_new = await started(submission, request_id, caller, door, idempotency_key)
    return told_started(handle, caller, is_new=is_new)


async def started(
    asked: Request, request_id: str, caller: Caller, door: Door, key: str | None = None
) -> tuple[RequestHandle, bool]:
    """Start a request of the caller's, or join it; and whether it is a new one.

    Args:
        key: the one that the call came with, where the id is made of it.

    Raises:
        Problem: what `as_asked_by` raises, or the id belongs to something else.
    """
    request, queue = as_asked_by(caller, asked, door), door.service.worker.task_queue
    try:
        return await in_time(start(door.client, request, request_id=request_id, task_queue=queue))
    except TakenId as taken:
        raise taken_problem(taken, key) from taken


def told_started(handle: RequestHandle, caller: Caller, *, is_new: bool) -> Response:
    """The answer to who has started a request, or joined it."""
    told = Started(request_id=handle.id, requester=caller.name)
    return answer(told, 201 if is_new else 200, Location=f"/v1/requests/{handle.id}")


@router.get(
    "/v1/requests",
    response_model=Requests,
    responses={
        200: {"content": {"application/json": {"example": examples.LISTED}}},
        **documented(*ALWAYS, Kind.NOT_FOUND),
    },
)
async def list_requests(
    caller: Reader,
    door: TheDoor,
    status: Annotated[RequestStatus | None, Query(description="only those with this status")] = None,
    awaiting_approval: Annotated[bool, Query(description="only those of which a call waits")] = False,
    awaiting_answer: Annotated[bool, Query(description="only those of which a question waits")] = False,
    requester: Annotated[str | None, Query(max_length=200, description="only those asked by this one")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="how many at most")] = 20,
    cursor: Annotated[str | None, Query(max_length=2000, description="the `next` of the page before")] = None,
) -> Response:
    """List requests, the latest first: everybody's, or with the right `read` alone one's own."""
    if not caller.sees_all:
        if requester not in (None, caller.name):
            raise forbidden(caller, Right.READ_ALL)
        requester = caller.name
    if requester is not None and door.service.encryption.hides_requester:
        raise Problem(Kind.UNAVAILABLE, f"requester: {UNLISTED}")
    try:
        page = await in_time(
            find_page(
                door.client,
                status=status,
                awaiting_approval=awaiting_approval,
                awaiting_answer=awaiting_answer,
                requester=requester,
                limit=limit,
                after=_page(cursor),
            )
        )
    except RPCError as error:
        if cursor and error.status is RPCStatusCode.INVALID_ARGUMENT:
            raise _no_such_page() from error
        raise
    return answer(Requests(requests=page.found, next=cursor_of(page.next) if page.next else None))


@router.get(
    "/v1/requests/{request_id}",
    response_model=RequestView,
    responses={200: {"content": {"application/json": {"example": examples.VIEW}}}, **documented(*OF_ONE)},
)
async def get_request(found: ToRead, door: TheDoor) -> Response:
    """Where a request stands, with the calls that wait for approval and the receipts of those that have ended."""
    now = await traced_state(door.client, handle_of(door.client, found.request_id))
    view = RequestView(
        **dict(now),
        requester=found.requester,
        text=found.summary,
        started_at=found.started_at,
        closed_at=found.closed_at,
        keep_open=found.keep_open,
    )
    return answer(view)


@router.get(
    "/v1/requests/{request_id}/outcome",
    response_model=Outcome,
    responses={
        200: {"content": {"application/json": {"example": examples.OUTCOME}}},
        202: {
            "model": Running,
            "description": "It goes on",
            "content": {"application/json": {"example": examples.RUNNING}},
        },
        **documented(*OF_ONE),
    },
)
async def get_outcome(found: ToRead, door: TheDoor, wait: Wait = 0) -> Response:
    """What became of a request. While it runs, the answer is 202 after `wait` seconds; ask again."""
    patience = wait if found.closed_at is None else LONGEST_WAIT
    try:
        async with asyncio.timeout(patience):
            return answer(await outcome_or_account(handle_of(door.client, found.request_id)))
    except TimeoutError:
        return answer(Running(request_id=found.request_id), 202)


def as_asked_by(caller: Caller, asked: Request, door: Door) -> Request:
    """The request, with the caller as its requester.

    Raises:
        Problem: it speaks for somebody else, approves what the caller may not, or names an endpoint that there is not.
    """
    own_word("requester", asked.requester, caller)
    if asked.carried is not None:
        raise Problem(Kind.INVALID, "carried: only the workflow itself may set it")
    if asked.apply is not None:
        raise Problem(Kind.INVALID, "apply: it is the call POST /v1/requests/{request_id}/apply")
    if asked.approve and not caller.may(Right.APPROVE):
        raise Problem(Kind.FORBIDDEN, f"approve: {caller.name} may not approve tools: it takes the right approve")
    with of_the_door():
        problem = problem_before_start(asked.notify, caller.name, door.service.notification.callbacks)
    if problem:
        raise Problem(Kind.INVALID, f"notify: {problem}")
    fields = asked.model_dump(include={*Request.model_fields})
    return Request.model_validate(fields | {"requester": caller.name})


def _page(cursor: str | None) -> bytes | None:
    try:
        return page_of(cursor) if cursor else None
    except ValueError:
        raise _no_such_page() from None


def _no_such_page() -> Problem:
    return Problem(Kind.NOT_FOUND, "cursor: it is not one that was given as `next`")
