"""Schedules: requests that start at set times."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.config import JsonDict

from deploy.client import schedules
from deploy.client.keys import Right
from deploy.client.schedule_runs import backfill_schedule, run_schedule_now
from deploy.client.schedules import LONGEST_ID, NoSchedule, Scheduled, ScheduleState, find_schedules
from deploy.client.timetables import Preview, Timetable, preview
from deploy.web import examples
from deploy.web.callers import Caller
from deploy.web.door import (
    ALWAYS,
    OF_ONE,
    WITH_BODY,
    Door,
    Reader,
    StrictRoute,
    Submitter,
    TheDoor,
    answer,
    forbidden,
    in_time,
)
from deploy.web.idempotency import A_CALL, NO, NOT_BLANK, NOTHING, must_be_own_id
from deploy.web.moments import Moment
from deploy.web.problems import Kind, Problem, documented
from deploy.web.requests import as_asked_by
from workflows.contract.api import Request
from workflows.contract.messages import Input
from workflows.refusals import problem_with_id

router = APIRouter(tags=["schedules"], route_class=StrictRoute)


ENDS_BY_ITSELF: JsonDict = {"keep_open": NO}


class EachRequest(Request):
    """What is started at each time."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": A_CALL,
            "then": {"properties": {"output_schema": NOTHING, **ENDS_BY_ITSELF}},
            "else": {"required": ["text"], "properties": {"text": NOT_BLANK, **ENDS_BY_ITSELF}},
        }
    )


class NewSchedule(Input):
    """A schedule. The same again, under the same id, is the same one."""

    schedule_id: str = Field(json_schema_extra={"pattern": rf"^[A-Za-z0-9][A-Za-z0-9._~:@+=-]{{0,{LONGEST_ID - 1}}}$"})
    timetable: Timetable
    request: EachRequest

    @field_validator("schedule_id")
    @classmethod
    def _can_be_one(cls, given: str) -> str:
        if problem := problem_with_id(given, "the id", LONGEST_ID):
            raise ValueError(problem)
        return given


class Note(Input):
    note: str = Field(default="", max_length=1000, description="why; the schedule shows it")


NO_NOTE = Note()


class Period(Input):
    """Times that have passed, both ends included."""

    start: Moment = Field(examples=["2026-01-31T08:00:00Z"])
    end: Moment = Field(examples=["2026-01-31T08:00:00Z"])


class Schedules(BaseModel):
    """By their ids."""

    model_config = ConfigDict(frozen=True)

    schedules: list[Scheduled]


class RunNow(BaseModel):
    """The request that was started."""

    model_config = ConfigDict(frozen=True)

    request_id: str | None = Field(
        description="null where none was: the run before still runs, or was started in this very second"
    )


class MadeUpFor(BaseModel):
    """The requests of times that had none, in order; each starts when the one before has ended."""

    model_config = ConfigDict(frozen=True)

    request_ids: tuple[str, ...]


ScheduleId = Annotated[str, Path(description="of the schedule", examples=["daily"])]


async def seen_schedule(schedule_id: str, caller: Caller, door: Door) -> ScheduleState:
    """Where a schedule stands.

    Raises:
        Problem: there is none, or none that this caller may know of.
    """
    if problem_with_id(schedule_id):
        raise _no_such_schedule(schedule_id[:200])
    try:
        known = await in_time(schedules.describe_schedule(door.client, schedule_id))
    except NoSchedule:
        raise _no_such_schedule(schedule_id) from None
    if known.requester != caller.name and not caller.sees_all:
        raise _no_such_schedule(schedule_id)
    return known


async def own_schedule(schedule_id: ScheduleId, caller: Submitter, door: TheDoor) -> ScheduleState:
    """A schedule that the caller may change: their own, or with the right `admin` anybody's.

    Raises:
        Problem: it is somebody else's, or there is none.
    """
    known = await seen_schedule(schedule_id, caller, door)
    if known.requester != caller.name and not caller.may(Right.ADMIN):
        raise Problem(Kind.FORBIDDEN, f"{schedule_id} is not a schedule of {caller.name}: it takes the right admin")
    return known


OwnSchedule = Annotated[ScheduleState, Depends(own_schedule)]


@router.post(
    "/v1/schedules",
    status_code=201,
    response_model=ScheduleState,
    response_description="It was made",
    responses={
        200: {
            "model": ScheduleState,
            "description": "It was made before",
            "content": {"application/json": {"example": examples.SCHEDULE}},
        },
        201: {"content": {"application/json": {"example": examples.SCHEDULE}}},
        **documented(*ALWAYS, *WITH_BODY, Kind.TAKEN_ID),
    },
)
async def add_schedule(
    new: Annotated[NewSchedule, Body(openapi_examples=examples.NEW_SCHEDULES)], caller: Submitter, door: TheDoor
) -> Response:
    """Make a schedule that starts a request at set times. The same call again is the same schedule."""
    schedule, is_new = await made(new, caller, door)
    return answer(schedule, 201 if is_new else 200, Location=f"/v1/schedules/{new.schedule_id}")


