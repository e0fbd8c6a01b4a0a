"""get_time and add_to_time."""

from datetime import UTC, datetime

import pytest
from temporalio.testing import ActivityEnvironment

from activities.errors import InvalidArguments
from activities.tools.dates import add_to_time, get_time


async def test_the_time_now_is_that_of_the_zone_and_of_the_activitys_start() -> None:
    environment = ActivityEnvironment()
    told = await environment.run(get_time, "Asia/Tokyo")
    assert told.time == environment.info.started_time.replace(microsecond=0)
    assert told.time.utcoffset() is not None
    assert (told.zone, told.weekday) == ("Asia/Tokyo", f"{told.time:%A}")


@pytest.mark.parametrize(
    ("start", "days", "hours", "zone", "told"),
    [
        ("2026-02-27T08:00:00", 2, 0, "UTC", "2026-03-01T08:00:00+00:00"),
        ("2026-11-28T12:00:00", -28, 0, "UTC", "2026-10-31T12:00:00+00:00"),
        # Clocks go forward in the night: a day later is the same clock, and 24 hours later an hour more.
        ("2026-03-28T08:00:00", 1, 0, "Europe/Berlin", "2026-03-29T08:00:00+02:00"),
        ("2026-03-28T08:00:00", 0, 24, "Europe/Berlin", "2026-03-29T09:00:00+02:00"),
        ("2026-03-28T08:00:00+00:00", 0, 0.5, "Europe/Berlin", "2026-03-28T09:30:00+01:00"),
    ],
)
async def test_days_keep_the_clock_and_hours_pass(start: str, days: int, hours: float, zone: str, told: str) -> None:
    moment = await add_to_time(datetime.fromisoformat(start), days, hours, zone)
    assert moment.time.isoformat() == told


async def test_the_weekday_is_told() -> None:
    assert (await add_to_time(datetime(2026, 11, 28, tzinfo=UTC), 30)).weekday == "Monday"


@pytest.mark.parametrize("zone", ["Paris", "", "../etc/passwd", "x" * 500])
async def test_a_zone_that_there_is_not_is_told_with_an_example(zone: str) -> None:
    with pytest.raises(InvalidArguments, match=r"no time zone .*Europe/Paris"):
        await add_to_time(datetime(2026, 11, 28, tzinfo=UTC), zone=zone)


async def test_a_time_outside_of_the_calendar_is_refused() -> None:
    with pytest.raises(InvalidArguments, match="outside of the calendar"):
        await add_to_time(datetime.fromisoformat("0001-01-01T00:00:00+05:00"))
    with pytest.raises(InvalidArguments, match="outside of the calendar"):
        await add_to_time(datetime(9999, 12, 31, tzinfo=UTC), 2)
