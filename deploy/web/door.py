"""What every operation of the door works with, and what it asks for first: who calls, and whether they may."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from json import JSONDecodeError
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import Depends, Path, Query, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import NotFound
from activities.lenient_json import parse, require_numbers
from activities.settings import Settings
from deploy.client.keys import Right
from deploy.client.listing import Found, describe
from deploy.client.requests import PATIENCE
from deploy.web.callers import Caller, Callers
from deploy.web.desk.known import Known
from deploy.web.desk.sessions import Sessions
from deploy.web.event_stream import StreamLimit
from deploy.web.keys import Keys
from deploy.web.problems import Kind, Problem, no_such_request, of_the_door
from deploy.web.rate_limit import RateLimit
from deploy.web.settings import WebSettings
from workflows.contract.api import RequestStatus
from workflows.refusals import problem_with_id

if TYPE_CHECKING:
    from deploy.web.code_flow import CodeFlow

T = TypeVar("T")


@dataclass(frozen=True)
class Door:
    settings: WebSettings
    service: Settings
    client: Client
    callers: Callers
    limit: RateLimit
    streams: StreamLimit
    keys: Keys
    sessions: Sessions
    code_flow: "CodeFlow | None" = None
    """By which people sign in at the desk, where an issuer knows this door as its client."""
    known: Known = field(default_factory=Known)


def the_door(request: Request) -> Door:
    return request.app.state.door


TheDoor = Annotated[Door, Depends(the_door)]


async def the_caller(request: Request, door: TheDoor) -> Caller:
    """Who calls; one call more is counted.

    Raises:
        Problem: nobody knows, it was one call too many, or the URL has a parameter that there is not.
    """
    with of_the_door():
        caller = await door.callers.of(request)
    if wait := door.limit.take(caller.name):
        most = f"{caller.name} may make {door.settings.rate_limit} calls a minute (ERRAND_WEB_RATE_LIMIT)"
        raise Problem(Kind.TOO_MANY, most, again_in=wait)
    route = request.scope.get("route")
    # To pages of the desk a browser may add some.
    if request.query_params and isinstance(route, APIRoute) and route.path.startswith("/v1/"):
        _check_parameters(request, route)
    return caller


def _check_parameters(request: Request, route: APIRoute) -> None:
    """One that is misspelt would be passed over, and a list would have what was not asked for.

    Raises:
        Problem: the URL has a parameter that the operation has not.
    """
    known = sorted({*_named_by(route.dependant)})
    if unknown := [each for each in request.query_params if each not in known]:
        there = f"there are {', '.join(known)}" if known else "this takes none"
        raise Problem(Kind.INVALID, f"{unknown[0][:100]}: there is no such parameter; {there}")


def _named_by(dependant: Dependant) -> Iterator[str]:
    """The parameters of an operation."""
    yield from (each.alias for each in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _named_by(inner)


AnyCaller = Annotated[Caller, Depends(the_caller)]


def who_may(*rights: Right) -> Callable[[Caller], Caller]:
    """A caller with one of these rights."""

    def caller(caller: AnyCaller) -> Caller:
        if not any(map(caller.may, rights)):
            raise forbidden(caller, *rights)
        return caller

    return caller


def forbidden(caller: Caller, *rights: Right) -> Problem:
    return Problem(Kind.FORBIDDEN, f"{caller.name} may not do this: it takes the right {' or '.join(rights)}")


Reader = Annotated[Caller, Depends(who_may(Right.READ, Right.READ_ALL))]
Submitter = Annotated[Caller, Depends(who_may(Right.SUBMIT))]
Approver = Annotated[Caller, Depends(who_may(Right.APPROVE))]
Resolver = Annotated[Caller, Depends(who_may(Right.RESOLVE))]

RequestId = Annotated[str, Path(description="of the request", examples=["invoice-4711"])]


async def seen(request_id: str, caller: Caller, door: Door) -> Found:
    """A request, as Temporal knows it.

    Raises:
        Problem: there is none, or none that this caller may know of.
    """
    if problem_with_id(request_id):
        raise no_such_request(request_id[:200])
    try:
        found = await in_time(describe(door.client, request_id))
    except (NotFound, RPCError) as error:
        if isinstance(error, RPCError) and error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise no_such_request(request_id) from None
    if found.requester != caller.name and not caller.sees_all:
        raise no_such_request(request_id)
    return found


async def read_request(request_id: RequestId, caller: Reader, door: TheDoor) -> Found:
    return await seen(request_id, caller, door)


async def still_reads(request: Request, found: Found, door: Door) -> bool:
    """Whether a stream may go on: since it began, the key of its reader may have been removed."""
    try:
        caller = await door.callers.of(request)
    except Problem:
        return False
    return caller.sees_all or (caller.may(Right.READ) and caller.name == found.requester)


async def decided_request(request_id: RequestId, caller: Approver, door: TheDoor) -> Found:
    return await seen(request_id, caller, door)


async def own_request(request_id: RequestId, caller: Submitter, door: TheDoor) -> Found:
    """A request that the caller may have to do with: their own, or with the right `admin` anybody's.

    Raises:
        Problem: it is somebody else's, or there is none.
    """
    found = await seen(request_id, caller, door)
    if found.requester != caller.name and not caller.may(Right.ADMIN):
        raise Problem(Kind.FORBIDDEN, f"{request_id} is not a request of {caller.name}: it takes the right admin")
    return found


ToRead = Annotated[Found, Depends(read_request)]
ToDecide = Annotated[Found, Depends(decided_request)]
Own = Annotated[Found, Depends(own_request)]


def answer(message: BaseModel, status: int = 200, **headers: str) -> Response:
    """A message as the body, times in RFC 3339."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(message.model_dump_json(), status, named, "application/json")


