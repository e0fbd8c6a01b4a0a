"""What figures may rest on: what the request says and what was found, as a text and as numbers."""

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import cached_property
from itertools import combinations, islice

from pydantic import JsonValue

from activities.model.figures.dates_and_times import SHORT_DATE, Day, days_alone, near, shifts_in, times_in_words
from activities.model.figures.derived import Tables, amounts, percentages, totals
from activities.model.figures.numerals import NUMBER, number_words, plain, readings
from activities.model.figures.reading import RUN, WITH_DIGIT, WORD, Figure, figures_in

MOST_FIGURES = 5_000
"""Of a conversation that has more of them, no text is held to them."""
LONGEST_WORDS = 16 * 1024
"""Characters of a text that are searched for number words."""
LONGEST_LIST = 60
DAYS_ENDS = {0, 1439}
"""Minutes: 00:00 and 23:59."""
LONGEST_SPAN = 400
MOST_STARTS = 100
MOST_SPANS = 20
LONGEST_NUMERAL = 20
LARGEST = 1e15
"""Of a larger number not every digit counts, and it may be none (NaN)."""
UNIT = "unit"
"""Numbers in a text that have the same unit belong together, as those of a field do."""
KEY_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class Grounds:
    """Everything that was said and found. Nothing is read of it before it is asked for."""

    def __init__(
        self, said: Sequence[str], found: Sequence[JsonValue], today: date, *, calls: Iterable[int] = ()
    ) -> None:
        """Take what there is, without reading it.

        Args:
            said: what the requester said.
            found: results, as JSON values.
            today: where the worker is; everybody knows it.
            calls: how many calls there were, of every kind.
        """
        self._said = said
        self._found = [_structured(value) for value in found]
        self._today = today
        self._tables = Tables(counts=set(calls))
        self._keys: list[str] = []
        self._loose: list[float] = []
        """Numbers of the results."""
        self._numerals: list[str] = []
        self._texts: list[str] = list(said)
        for value in self._found:
            self._walk(value, "")

    def _walk(self, value: JsonValue, key: str) -> None:
        match value:
            case dict():
                self._keys.extend(value)
                if value and all(isinstance(each, dict) for each in value.values()):
                    self._tables.counts.add(len(value))
                self._tables.add_row(
                    {name: number for name, each in value.items() if (number := _number(each)) is not None}
                )
                for name, each in value.items():
                    self._walk(each, name)
            case list():
                self._tables.add_list(value)
                for each in value:
                    self._walk(each, key)
            case bool() | None:
                pass
            case str():
                self._texts.append(value)
            case _:
                self._numerals.append(repr(value))
                if (number := _number(value)) is not None:
                    self._loose.append(number)

    # --- to the letter -------------------------------------------------------------------------------------------

    @cached_property
    def text(self) -> str:
        return plain("\n".join([*self._texts, *self._numerals, *self._keys])).casefold()

    @cached_property
    def said(self) -> str:
        """By the requester."""
        return "\n".join(self._said)[:LONGEST_WORDS].casefold()

    @property
    def said_texts(self) -> Sequence[str]:
        """By the requester, cut to what is searched."""
        return [text[:LONGEST_WORDS] for text in self._said]

    @cached_property
    def words(self) -> frozenset[str]:
        """Those with a digit, each also without what surrounds it."""
        pieces = {piece.strip(".,;:!?()[]{}<>\"'*`“”„«»") for piece in WITH_DIGIT.findall(self.text)}
        return frozenset(pieces | {word for piece in pieces for word in WORD.findall(piece)})

    @cached_property
    def runs(self) -> frozenset[str]:
        """The parts of names, such as the 4711 of INV-4711."""
        names = (word for word in self.words if re.search(r"[^\W\d_]|[-#/_]", word))
        runs = {run for name in names for run in RUN.findall(name)}
        return frozenset(runs | {digits for run in runs for digits in re.findall(r"(?<=[^\W\d_])\d{2,}", run)})

    @cached_property
    def squeezed(self) -> str:
        """Letters and digits alone."""
        return re.sub(r"[\W_]+", "", self.text)

    # --- as numbers ----------------------------------------------------------------------------------------------

    @cached_property
    def figures(self) -> list[Figure]:
        """Those of the texts; numbers of the results that have the same unit are taken for one field."""
        found: list[Figure] = []
        for number, text in enumerate((*self._texts, *self._keys)):
            for figure in figures_in(text):
                found.append(figure)
                if number >= len(self._said) and (len(figure.numbers) == 1 or (figure.numbers and figure.about)):
                    self._tables.columns[f"{UNIT} {figure.unit}"].append(figure.numbers[0].value)
                if len(found) > MOST_FIGURES:
                    return found
        return found

    @property
    def too_many(self) -> bool:
        return len(self._loose) > MOST_FIGURES or len(self.figures) > MOST_FIGURES

    @cached_property
    def named(self) -> tuple[float, ...]:
        """The numbers of the request."""
        written = [number for text in self._said for figure in figures_in(text) for number in _values(figure)]
        words = [number for text in self._said for number in number_words(text[:LONGEST_WORDS])]
        return tuple(dict.fromkeys([*written, *words]))

    @cached_property
    def found_numbers(self) -> frozenset[float]:
        """The numbers of the results, also of their texts."""
        texts = self._texts[len(self._said) :]
        written = (
            number for text in texts for figure in islice(figures_in(text), MOST_FIGURES) for number in _values(figure)
        )
        return frozenset(map(abs, (*self._loose, *written)))

    @cached_property
    def shares(self) -> frozenset[float]:
        """0.19, of a request that says 19 %."""
        figures = (figure for text in self._said for figure in figures_in(text) if figure.percent)
        return frozenset(number.value / 100 for figure in figures for number in figure.numbers)

    @cached_property
    def signed(self) -> list[float]:
        words = (number for text in self._texts for number in number_words(text[:LONGEST_WORDS]))
        written = (-number if figure.negative else number for figure in self.figures for number in _values(figure))
        return sorted({*self._loose, *words, *written, *self.named})

    @cached_property
    def values(self) -> list[float]:
        return sorted({abs(number) for number in self.signed})

    @cached_property
    def counts(self) -> frozenset[int]:
        return frozenset(self._tables.counts)

    @cached_property
    def units(self) -> frozenset[str]:
        of_keys = (part.casefold() for key in self._keys for part in KEY_PART.findall(key))
        return frozenset([*of_keys, *(figure.unit for figure in self.figures if figure.unit)])

    @cached_property
    def amounts(self) -> list[float]:
        return amounts(self._tables, self.named, self.values)

    @cached_property
    def found_amounts(self) -> list[float]:
        """Of what was found alone."""
        return amounts(self._tables, (), self.values)

    @cached_property
    def totals(self) -> list[float]:
        _ = self.figures  # which puts those of texts into columns
        return totals(self._tables)

    @cached_property
    def percentages(self) -> list[float]:
        return percentages(self._tables, self.named, self.values)

    # --- dates and times -----------------------------------------------------------------------------------------

    @cached_property
    def days(self) -> frozenset[Day]:
        """Those that were spoken of, those that lie as many days or weeks away as were spoken of, and those of now.

        Each also without its year or its day.
        """
        known = {day for figure in self.figures for day in figure.days} | set(self._short_dates())
        dates = {self._today, *(day.in_full for day in known if day.in_full)}
        spans = sorted({int(each) for each in self.named if 0 < each <= LONGEST_SPAN and each == int(each)})
        shifts = {sign * unit * span for span in spans[:MOST_SPANS] for unit in (1, 7) for sign in (1, -1)}
        days, weekdays = shifts_in("\n".join(self._said)[:LONGEST_WORDS])
        for start in sorted(dates)[:MOST_STARTS]:
            coming = {(weekday - start.weekday()) % 7 + 7 * weeks for weekday in weekdays for weeks in (0, 1)}
            known.update(_shifted(start, shift) for shift in {*shifts, *days, *coming})
        months = {(day.year, day.month) for day in known} | {(self._today.year, self._today.month)}
        alone = days_alone("\n".join(self._said)[:LONGEST_WORDS])
        known.update(Day(year, month, day) for year, month in sorted(months, key=str)[:MOST_STARTS] for day in alone)
        return frozenset(form for day in (*known, *near(self._today)) for form in day.forms(self._today.year))

    def _short_dates(self) -> Iterator[Day]:
        for word in self.words - frozenset(self._numerals):
            if match := SHORT_DATE.fullmatch(word):
                one, other = int(match[1]), int(match[2])
                yield from (Day(None, month, day) for day, month in ((one, other), (other, one)) if 0 < month < 13)

    @cached_property
    def days_and_years(self) -> tuple[frozenset[int], frozenset[int]]:
        years = (day.year for figure in self.figures for day in figure.days if day.year)
        return frozenset(day.day for day in self.days if day.day), frozenset([self._today.year, *years])

    @cached_property
    def times(self) -> frozenset[int]:
        """Of the day, in minutes: those that were spoken of."""
        return frozenset(minute for figure in self.figures for minute in figure.minutes) | times_in_words(self.said)

    @cached_property
    def minutes(self) -> frozenset[int]:
        """Of the day: the times that were spoken of, and those that lie as many minutes or hours away as were."""
        known = {minute + 720 for figure in self.figures if not figure.half_known for minute in figure.minutes}
        known |= self.times | DAYS_ENDS
        spans = [int(each) for each in (*self.named, *self._loose) if 0 < each <= LONGEST_SPAN and each == int(each)]
        spans = spans[:MOST_SPANS]
        shifts = {sign * unit * span for span in spans for unit in (1, 60) for sign in (1, -1)}
        return frozenset(known | {(start + shift) % 1440 for start in sorted(known)[:MOST_STARTS] for shift in shifts})

    @cached_property
    def days_between(self) -> frozenset[int]:
        """How many lie between two dates, or between one and now."""
        known = sorted({self._today, *(day.in_full for figure in self.figures for day in figure.days if day.in_full)})
        return frozenset((other - one).days for one, other in combinations(known[:LONGEST_LIST], 2))

    @cached_property
    def spans(self) -> list[float]:
        """Seconds between two times."""
        known = sorted(self.times)[:LONGEST_LIST]
        return sorted({60.0 * ((other - one) % 1440) for one, other in combinations(known, 2)})


def has(values: Sequence[float], low: float, high: float) -> bool:
    """Whether one of the values, which are in order, lies between."""
    at = bisect_left(values, low)
    return at < len(values) and values[at] <= high


def _values(figure: Figure) -> Iterable[float]:
    for number in figure.numbers:
        yield number.value
        if figure.percent:
            yield number.value / 100
    for part in figure.parts:
        yield from _values(part)


def _structured(value: JsonValue) -> JsonValue:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            parsed: JsonValue = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return parsed
    return value


def _number(value: JsonValue) -> float | None:
    """A number, also one in a text; none that is too large to reckon with."""
    if isinstance(value, str) and len(value) < LONGEST_NUMERAL and re.fullmatch(NUMBER, value):
        read = readings(value)
        return read[0].value if read else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < LARGEST else None


def _shifted(start: date, days: int) -> Day:
    try:
        return Day.of(start + timedelta(days=days))
    except OverflowError:
        return Day.of(start)
