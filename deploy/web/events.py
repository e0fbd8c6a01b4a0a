"""The steps of a request as they happen, as server-sent events (WHATWG HTML, section 9.2).

The first event of every connection is `state`, which says all there is to know; so it does again whenever a call has
started or stopped waiting for approval. It has no id. Every other has the id of its step, and `Last-Event-ID` goes on
behind it. A stream that is closed ends nothing but itself.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel
from starlette.responses import StreamingResponse
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import Unreachable
from deploy.client.events import EventType, event_of
from deploy.client.history_steps import Place, Told, follow_from
from deploy.client.listing import Found
from deploy.client.requests import handle_of, state
from deploy.web import examples
from deploy.web.door import OF_ONE, Door, TheDoor, ToRead, still_reads
from deploy.web.problems import documented
from workflows.contract.api import RequestState, RequestStatus

PING_EVERY = 15.0
"""Seconds of silence after which something is said: proxies drop what is silent for a minute."""
SETTLES_IN = 0.2
"""Seconds without news after which the state is told anew, where it has changed."""
TELLS_ANEW = (EventType.WAITING, EventType.WAITING_FOR_ANSWER, EventType.GOING_ON, EventType.ASKED_AGAIN)
"""After which the state is told again."""
ONE_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"type": "string", "enum": ["state", *EventType]},
        "id": {"type": "string"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {
                "anyOf": [{"$ref": "#/components/schemas/RequestState"}, {"$ref": "#/components/schemas/Event"}]
            },
        },
    },
}
"""What the document says of each event of a stream."""
PING = b": ping\n\n"

log = structlog.stdlib.get_logger("errand")
router = APIRouter(tags=["requests"])


@router.get(
    "/v1/requests/{request_id}/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The steps, until the request has ended",
            "content": {"text/event-stream": {"schema": ONE_EVENT, "example": examples.EVENTS}},
        },
        204: {"description": "All steps up to the end were told before; do not connect again"},
        **documented(*OF_ONE),
    },
)
async def get_events(
    found: ToRead,
    request: Request,
    door: TheDoor,
    last_event_id: Annotated[
        str | None, Header(max_length=200, description="the id of the event behind which to go on")
    ] = None,
) -> Response:
    """A request's steps from its beginning, or from behind `Last-Event-ID`, as they happen."""
    after = Place.parse(last_event_id) if last_event_id else None
    if after and found.closed_at and await _is_told(door, found.request_id, after):
        return Response(status_code=204)
    # nginx and others collect what is streamed, unless they are told not to.
    return StreamingResponse(
        _stream(request, door, found, after), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _is_told(door: Door, request_id: str, after: Place) -> bool:
    """Whether there is nothing behind this place, in a request that has ended."""
    async with aclosing(_behind(door, request_id, after)) as told:
        async for _ in told:
            return False
    return True


async def _behind(door: Door, request_id: str, after: Place | None) -> AsyncGenerator[Told]:
    """The steps behind a place; from the beginning where there is no such run any more."""
    try:
        async with aclosing(follow_from(door.client, request_id, after)) as told:
            async for each in told:
                yield each
    except RPCError as error:
        if after is None or error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
            raise
        async with aclosing(follow_from(door.client, request_id)) as told:
            async for each in told:
                yield each


async def _stream(request: Request, door: Door, found: Found, after: Place | None) -> AsyncGenerator[bytes]:
    yield await _state(door, found)
    async with aclosing(_behind(door, found.request_id, after)) as told:
        coming, changed = _next(told), False
        try:
            while True:
                done, _ = await asyncio.wait([coming], timeout=SETTLES_IN if changed else PING_EVERY)
                if not await still_reads(request, found, door):
                    return
                if not done:
                    yield await _state(door, found) if changed else PING
                    changed = False
                    continue
                each = coming.result()
                if each is None:
                    return
                event = event_of(each.step, each.at)
                changed = changed or event.type in TELLS_ANEW
                yield _written(event.type, event, each.place)
                coming = _next(told)
        except (RPCError, TemporalError) as error:
            log.info("a stream of events broke off; its reader connects again", error=str(error))
        finally:
            coming.cancel()
            with suppress(asyncio.CancelledError, RPCError, TemporalError):
                await coming


def _next(told: AsyncIterator[Told]) -> "asyncio.Task[Told | None]":
    async def following() -> Told | None:
        return await anext(told, None)

    return asyncio.create_task(following())


async def _state(door: Door, found: Found) -> bytes:
    try:
        now = await state(handle_of(door.client, found.request_id))
    except (Unreachable, RPCError) as error:
        now = RequestState(request_id=found.request_id, status=RequestStatus.RUNNING, turn=0, doing=str(error))
    return _written("state", now)


def _written(name: str, message: BaseModel, place: Place | None = None) -> bytes:
    where = f"id: {place}\n" if place else ""
    return f"event: {name}\n{where}data: {message.model_dump_json()}\n\n".encode()