async def in_time(answer: Awaitable[T]) -> T:
    """What Temporal or a worker answers within five seconds.

    Raises:
        TimeoutError: it did not.
    """
    async with asyncio.timeout(PATIENCE.total_seconds()):
        return await answer


LONGEST_WAIT = 60
"""Seconds: what stands between a caller and the door may drop what is silent for longer."""

ALWAYS = (Kind.NOT_AUTHENTICATED, Kind.FORBIDDEN, Kind.INVALID, Kind.TOO_MANY, Kind.UNAVAILABLE)
OF_ONE = (*ALWAYS, Kind.NOT_FOUND)
WITH_BODY = (Kind.UNREADABLE, Kind.TOO_LARGE, Kind.NOT_JSON)
"""What operations may answer with."""

UNLISTED = "Temporal is not told who asks, so nobody's own requests can be listed, unless ERRAND_SHOW_REQUESTER is true"
"""Where payloads are encrypted."""

Wait = Annotated[
    float, Query(ge=0, le=LONGEST_WAIT, description="seconds to wait for it", examples=[30], allow_inf_nan=False)
]


class Running(BaseModel):
    """What is waited for is not there yet; the same call again waits on."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    status: RequestStatus = RequestStatus.RUNNING
    message_id: str | None = Field(default=None, description="of a message: the same again is the same message")


def own_word(field: str, said: str | None, caller: Caller) -> None:
    """Refuse a body that speaks for somebody else.

    Raises:
        Problem: it does.
    """
    if said and said != caller.name:
        raise Problem(Kind.FORBIDDEN, f"{field}: {caller.name} calls, and speaks for nobody else; leave it out")


class _StrictlyRead(Request):
    async def json(self) -> object:
        try:
            from_json(await self.body(), allow_inf_nan=False)
            text = (await self.body()).decode()
            require_numbers(text)
            return parse(text)
        except ValueError as error:
            # The one error of which FastAPI passes on what it says.
            raise JSONDecodeError(str(error), "", 0) from error


class StrictRoute(APIRoute):
    """Reads bodies that mean one thing: no name twice, no NaN, nothing that is nested without end."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(_StrictlyRead(request.scope, request.receive))

        return strict
