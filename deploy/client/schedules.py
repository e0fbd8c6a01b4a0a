"""Requests that start at set times, as Temporal Schedules.

Each run is a request of its own. Its id is made of the schedule's and the time that it belongs to, as in
`daily-2027-01-04T07:00:00Z`, and so the keys of its writes say the time too.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecution,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleListDescription,
)
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import ConfigurationError
from deploy.client.payloads import Payloads
from deploy.client.queue import queue_or_set
from deploy.client.requests import new_id, same_request
from deploy.client.timetables import Preview, Timetable, look_ahead, preview
from workflows.contract.api import REQUEST_WORKFLOW, Request
from workflows.contract.messages import Message
from workflows.markdown import code, plain
from workflows.refusals import problem_with_id
from workflows.timeline import REQUESTER

MEMO = "errand"
"""Under which a schedule's memo says what Temporal would not keep."""
NO_NOTE = " "
"""In place of none, for which the SDK would put a note of its own."""
LONGEST_ID = 170
"""Characters; the time of a run comes behind it."""


class Scheduled(BaseModel):
    """One line of a list of schedules."""

    model_config = ConfigDict(frozen=True)

    schedule_id: str
    timetable: Timetable
    text: str = Field(description="of its requests, or its beginning; where they are a call, which")
    requester: str
    paused: bool
    note: str = Field(default="", description="why it is paused, or goes on")
    next_times: tuple[datetime, ...] = Field(description="in the timetable's zone")


