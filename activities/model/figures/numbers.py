"""Which JSON numbers, in the arguments of a write or in an output, rest on nothing that was said or found.

A number has its unit in the name of its field, if anywhere, and is exact: it may be rounded to the digits that it has,
and no further.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from pydantic import JsonValue

from activities.model.figures.derived import LONGEST_COLUMN, MOST_FIELDS
from activities.model.figures.field_names import (
    IN_HUNDREDTHS,
    OF_A_DAY,
    OF_A_MINUTE,
    OF_A_MONTH,
    OF_A_SPAN,
    OF_AN_HOUR,
    OF_PEOPLE,
    RECKONED,
)
from activities.model.figures.grounds import KEY_PART, LARGEST, MOST_STARTS, Grounds
from activities.model.figures.numerals import Reading, plain
from activities.model.figures.reading import figures_in
from activities.model.figures.units import A_YEAR, TIMES, UNITS, compounds, converted
from activities.model.figures.unsupported import EXACT, likely, near

TOO_COMMON = frozenset([0, 1])
"""None, and one: what a caller leaves open."""
HUNDREDTHS = (100.0, 0.01)
"""1999 for $19.99, and 0.19 for 19 %."""
DIGITS = re.compile(r"\d+(?:\.\d+)?")
EXPONENT = re.compile(r"(?<![\w.])\d{1,15}(?:\.\d{1,15})?[eE][+-]?\d{1,3}(?!\w)")
"""1e-07, as programs write it."""
MOST_DIGITS = 20_000
"""Numbers of a text that are looked at."""
LONGEST_NUMERAL = 20
_LESS = r"\b(?:less|fewer|lower|smaller|younger) than|\bunder|\bbelow|\bweniger als|\bunter|\bmoins de|\bmenos de"
_MORE = r"\b(?:more|greater|higher|older) than|\bover|\babove|\bmehr als|\büber|\bplus de|\bmás de"
NO_MORE = re.compile(rf"(?:(?P<less>{_LESS})|{_MORE})\s(\d{{1,9}})(?![\w.,]?\d)")
"""Of a number that is not meant itself."""
POWER = re.compile(r"(?<![\w.,])(\d{1,15}(?:\.\d{1,15})?)\s?[x×*·]\s?10\s?\^?\s?(-?\d{1,3})(?![\w.,]?\d)")
"""8.854 x 10^-12"""
WITH_ME = re.compile(
    r"\b(?:me|myself|us),? and\b|\band (?:me|myself)\b|\b(?:mich|mir) und\b|\bund (?:mich|mir)\b|\bmoi et\b|\bet moi\b"
    r"|\by (?:yo|para mí)\b|\bpara mí y\b|\be me\b|\bme e\b"
)
"""Of one who is counted too."""
MOST_PEOPLE = 50
SHORT_YEAR = re.compile(r"(?<!\w)['’](\d\d)\b")
MOST_SHIFTS = 100
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
        if size in self._written or size in self._implied or size in self._grounds.counts or size in self._years:
            return True
        if self._is_of_a_moment(number) or self._counts_the_requester(number):
            return True
        return self._is_duration(number) or self._is_amount(number)

    @cached_property
    def _written(self) -> frozenset[float]:
        """To the letter, also within a word or in a list without spaces."""
        text = self._grounds.text
        found = (*EXPONENT.findall(text), *DIGITS.findall(text), *DIGITS.findall(text.replace(",", "")))
        return frozenset(float(each) for each in found[:MOST_DIGITS] if len(each) <= LONGEST_NUMERAL)

    @cached_property
    def _implied(self) -> frozenset[float]:
        """4 of "fewer than 5", 12 of "monthly", 74 of 6'2"."""
        said = self._grounds.said
        beside = {int(match[2]) + (-1 if match["less"] else 1) for match in NO_MORE.finditer(said)}
        a_year = {A_YEAR[word] for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)?", said) if word in A_YEAR}
        powers = (float(f"{match[1]}e{match[2]}") for match in POWER.finditer(plain(said)))
        return frozenset({*map(float, beside), *map(float, a_year), *compounds(said), *powers})

    def _counts_the_requester(self, number: FieldNumber) -> bool:
        """3 of "me and 2 friends"."""
        if number.words.isdisjoint(OF_PEOPLE) or not WITH_ME.search(self._grounds.said):
            return False
        return number.value in {each + 1 for each in (1.0, *self._named) if each < MOST_PEOPLE}

    def _is_of_a_moment(self, number: FieldNumber) -> bool:
        """The day or the month of a date, the hour or the minute of a time, where the field is for one."""
        size = abs(number.value)
        return any(not number.words.isdisjoint(words) and size in known() for words, known in self._moments)

    @property
    def _moments(self) -> tuple[tuple[frozenset[str], Callable[[], Collection[int]]], ...]:
        """By the words of a field, what was spoken of."""
        grounds = self._grounds
        return (
            (OF_A_DAY, lambda: grounds.days_and_years[0]),
            (OF_A_MONTH, lambda: {day.month for day in grounds.days}),
            (OF_AN_HOUR, lambda: {minute // 60 for minute in self._times}),
            (OF_A_MINUTE, lambda: {minute % 60 for minute in self._times}),
        )

    @cached_property
    def _times(self) -> frozenset[int]:
        """Of the day, in minutes: those that were spoken of, and those that lie as long away as was spoken of."""
        spoken = {time + half for time in sorted(self._grounds.times)[:MOST_STARTS] for half in (0, 720)}
        shifts = {sign * int(each // 60) for each in self._durations[:MOST_SHIFTS] for sign in (0, 1, -1)}
        return frozenset((time + shift) % 1440 for time in spoken for shift in shifts or {0})

    @cached_property
    def _years(self) -> frozenset[int]:
        """Those that were spoken of, '19 for 2019, and those that lie as many years away as were spoken of."""
        grounds = self._grounds
        short = {century + int(year) for year in SHORT_YEAR.findall(grounds.said) for century in (1900, 2000)}
        spans = [int(each) for each in grounds.named if 0 < each <= LONGEST_AGO and float(each).is_integer()]
        known = grounds.days_and_years[1]
        return known | short | {year + sign * span for year in known for span in spans for sign in (1, -1)}

    def _is_duration(self, number: FieldNumber) -> bool:
        """In the field's unit, or in any where the field is for a span: 180 for 3 minutes, 7 for a week."""
        own = [TIMES[word] for word in number.words & TIMES.keys()]
        if not own and number.words.isdisjoint(OF_A_SPAN):
            return False
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
        factors = () if number.words.isdisjoint(IN_HUNDREDTHS) else HUNDREDTHS
        hundreds = (Reading(reading.value * factor, reading.step * factor) for factor in factors)
        units = number.words & UNITS.keys()
        others = (each for unit in units for each in converted(reading, unit, self._grounds.units))
        if any(near(self._grounds.values, each) for each in (reading, *hundreds, *others)):
            return True
        if near(self._grounds.totals, reading) or likely(self._results, reading):
            return True
        return not number.words.isdisjoint(RECKONED) and likely(self._results_of_the_request, reading)

    @cached_property
    def _results(self) -> list[float]:
        """Of arithmetic with a number that the requester has named and one that was found, or with those of one row or
        field."""
        named = frozenset(map(abs, self._grounds.named))
        found = [each for each in self._grounds.values if each not in named][:LONGEST_COLUMN]
        return sorted({*self._combined(found), *self._grounds.found_amounts})

    @cached_property
    def _results_of_the_request(self) -> list[float]:
        return sorted({*self._combined(self._named)})

    @cached_property
    def _named(self) -> tuple[float, ...]:
        """Of numbers that may be read in two ways the larger one: 20,000 is not also 20."""
        figures = (figure for text in self._grounds.said_texts for figure in figures_in(text))
        small = {min(each.value for each in figure.numbers) for figure in figures if len(figure.numbers) > 1}
        return tuple(number for number in self._grounds.named if number not in small)[:MOST_FIELDS]

    def _combined(self, others: Iterable[float]) -> Iterator[float]:
        """Each with each that the requester has named, in all ways, but no number with itself."""
        for one, other in product(self._named, others):
            if one and other and one != other:
                results = (one + other, other - one, one * other, other / one)
                yield from map(abs, results)
                if one in self._grounds.shares:
                    yield from (other * (1 + one), other * abs(1 - one))


def _step(number: float) -> float:
    """What the last digit stands for."""
    digits = repr(float(number)).partition(".")[2]
    return 1.0 if digits in ("", "0") or "e" in digits else 10.0 ** -len(digits)
