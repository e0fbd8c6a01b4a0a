"""What people look at: the desk itself, one request, and both as they change.

A page changes by server-sent events, each of which is the whole of what changes: a browser that was away has lost
nothing when it connects again.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from uuid import uuid4

import structlog
from fastapi import APIRouter, Request, Response
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError

from activities.errors import ErrandError
from deploy.client.events import Event, event_of
from deploy.client.history_steps import follow_from
from deploy.client.keys import Right
from deploy.client.listing import Found, describe
from deploy.client.requests import handle_of, new_id, state
from deploy.web.callers import Caller
from deploy.web.desk.explaining import of_ended
from deploy.web.desk.overview import (
    Live,
    Settled,
    calls_of,
    differences,
    live,
    outcome,
    questions_of,
    settled,
    unknown_writes,
    whose,
)
from deploy.web.desk.pages import common, page, templates
from deploy.web.desk.planning import shown_plan
from deploy.web.door import AnyCaller, Door, TheDoor, ToRead, still_reads
from deploy.web.event_stream import EventStream
from deploy.web.events import PING, PING_EVERY, SETTLES_IN
from deploy.web.problems import Problem

LOOKS_EVERY = 1.5
"""Seconds between two looks at what waits and runs."""
AS_NEW = 0.9 * LOOKS_EVERY
"""Seconds for which one look serves all who see the same."""
ENDED_ANEW = 4.0
"""Seconds after which what has ended is looked at again, though nothing seems to have changed."""
MOST_STEPS = 200

log = structlog.stdlib.get_logger("errand")
router = APIRouter(include_in_schema=False)


@router.get("/")
async def get_desk(request: Request, caller: AnyCaller, door: TheDoor) -> Response:
    now, rest = await asyncio.gather(live(door, caller), settled(door, caller))
    known = {"now": now, "rest": rest, "new_id": new_id(), "differences": differences}
    return page("desk.html", door, request, caller, known)


@router.get("/desk/events")
async def get_desk_events(request: Request, caller: AnyCaller, door: TheDoor) -> Response:
    return EventStream(_overview(request, caller, door), caller.name, door.streams)


async def _overview(request: Request, caller: Caller, door: Door) -> AsyncGenerator[bytes]:
    last, silent = "", 0.0
    while True:
        try:
            now = await live(door, caller, age=AS_NEW)
            rest = await settled(door, caller, now, age=ENDED_ANEW)
            text = _fragment(request, caller, door, now, rest)
        except (ErrandError, RPCError, TemporalError, TimeoutError) as error:
            log.info("the desk could not be told anew", error=str(error))
            text = last
        if text != last:
            last, silent = text, 0.0
            yield _written(text)
        elif silent >= PING_EVERY:
            silent = 0.0
            yield PING
        await asyncio.sleep(LOOKS_EVERY)
        silent += LOOKS_EVERY
        try:
            caller = await door.callers.of(request)
        except Problem:  # whose key was removed is told nothing more
            return


def _fragment(request: Request, caller: Caller, door: Door, now: Live, rest: Settled) -> str:
    known = common(door, request, caller)
    return templates().get_template("overview.html").render(**known, now=now, rest=rest, differences=differences)


@router.get("/requests/{request_id}")
async def get_request(found: ToRead, request: Request, caller: AnyCaller, door: TheDoor) -> Response:
    known = await _of_request(door, caller, found, [])
    return page("request.html", door, request, caller, known | {"message_id": uuid4().hex})


async def _of_request(door: Door, caller: Caller, found: Found, events: list[Event]) -> dict[str, object]:
    """What the page of a request says."""
    now = await state(handle_of(door.client, found.request_id))
    own = caller.may(Right.SUBMIT) and (found.requester == caller.name or caller.may(Right.ADMIN))
    ended = await outcome(door, found) if found.closed_at else None
    why = await of_ended(door, caller, found)
    return {
        "found": found,
        "state": now,
        "own": own,
        "calls": await calls_of(door, caller, found, now),
        "questions": questions_of(caller, found, now),
        "outcome": ended,
        "plan": await shown_plan(door, caller, ended.plan, why, own=own) if ended and ended.plan else None,
        "unknown": await unknown_writes(door, whose(caller), found.request_id) if found.closed_at else [],
        "why": why,
        "events": events[-MOST_STEPS:],
        "differences": differences,
    }


@router.get("/requests/{request_id}/live")
async def get_request_events(found: ToRead, request: Request, caller: AnyCaller, door: TheDoor) -> Response:
    return EventStream(_request(request, caller, door, found), caller.name, door.streams)


async def _request(request: Request, caller: Caller, door: Door, found: Found) -> AsyncGenerator[bytes]:
    """The steps from the beginning, told again with each step: the same that `/v1/requests/{id}/events` tells."""
    events: list[Event] = []

    async def text() -> bytes:
        now = await describe(door.client, found.request_id)
        known = await _of_request(door, caller, now, events)
        template = templates().get_template("request_now.html")
        return _written(template.render(**common(door, request, caller), **known))

    async with aclosing(follow_from(door.client, found.request_id)) as told:
        following = aiter(told)
        coming = asyncio.ensure_future(anext(following, None))
        is_new = True
        try:
            while True:
                done, _ = await asyncio.wait([coming], timeout=SETTLES_IN if is_new else PING_EVERY)
                if not await still_reads(request, found, door):
                    return
                if not done:
                    yield await text() if is_new else PING
                    is_new = False
                    continue
                if (each := coming.result()) is None:
                    break
                events.append(event_of(each.step, each.at))
                is_new = True
                coming = asyncio.ensure_future(anext(following, None))
            yield await text()
        except (ErrandError, RPCError, TemporalError, TimeoutError) as error:
            log.info("the steps of a request broke off; its reader connects again", error=str(error))
            return
        finally:
            coming.cancel()
            with suppress(asyncio.CancelledError, RPCError, TemporalError):
                await coming
    while await still_reads(request, found, door):  # a stream that ends is asked for again
        yield PING
        await asyncio.sleep(PING_EVERY)


def _written(html: str) -> bytes:
    return "".join(f"data: {line}\n" for line in html.split("\n")).encode() + b"\n"