class ScheduledRun(BaseModel):
    """A request that a schedule has started. `scheduled_at` is the time that it belongs to."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    scheduled_at: datetime
    started_at: datetime


class ScheduleState(Scheduled):
    """Where a schedule stands."""

    request: Request
    clock_changes: tuple[str, ...] = ()
    running: tuple[str, ...] = Field(default=(), description="the ids of its requests that run")
    latest: tuple[ScheduledRun, ...] = Field(default=(), description="the last ten of its requests, the latest first")
    started: int = Field(default=0, description="how many requests it has started")
    skipped: int = Field(default=0, description="times at which the run before was still running")
    missed: int = Field(default=0, description="times that nobody made up for, because the outage was too long")


class ScheduleMemo(Message):
    """What Temporal would not keep of a schedule, or not show in a list."""

    timetable: Timetable
    text: str
    requester: str = ""


class NoSchedule(ConfigurationError):
    """There is no schedule of this id."""


class TakenScheduleId(ConfigurationError):
    """The id belongs to another schedule."""


async def add_schedule(
    client: Client,
    timetable: Timetable,
    request: Request,
    *,
    schedule_id: str | None = None,
    task_queue: str | None = None,
) -> ScheduleState:
    """Make a schedule that starts this request at these times; the same again, under the same id, is the same one.

    Its requests go to `task_queue`, without it to that of ERRAND_TASK_QUEUE as it is now, else to `errand`.

    Raises: what `make_schedule` raises.
    """
    made, _ = await make_schedule(client, timetable, request, schedule_id=schedule_id, task_queue=task_queue)
    return made


async def make_schedule(
    client: Client, timetable: Timetable, request: Request, *, schedule_id: str | None, task_queue: str | None
) -> tuple[ScheduleState, bool]:
    """What `add_schedule` does, and whether the schedule is a new one.

    Raises:
        TakenScheduleId: the id belongs to another schedule.
        ConfigurationError: it can be no schedule's id; the cron text is none; the request would never end by itself.
    """
    schedule_id = schedule_id or new_id()
    if problem := problem_with_id(schedule_id, "the schedule's id", LONGEST_ID):
        raise ConfigurationError(problem)
    if request.keep_open:
        raise ConfigurationError("keep_open: a request that starts by itself has nobody who talks to it")
    await preview(client, timetable)  # refuses what is no timetable, in words that say so
    told = plain(code(request.title))
    memo = ScheduleMemo(timetable=timetable, text=told, requester=request.requester)
    schedule = Schedule(
        _action(client, request, schedule_id, queue_or_set(task_queue)),
        timetable.spec(),
        policy=timetable.policy(),
    )
    try:
        await client.create_schedule(schedule_id, schedule, memo={MEMO: memo.model_dump(mode="json")})
    except ScheduleAlreadyRunningError as taken:
        known = await describe_schedule(client, schedule_id)
        if known.timetable != timetable or not same_request(known.request, request):
            raise TakenScheduleId(f"{schedule_id} is taken by another schedule; use another id") from taken
        return known, False
    return await describe_schedule(client, schedule_id), True


def _action(client: Client, request: Request, schedule_id: str, task_queue: str) -> ScheduleActionStartWorkflow:
    # A search attribute is never encrypted: with keys, the worker alone says whether Temporal may know who asks.
    may_be_seen = bool(request.requester) and client.data_converter.payload_codec is None
    whose = [SearchAttributePair(REQUESTER, request.requester)] if may_be_seen else []
    return ScheduleActionStartWorkflow(
        REQUEST_WORKFLOW,
        request,
        id=schedule_id,
        task_queue=task_queue,
        static_summary=code(request.title) or None,
        typed_search_attributes=TypedSearchAttributes(whose),
    )


async def find_schedules(client: Client, *, requester: str | None = None) -> list[Scheduled]:
    """The schedules that start requests, by their ids."""
    found = [await _listed(each) async for each in await client.list_schedules()]
    return sorted(
        (each for each in found if each and requester in (None, each.requester)), key=lambda each: each.schedule_id
    )


async def _listed(each: ScheduleListDescription) -> Scheduled | None:
    memo = await each.memo_value(MEMO, None, type_hint=ScheduleMemo)
    if memo is None or each.schedule is None or each.info is None:  # not one of Errand's
        return None
    state = each.schedule.state
    return _scheduled(each.id, memo, paused=state.paused, note=state.note, times=each.info.next_action_times)


def _scheduled(id: str, memo: ScheduleMemo, *, paused: bool, note: str | None, times: Sequence[datetime]) -> Scheduled:
    return Scheduled(
        schedule_id=id,
        timetable=memo.timetable,
        text=memo.text,
        requester=memo.requester,
        paused=paused,
        note=(note or "").strip(),
        next_times=_in_zone(times, memo.timetable),
    )


async def describe_schedule(client: Client, schedule_id: str) -> ScheduleState:
    """Where a schedule stands, with its next times and its latest requests.

    Raises:
        NoSchedule: there is none of this id that starts requests.
    """
    described, memo, request = await described_schedule(client, schedule_id)
    info, state = described.info, described.schedule.state
    known = _scheduled(
        schedule_id, memo, paused=state.paused, note=state.note, times=info.next_action_times
    ).model_dump()
    ahead = await look_ahead(client, memo.timetable) if info.next_action_times else Preview(next_times=())
    return ScheduleState(
        **known,
        request=request,
        clock_changes=ahead.clock_changes,
        running=tuple(map(request_id_of, info.running_actions)),
        latest=tuple(
            ScheduledRun(
                request_id=request_id_of(each.action),
                scheduled_at=_in_zone([each.scheduled_at], memo.timetable)[0],
                started_at=each.started_at,
            )
            for each in reversed(info.recent_actions)
        ),
        started=info.num_actions,
        skipped=info.num_actions_skipped_overlap,
        missed=info.num_actions_missed_catchup_window,
    )


async def described_schedule(client: Client, schedule_id: str) -> tuple[ScheduleDescription, ScheduleMemo, Request]:
    """As Temporal knows it, what it would not keep, and the request.

    Raises:
        NoSchedule: there is none of this id that starts requests.
    """
    async with known_schedule(client, schedule_id) as handle:
        described = await handle.describe()
    memo = await described.memo_value(MEMO, None, type_hint=ScheduleMemo)
    payloads = described.raw_description.schedule.action.start_workflow.input.payloads
    request = await Payloads(client.data_converter).read(payloads, Request)
    if memo is None or request is None:
        raise NoSchedule(f"{schedule_id} is a schedule of something else than requests")
    return described, memo, request


async def pause_schedule(client: Client, schedule_id: str, *, note: str = "") -> None:
    """Start nothing more, until it is resumed. What runs goes on."""
    async with known_schedule(client, schedule_id) as handle:
        await handle.pause(note=note or NO_NOTE)


async def resume_schedule(client: Client, schedule_id: str, *, note: str = "") -> None:
    """Go on with the next time; those in between are not made up for."""
    async with known_schedule(client, schedule_id) as handle:
        await handle.unpause(note=note or NO_NOTE)


async def delete_schedule(client: Client, schedule_id: str) -> None:
    """Start nothing more, ever. What runs goes on, and requests that have ended stay."""
    async with known_schedule(client, schedule_id) as handle:
        await handle.delete()


@asynccontextmanager
async def known_schedule(client: Client, schedule_id: str) -> AsyncGenerator[ScheduleHandle]:
    """For the block; where Temporal knows none of this id, it is `NoSchedule`."""
    try:
        yield client.get_schedule_handle(schedule_id)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise NoSchedule(f"there is no schedule {schedule_id}") from error


def request_id_of(action: ScheduleActionExecution) -> str:
    assert isinstance(action, ScheduleActionExecutionStartWorkflow)  # the only kind that there is
    return action.workflow_id


def _in_zone(times: Sequence[datetime], timetable: Timetable) -> tuple[datetime, ...]:
    return tuple(each.astimezone(ZoneInfo(timetable.zone)) for each in times)
