"""Which JSON numbers, in the arguments of a write or in an output, rest on nothing that was said or found.

A number has its unit in the name of its field, if anywhere, and is exact: it may be rounded to the digits that it has,
and no further.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pydantic import JsonValue

from activities.model.figures.derived import LONGEST_COLUMN, MOST_FIELDS
from activities.model.figures.grounds import KEY_PART, LARGEST, Grounds
from activities.model.figures.numerals import Reading
from activities.model.figures.units import TIMES, UNITS, converted
from activities.model.figures.unsupported import EXACT, likely, near

TOO_COMMON = frozenset([0, 1])
"""None, and one: what a caller leaves open."""
HUNDREDTHS = (100.0, 0.01)
"""1999 for $19.99, and 0.19 for 19 %."""
DIGITS = re.compile(r"\d+(?:\.\d+)?")
MOST_DIGITS = 20_000
"""Numbers of a text that are looked at."""
LONGEST_NUMERAL = 20
OF_A_MOMENT = frozenset(["date", "day", "month", "hour", "minute", "start", "end", "from", "until", "when", "at"])
"""In names of fields."""
SHORT_YEAR = re.compile(r"(?<!\w)['’](\d\d)\b")
LONGEST_AGO = 100
"""Years."""


@dataclass(frozen=True)
class FieldNumber:
    """A number, and the name of the field that it stands in, or that its list does."""

    name: str
    value: int | float

    @property
    def words(self) -> frozenset[str]:
        """Of the field's name."""
        return frozenset(part.casefold() for part in KEY_PART.findall(self.name))

    def __str__(self) -> str:
        return repr(self.value)


def numbers_in(value: JsonValue, name: str = "") -> Iterator[FieldNumber]:
    match value:
        case bool() | str() | None:
            return
        case list():
            for each in value:
                yield from numbers_in(each, name)
        case dict():
            for key, each in value.items():
                yield from numbers_in(each, key)
        case _:
            yield FieldNumber(name, value)


class KnownNumbers:
    """The numbers that occur in what was said and found, in whatever form, or follow from it."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds

    def __contains__(self, number: FieldNumber) -> bool:
        size = abs(number.value)
        if size in TOO_COMMON or self._grounds.too_many:
            return True
        if size >= LARGEST:  # an account, perhaps, but nothing to reckon with
            return isinstance(size, float) or str(size) in self._grounds.squeezed
        if size in self._written or size in self._grounds.counts or size in self._years:
            return True
        return self._is_of_a_moment(number) or self._is_duration(number) or self._is_amount(number)

    @cached_property
    def _written(self) -> frozenset[float]:
        """To the letter, also within a word or in a list without spaces."""
        text = self._grounds.text
        found = (*DIGITS.findall(text), *DIGITS.findall(text.replace(",", "")))
        return frozenset(float(each) for each in found[:MOST_DIGITS] if len(each) <= LONGEST_NUMERAL)

    def _is_of_a_moment(self, number: FieldNumber) -> bool:
        """The day or the month of a date, the hour or the minute of a time, where the field is for one."""
        return not number.words.isdisjoint(OF_A_MOMENT) and abs(number.value) in self._moments

    @cached_property
    def _moments(self) -> frozenset[int]:
        grounds = self._grounds
        months = {day.month for day in grounds.days if day.month}
        times = {part for minute in grounds.minutes for part in divmod(minute, 60)}
        return frozenset(months | times | grounds.days_and_years[0])

    @cached_property
    def _years(self) -> frozenset[int]:
        """Those that were spoken of, '19 for 2019, and those that lie as many years away as were spoken of."""
        grounds = self._grounds
        short = {century + int(year) for year in SHORT_YEAR.findall(grounds.said) for century in (1900, 2000)}
        spans = [int(each) for each in grounds.named if 0 < each <= LONGEST_AGO and float(each).is_integer()]
        known = grounds.days_and_years[1]
        return known | short | {year + sign * span for year in known for span in spans for sign in (1, -1)}

    def _is_duration(self, number: FieldNumber) -> bool:
        """In the field's unit, or in any: 180 for 3 minutes, 7 for a week, 3600 for the time from 2 to 3 pm."""
        own = [TIMES[word] for word in number.words & TIMES.keys()]
        seconds = (abs(number.value) * unit for unit in own or TIMES.values())
        return any(near(self._durations, Reading(each, EXACT)) for each in seconds)

    @cached_property
    def _durations(self) -> list[float]:
        """In seconds."""
        grounds = self._grounds
        figures = (figure for figure in grounds.figures if figure.unit in TIMES)
        told = (number.value * TIMES[figure.unit] for figure in figures for number in figure.numbers)
        named = (TIMES[word] for word in re.findall(r"[^\W\d_]+", grounds.said) if word in TIMES)
        between = (days * TIMES["day"] for days in grounds.days_between)
        return sorted({*told, *named, *between, *grounds.spans})

    def _is_amount(self, number: FieldNumber) -> bool:
        reading = Reading(abs(float(number.value)), _step(number.value))
        hundreds = (Reading(reading.value * factor, reading.step * factor) for factor in HUNDREDTHS)
        units = number.words & UNITS.keys()
        others = (each for unit in units for each in converted(reading, unit, self._grounds.units))
        if any(near(self._grounds.values, each) for each in (reading, *hundreds, *others)):
            return True
        return near(self._grounds.totals, reading) or likely(self._results, reading)

    @cached_property
    def _results(self) -> list[float]:
        """Of arithmetic with two different numbers, one of which the requester has named, or of one row or field."""
        named, known = self._grounds.named[:MOST_FIELDS], self._grounds.values[:LONGEST_COLUMN]
        pairs = ((one, other) for one in named for other in known if one != other and one and other)
        results = (result for one, other in pairs for result in _combined(one, other))
        return sorted({abs(each) for each in (*results, *self._grounds.found_amounts)})


def _combined(one: float, other: float) -> Iterator[float]:
    yield from (one + other, other - one, one * other, one * other / 100, other / one)
    yield from (other * (1 + one / 100), other * (1 - one / 100))


def _step(number: float) -> float:
    """What the last digit stands for."""
    digits = repr(float(number)).partition(".")[2]
    return 1.0 if digits in ("", "0") or "e" in digits else 10.0 ** -len(digits)
