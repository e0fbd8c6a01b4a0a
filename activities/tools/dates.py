"""The time in a place, and what date lies so many days or hours away: arithmetic that models get wrong."""

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field
from temporalio import activity

from activities.errors import InvalidArguments
from activities.toolkit.tool import tool

FARTHEST = 36_525
"""Days: a hundred years."""


class Moment(BaseModel):
    """`time` is the clock of the zone, with its offset from UTC."""

    model_config = ConfigDict(frozen=True)

    time: datetime
    weekday: str
    zone: str


@tool(about="{zone}")
async def get_time(zone: str = "UTC") -> Moment:
    """Get the date, the weekday and the time of day now in a time zone.

    Args:
        zone: Name of the time zone, for example "Europe/Paris".

    Raises:
        InvalidArguments: there is no such zone.
    """
    return moment_of(activity.info().started_time.astimezone(zone_named(zone)), zone)


@tool(about="{time} {days} days {hours} hours")
async def add_to_time(
    time: datetime,
    days: Annotated[int, Field(ge=-FARTHEST, le=FARTHEST)] = 0,
    hours: Annotated[float, Field(ge=-24 * FARTHEST, le=24 * FARTHEST)] = 0,
    zone: str = "UTC",
) -> Moment:
    """Work out the date and time that lies some days or hours after a time, or before it.

    Args:
        time: The time to start from, as 2026-01-31T08:00:00; without an offset, it is meant in the zone.
        days: Days after it, negative for before; the clock stays the same, also where the clocks change.
        hours: Hours after it, negative for before.
        zone: Name of the time zone, for example "Europe/Paris".

    Raises:
        InvalidArguments: there is no such zone, or the result lies outside of the calendar.
    """
    place = zone_named(zone)
    start = in_zone(time, place)
    try:
        # Python adds days to what the clock shows; hours pass everywhere alike.
        day = start + timedelta(days=days)
        return moment_of((day.astimezone(ZoneInfo("UTC")) + timedelta(hours=hours)).astimezone(place), zone)
    except OverflowError:
        raise InvalidArguments("the result lies outside of the calendar, years 1 to 9999") from None


def in_zone(time: datetime, zone: ZoneInfo) -> datetime:
    """A time on the zone's clock; one without an offset is meant in the zone.

    Raises:
        InvalidArguments: it lies outside of the calendar there.
    """
    try:
        return time.replace(tzinfo=zone) if time.tzinfo is None else time.astimezone(zone)
    except OverflowError:
        raise InvalidArguments("the time lies outside of the calendar, years 1 to 9999") from None


def moment_of(time: datetime, zone: str) -> Moment:
    return Moment(time=time.replace(microsecond=0), weekday=f"{time:%A}", zone=zone)


def zone_named(name: str) -> ZoneInfo:
    """The time zone of a name.

    Raises:
        InvalidArguments: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidArguments(f'there is no time zone {name[:50]!r}; one is called "Europe/Paris"') from None
