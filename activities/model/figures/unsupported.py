"""Which figures of a text rest on nothing that was said or found."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from activities.model.figures.dates_and_times import SHORT_DATE, Day
from activities.model.figures.grounds import Grounds, has
from activities.model.figures.numerals import Reading
from activities.model.figures.reading import RUN, Figure, figures_in
from activities.model.figures.units import converted

MOST_CHECKED = 1_000
MOST_TOLD = 10
EXACT = 1e-9
CHANCE = 0.3
"""Results of arithmetic that may be expected to lie so near by chance alone, before one of them counts."""
DAYS = frozenset(
    [
        "day",
        "days",
        "tag",
        "tage",
        "tagen",
        "jours",
        "jour",
        "días",
        "día",
        "giorni",
        "dias",
        "dagen",
        "dagar",
        "dni",
        "nights",
        "nächte",
        "nuits",
        "noches",
        "天",
        "日",
        "дней",
        "дня",
    ]
)
YEAR = re.compile(r"(?:19|20)\d\d")
FAMILIAR = frozenset(
    [
        "h2o",
        "co2",
        "b2b",
        "b2c",
        "c2c",
        "mp3",
        "mp4",
        "a4",
        "a5",
        "a3",
        "g7",
        "g20",
        "3g",
        "4g",
        "5g",
        "2d",
        "3d",
        "4k",
        "8k",
        "covid-19",
        "utf-8",
        "24/7",
        "w3c",
        "k8s",
    ]
)
"""Names that are no figures."""


def unsupported_figures(text: str, grounds: Grounds) -> tuple[Figure, ...]:
    """The figures, each once and ten at most, that neither occur in what was said and found nor follow from it."""
    found: dict[str, Figure] = {}
    for number, figure in enumerate(figures_in(text)):
        if number >= MOST_CHECKED or len(found) >= MOST_TOLD:
            break
        if figure.text not in found and not is_supported(figure, grounds):
            found[figure.text] = figure
    return tuple(sorted(found.values(), key=lambda figure: figure.start))


def is_supported(figure: Figure, grounds: Grounds) -> bool:
    if _repeated(figure, grounds) or figure.chunk in FAMILIAR or grounds.too_many:
        return True
    if figure.days:
        return not grounds.days.isdisjoint(figure.days)
    if figure.minutes:
        return not grounds.minutes.isdisjoint(figure.minutes) or _is_hour(figure, grounds)
    if any(_is_number(figure, number, grounds) for number in figure.numbers):
        return True
    if figure.parts:
        return all(is_supported(part, grounds) for part in figure.parts)
    return not figure.numbers and _is_name(figure, grounds)


def _repeated(figure: Figure, grounds: Grounds) -> bool:
    """To the letter."""
    return figure.chunk in grounds.words or (
        not figure.negative
        and (figure.text.casefold() in grounds.words or (" " in figure.text and figure.text.casefold() in grounds.text))
    )


def _is_hour(figure: Figure, grounds: Grounds) -> bool:
    """3 pm, of "at 3"."""
    hours = {float(minute // 60) for minute in figure.minutes if minute % 60 == 0}
    return not {*hours, *(hour - 12 for hour in hours)}.isdisjoint(grounds.named)


def _is_name(figure: Figure, grounds: Grounds) -> bool:
    """An identifier: with other signs between its parts, or with all of its parts as words."""
    name = re.sub(r"[\W_]+", "", figure.text.casefold())
    if len(name) >= 4 and name in grounds.squeezed:
        return True
    runs = [run for run in RUN.findall(figure.text.casefold()) if re.search(r"\d", run)]
    if "://" in figure.chunk:
        runs = [run for run in runs if not re.fullmatch(r"v\d", run)]
    return all(run in grounds.runs or _glued(run, grounds) for run in runs)


def _glued(run: str, grounds: Grounds) -> bool:
    digits = re.fullmatch(r"[^\W\d_]+(\d{3,})", run)
    return digits is not None and digits[1] in grounds.runs


def _is_number(figure: Figure, number: Reading, grounds: Grounds) -> bool:
    if figure.of_a_date and number.value in grounds.days_and_years[0]:
        return True
    if number.step == 1 and (
        number.value in grounds.days_and_years[1] or (_is_count(figure) and number.value in grounds.counts)
    ):
        return True
    if _is_short_date(figure, grounds):
        return True
    if figure.of_a_time and not grounds.minutes.isdisjoint({60 * int(number.value), 60 * int(number.value) + 720}):
        return True
    if figure.unit in DAYS and number.value in grounds.days_between:
        return True
    if (digits := re.fullmatch(r"(\d{2,})(?:th|st|nd|rd)?", figure.text)) and digits[1] in grounds.runs:
        return True
    if re.fullmatch(r"\d{7,}", figure.text) and figure.text in grounds.squeezed:
        return True
    number = _rounded(figure, number)
    if _is_known(figure, number, grounds):
        return True
    if any(near(grounds.values, each) for each in converted(number, figure.unit, grounds.units)):
        return True
    return _follows(figure, number, grounds)


def _is_short_date(figure: Figure, grounds: Grounds) -> bool:
    match = SHORT_DATE.fullmatch(figure.text)
    pairs = [(int(match[1]), int(match[2])), (int(match[2]), int(match[1]))] if match and not figure.money else []
    return any(Day(None, month, day) in grounds.days for day, month in pairs)


def _is_count(figure: Figure) -> bool:
    return not (figure.percent or figure.money or figure.negative)


def _rounded(figure: Figure, number: Reading) -> Reading:
    """A whole number that ends in zeros may be rounded: of two digits that are left, or where the text says so."""
    if (
        number.step != 1
        or number.value < (10 if figure.about else 100)
        or number.value % 10
        or YEAR.fullmatch(figure.text)
    ):
        return number
    digits = f"{number.value:.0f}"
    zeros = len(digits) - len(digits.rstrip("0"))
    most = zeros if figure.about else min(zeros, len(digits) - 2)
    return Reading(number.value, 10.0**most)


def _is_known(figure: Figure, number: Reading, grounds: Grounds) -> bool:
    if figure.negative:
        return near(grounds.signed, Reading(-number.value, number.step))
    if near(grounds.values, number):
        return True
    if figure.percent and near(grounds.values, Reading(number.value / 100, number.step / 100)):
        return True
    return figure.money and number.step == 0.01 and near(grounds.values, Reading(round(number.value * 100), EXACT))


def _follows(figure: Figure, number: Reading, grounds: Grounds) -> bool:
    """By arithmetic, and not likely by chance."""
    if figure.unit == "s" and near(grounds.spans, number):
        return True
    if number.value and near(grounds.totals, number):
        return True
    results = grounds.percentages if figure.percent else grounds.amounts
    return likely(results, number)


def likely(results: Sequence[float], number: Reading) -> bool:
    """Whether it is one of the results of arithmetic, and not by chance."""
    if not (number.value and near(results, number)):
        return False
    around = bisect_right(results, 2 * number.value) - bisect_left(results, number.value / 2)
    return around * number.step <= CHANCE * 1.5 * number.value


def near(values: Sequence[float], number: Reading) -> bool:
    slack = number.step / 2 + EXACT * max(1.0, abs(number.value))
    return has(values, number.value - slack, number.value + slack)
