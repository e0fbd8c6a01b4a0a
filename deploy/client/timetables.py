"""When a schedule runs: its cron text and time zone, and the times that Temporal makes of them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias
from uuid import uuid4
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import BaseModel, ConfigDict, Field, field_validator
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import ConfigurationError
from deploy.client.clock_changes import clock_changes, told_of
from workflows.contract.api import A_YEAR, REQUEST_WORKFLOW, TASK_QUEUE
from workflows.contract.messages import Input, Number

Overlap: TypeAlias = Literal["skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other", "allow_all"]

FIELDS = 5
"""Of a cron text: minute, hour, day, month, weekday."""
SHOWN = 3
"""Times that are shown before a schedule is made."""
AN_HOUR = 3600


class Timetable(Input):
    """When a schedule runs, as a person wrote it: Temporal itself keeps only what it made of the cron text."""

    cron: str = Field(min_length=1, max_length=200, description="five fields such as `0 8 * * 1-5`, or `@daily`")
    zone: str = Field(default="UTC", description="the time zone that it is meant in, such as Europe/Berlin")
    words: str = Field(default="", max_length=200, description="the same in the words of whoever asked for it")
    overlap: Overlap = Field(default="skip", description="what happens at a time when the run before still runs")
    jitter_seconds: Number = Field(default=0, ge=0, le=86_400, description="each run starts up to so much later")
    catch_up_seconds: Number = Field(
        default=AN_HOUR, ge=10, le=A_YEAR, description="how late a time is still made up for, after an outage"
    )

    @field_validator("cron")
    @classmethod
    def _is_cron_alone(cls, cron: str) -> str:
        text = " ".join(cron.split())
        if not text:
            raise ValueError("it is blank; five fields are expected, such as 0 8 * * 1-5")
        if text.upper().startswith(("CRON_TZ=", "TZ=")):
            raise ValueError("the time zone has a field of its own")
        if "#" in text:
            raise ValueError("a comment has no place in it")
        return text

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (OSError, ValueError, KeyError):
            raise ValueError(f"there is no time zone {zone[:60]!r}; one is Europe/Berlin") from None
        return zone

    def spec(self, *, jitter: bool = True) -> ScheduleSpec:
        late = timedelta(seconds=self.jitter_seconds) if jitter and self.jitter_seconds else None
        return ScheduleSpec(cron_expressions=[self.cron], time_zone_name=self.zone, jitter=late)

    def policy(self) -> SchedulePolicy:
        return SchedulePolicy(
            overlap=ScheduleOverlapPolicy[self.overlap.upper()],
            catchup_window=timedelta(seconds=self.catch_up_seconds),
        )


class Preview(BaseModel):
    """What a timetable comes to, before anything is made of it."""

    model_config = ConfigDict(frozen=True)

    next_times: tuple[datetime, ...] = Field(description="in the timetable's zone; jitter comes on top")
    clock_changes: tuple[str, ...] = Field(
        default=(), description="in words: what becomes of it where the clocks go forward or back within a year"
    )


async def preview(client: Client, timetable: Timetable, *, count: int = SHOWN) -> Preview:
    """What Temporal makes of a timetable.

    Raises:
        ConfigurationError: it makes nothing of it: the cron text is none, or no time fits it any more.
    """
    _check_fields(timetable.cron)
    return await look_ahead(client, timetable, count=count)


def _check_fields(cron: str) -> None:
    """Temporal takes a sixth field for a year, and a seventh for seconds; others begin with seconds.

    Raises:
        ConfigurationError: it is neither five fields nor a name.
    """
    fields = len(cron.split())
    if not cron.lstrip().startswith("@") and fields != FIELDS:
        raise ConfigurationError(
            f"the cron text {cron!r} has {fields} fields: expected {FIELDS} (minute, hour, day, month, weekday), "
            "as in 0 8 * * 1-5, or @daily, @every 30m"
        )


async def look_ahead(client: Client, timetable: Timetable, *, count: int = SHOWN) -> Preview:
    """What `preview` says of a timetable that may have been made by an earlier release.

    Raises:
        ConfigurationError: Temporal makes nothing of it.
    """
    async with _draft(client, timetable.spec(jitter=False)) as draft:
        times = (await draft.describe()).info.next_action_times[:count]
        if not times:
            raise ConfigurationError(f"{timetable.cron}: there is no such time to come")
        told = await _clock_changes(client, draft, timetable)
    zone = ZoneInfo(timetable.zone)
    return Preview(next_times=tuple(each.astimezone(zone) for each in times), clock_changes=told)


async def times_between(client: Client, timetable: Timetable, start: datetime, end: datetime) -> list[datetime]:
    """The times of a timetable within a period, both its ends included, without jitter."""
    async with _draft(client, timetable.spec(jitter=False)) as draft:
        return await _matching(client, draft, start, end)


async def _clock_changes(client: Client, draft: ScheduleHandle, timetable: Timetable) -> tuple[str, ...]:
    changes = clock_changes(timetable.zone, datetime.now(UTC))
    if not changes or timetable.cron.startswith("@every"):  # a pause between two runs knows no clock
        return ()
    told: list[str] = []
    async with _draft(client, timetable.model_copy(update={"zone": "UTC"}).spec(jitter=False)) as by_the_clock:
        for change in changes:
            meant = await _matching(client, by_the_clock, *change.wall(), exclusive=True)
            real = await _matching(client, draft, *change.real(), exclusive=True) if meant else []
            told += told_of(change, meant, real)
    return tuple(told)


@asynccontextmanager
async def _draft(client: Client, spec: ScheduleSpec) -> AsyncGenerator[ScheduleHandle]:
    """A schedule that never runs, to ask the server what it makes of a timetable."""
    id = f"errand-preview-{uuid4().hex}"
    nothing = ScheduleActionStartWorkflow(REQUEST_WORKFLOW, id=id, task_queue=TASK_QUEUE)
    try:
        handle = await client.create_schedule(id, Schedule(nothing, spec, state=ScheduleState(paused=True)))
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        why = error.message.removeprefix("Invalid schedule spec: ")
        raise ConfigurationError(f"the cron text {spec.cron_expressions[0]!r}: {why}") from error
    try:
        yield handle
    finally:
        with suppress(RPCError):  # what is left of it does nothing
            await handle.delete()


async def _matching(
    client: Client, handle: ScheduleHandle, start: datetime, end: datetime, *, exclusive: bool = False
) -> list[datetime]:
    """Of many, the first thousand. The server leaves out the start of a period, and not its end."""
    asked = ListScheduleMatchingTimesRequest(
        namespace=client.namespace,
        schedule_id=handle.id,
        start_time=_timestamp(start - timedelta(seconds=1)),
        end_time=_timestamp(end - timedelta(seconds=1) if exclusive else end),
    )
    found = await client.workflow_service.list_schedule_matching_times(asked)
    return [each.ToDatetime(UTC) for each in found.start_time]


def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