async def made(new: NewSchedule, caller: Caller, door: Door) -> tuple[ScheduleState, bool]:
    """A schedule as this caller may make it, and whether it is a new one."""
    must_be_own_id("schedule_id", new.schedule_id, caller)
    request = as_asked_by(caller, new.request, door)
    queue = door.service.worker.task_queue
    making = schedules.make_schedule(door.client, new.timetable, request, schedule_id=new.schedule_id, task_queue=queue)
    return await in_time(making)


@router.post(
    "/v1/schedules/preview",
    response_model=Preview,
    responses={
        200: {"content": {"application/json": {"example": examples.PREVIEW}}},
        **documented(*ALWAYS, *WITH_BODY),
    },
)
async def preview_timetable(
    timetable: Annotated[Timetable, Body(openapi_examples=examples.TIMETABLES)], _: Submitter, door: TheDoor
) -> Response:
    """What a timetable comes to, before a schedule is made of it: its next times, and what clock changes do to it."""
    return answer(await in_time(preview(door.client, timetable)))


@router.get(
    "/v1/schedules",
    response_model=Schedules,
    responses={
        200: {"content": {"application/json": {"example": {"schedules": [examples.SCHEDULED]}}}},
        **documented(*ALWAYS),
    },
)
async def list_schedules(
    caller: Reader,
    door: TheDoor,
    requester: Annotated[str | None, Query(max_length=200, description="only those of this one")] = None,
) -> Response:
    """List schedules: everybody's, or with the right `read` alone one's own."""
    if not caller.sees_all:
        if requester not in (None, caller.name):
            raise forbidden(caller, Right.READ_ALL)
        requester = caller.name
    return answer(Schedules(schedules=await in_time(find_schedules(door.client, requester=requester))))


@router.get(
    "/v1/schedules/{schedule_id}",
    response_model=ScheduleState,
    responses={200: {"content": {"application/json": {"example": examples.SCHEDULE}}}, **documented(*OF_ONE)},
)
async def get_schedule(schedule_id: ScheduleId, caller: Reader, door: TheDoor) -> Response:
    """Where a schedule stands, with its next times and its latest requests."""
    return answer(await seen_schedule(schedule_id, caller, door))


@router.post(
    "/v1/schedules/{schedule_id}/pause",
    status_code=204,
    response_class=Response,
    response_description="It starts nothing more",
    responses=documented(*OF_ONE, *WITH_BODY),
)
async def pause_schedule(
    known: OwnSchedule, door: TheDoor, note: Annotated[Note, Body(openapi_examples=examples.NOTES)] = NO_NOTE
) -> Response:
    """Start nothing more until it is resumed. What runs goes on."""
    await in_time(schedules.pause_schedule(door.client, known.schedule_id, note=note.note))
    return Response(status_code=204)


@router.post(
    "/v1/schedules/{schedule_id}/resume",
    status_code=204,
    response_class=Response,
    response_description="It goes on with the next time",
    responses=documented(*OF_ONE, *WITH_BODY),
)
async def resume_schedule(
    known: OwnSchedule, door: TheDoor, note: Annotated[Note, Body(openapi_examples=examples.NOTES)] = NO_NOTE
) -> Response:
    """Go on with the next time; those in between are not made up for."""
    await in_time(schedules.resume_schedule(door.client, known.schedule_id, note=note.note))
    return Response(status_code=204)


@router.post(
    "/v1/schedules/{schedule_id}/run",
    response_model=RunNow,
    responses={
        200: {"content": {"application/json": {"example": {"request_id": "daily-2026-01-31T08:00:00Z"}}}},
        **documented(*OF_ONE),
    },
)
async def run_schedule(known: OwnSchedule, door: TheDoor) -> Response:
    """Start one request at once, also where the schedule is paused."""
    return answer(RunNow(request_id=await run_schedule_now(door.client, known.schedule_id)))


@router.post(
    "/v1/schedules/{schedule_id}/backfill",
    response_model=MadeUpFor,
    responses={
        200: {"content": {"application/json": {"example": {"request_ids": ["daily-2026-01-31T08:00:00Z"]}}}},
        **documented(*OF_ONE, *WITH_BODY),
    },
)
async def backfill(
    known: OwnSchedule, door: TheDoor, period: Annotated[Period, Body(openapi_examples=examples.PERIODS)]
) -> Response:
    """Start the requests of times that have passed; not those that were started already."""
    if period.start > period.end:
        raise Problem(Kind.INVALID, "start: it lies after the end")
    ids = await in_time(backfill_schedule(door.client, known.schedule_id, period.start, period.end))
    return answer(MadeUpFor(request_ids=ids))


@router.delete(
    "/v1/schedules/{schedule_id}",
    status_code=204,
    response_class=Response,
    response_description="It is gone",
    responses=documented(*OF_ONE),
)
async def delete_schedule(known: OwnSchedule, door: TheDoor) -> Response:
    """Remove a schedule. Its requests stay, and one that runs goes on."""
    await in_time(schedules.delete_schedule(door.client, known.schedule_id))
    return Response(status_code=204)


def _no_such_schedule(schedule_id: str) -> Problem:
    return Problem(Kind.NOT_FOUND, f"there is no schedule {schedule_id}")
