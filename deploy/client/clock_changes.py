"""Where a zone's clocks go forward or back, and what becomes of times that lie in that hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

AHEAD = timedelta(days=366)
NAMED = 3
"""Times of a frequent schedule that are named; the rest are counted."""


@dataclass(frozen=True)
class ClockChange:
    """At `at`, the offset from UTC goes from `before` to `after`."""

    at: datetime
    zone: str
    before: timedelta
    after: timedelta

    @property
    def forward(self) -> bool:
        return self.after > self.before

    def wall(self) -> tuple[datetime, datetime]:
        """The times on the clock that there are not, or twice, from the first to the one after the last. They are
        written as if they were UTC."""
        one, other = self.at + self.before, self.at + self.after
        return min(one, other), max(one, other)

    def real(self) -> tuple[datetime, datetime]:
        """When the clock shows these times; of clocks that go forward, the hour after the change."""
        length = abs(self.after - self.before)
        return (self.at, self.at + length) if self.forward else (self.at - length, self.at + length)


def clock_changes(zone: str, start: datetime) -> list[ClockChange]:
    """Those of the year that begins at `start`."""
    place = ZoneInfo(zone)
    first = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    days = [first + timedelta(days=day) for day in range(AHEAD.days + 1)]
    return [
        ClockChange(_change_between(one, other, place), zone, _offset(one, place), _offset(other, place))
        for one, other in pairwise(days)
        if _offset(one, place) != _offset(other, place)
    ]


def _change_between(before: datetime, after: datetime, place: ZoneInfo) -> datetime:
    """To the minute."""
    old = _offset(before, place)
    while after - before > timedelta(minutes=1):
        middle = (before + (after - before) / 2).replace(second=0, microsecond=0)
        before, after = (middle, after) if _offset(middle, place) == old else (before, middle)
    return after


def told_of(change: ClockChange, meant: Sequence[datetime], real: Sequence[datetime]) -> list[str]:
    """In words, what becomes of a schedule at a change.

    Args:
        change: where the clocks change.
        meant: the times on the clock in `change.wall()` that the schedule means, as if they were UTC.
        real: the times in `change.real()` at which it runs.
    """
    day = f"{change.at + change.before:%Y-%m-%d}"
    if change.forward:
        return [f"{day}, clocks go forward: {_named(meant)} {_is(meant)} skipped"] if meant else []
    place, runs = ZoneInfo(change.zone), dict[datetime, list[datetime]]()
    for each in real:
        runs.setdefault(each.astimezone(place).replace(tzinfo=UTC, fold=0), []).append(each)
    groups: dict[str, list[datetime]] = {}
    for each in meant:
        groups.setdefault(_what(change, runs.get(each, [])), []).append(each)
    return [f"{day}, clocks go back and show {_named(times)} twice: {what}" for what, times in groups.items()]


def _what(change: ClockChange, runs: Sequence[datetime]) -> str:
    match runs:
        case []:
            return "no run at either"
        case [one]:
            return f"one run, at the {'first' if one < change.at else 'second'}"
        case _:
            return "a run at both"


def _offset(moment: datetime, place: ZoneInfo) -> timedelta:
    return moment.astimezone(place).utcoffset() or timedelta()


def _named(times: Sequence[datetime]) -> str:
    names = [f"{each:%H:%M}" for each in times]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _is(times: Sequence[datetime]) -> str:
    return "is" if len(times) == 1 else "are"
