"""Waiting for a time: "tomorrow at 8, email me the weather".

The wait is Temporal's own: until the time has come, the next attempt of the activity is due, and no worker is busy.
"""

from datetime import datetime, timedelta

from temporalio import activity

from activities.errors import InvalidArguments, NotYet
from activities.toolkit.tool import tool
from activities.tools.dates import Moment, in_zone, moment_of, zone_named


@tool(about="{time} {zone}", total_timeout=timedelta(days=366).total_seconds(), attempts=100)
async def wait_until(time: datetime, zone: str = "UTC") -> Moment:
    """Wait until a time has come; only then do what is to be done at that time.

    A request waits no longer than its own time limit, which is a day unless the requester says otherwise.

    Args:
        time: The time to wait for, as 2026-01-31T08:00:00; without an offset, it is meant in the zone.
        zone: Name of the time zone, for example "Europe/Paris".

    Raises:
        NotYet: the time has not come.
        InvalidArguments: there is no such zone, or the request ends before that time.
    """
    wanted = in_zone(time, zone_named(zone))
    now = activity.info().started_time
    if (left := wanted - now) > timedelta():
        _refuse_beyond_the_end(wanted, zone)
        raise NotYet(f"waiting until {wanted:%Y-%m-%d %H:%M} {zone}", retry_after=left)
    return moment_of(now.astimezone(zone_named(zone)), zone)


def _refuse_beyond_the_end(wanted: datetime, zone: str) -> None:
    """Temporal would fail the wait at once too, and not say why.

    Raises:
        InvalidArguments: the request ends before the time that is waited for.
    """
    info = activity.info()
    if info.schedule_to_close_timeout is None:
        return
    end = (info.scheduled_time + info.schedule_to_close_timeout).astimezone(wanted.tzinfo)
    if wanted >= end:
        raise InvalidArguments(
            f"{wanted:%Y-%m-%d %H:%M} {zone} is beyond the time limit of this request, which ends at "
            f"{end:%Y-%m-%d %H:%M} {zone}: nothing waits; only its requester can start it with a higher limit "
            "(limits.seconds, or --timeout)"
        )
