"""Right summaries, and right calls, of which one figure is changed."""

import itertools
import random
import re
from collections.abc import Sequence

from pydantic import JsonValue

from activities.model.figures.dates_and_times import MONTHS
from activities.model.figures.numbers import numbers_in
from tests.figures.recorded import Write
from tests.figures.right import Right
from workflows.contract.values import Arguments

SEED = 4711
FIGURE = re.compile(r"\d(?:[\d.,'\u202f:]*\d)?")
NUMBERING = re.compile(r"^\d[.)]", re.MULTILINE)


def changed(right: Sequence[Right], how_many: int) -> list[tuple[Right, str]]:
    """Right ones, each with what one figure of it was changed to."""
    chance = random.Random(SEED)
    found: list[tuple[Right, str]] = []
    while len(found) < how_many:
        each = right[len(found) % len(right)]
        if (other := _changed(each.summary, chance)) is not None:
            found.append((each, other))
    return found


def changed_numbers(right: Sequence[Write], how_many: int) -> list[tuple[Write, Arguments]]:
    """Right calls, each with the arguments in which one number is another of as many digits."""
    chance = random.Random(SEED)
    found: list[tuple[Write, Arguments]] = []
    for each in itertools.cycle(right):
        if len(found) == how_many:
            return found
        there = [number.value for number in numbers_in(each.arguments) if abs(number.value) > 1]
        if there:
            old = chance.choice(there)
            found.append((each, {name: _with(value, old, chance) for name, value in each.numbers_alone.items()}))
    return found


def _with(value: JsonValue, old: float, chance: random.Random) -> JsonValue:
    match value:
        case list():
            return [_with(each, old, chance) for each in value]
        case dict():
            return {name: _with(each, old, chance) for name, each in value.items()}
        case int() | float() if value == old and not isinstance(value, bool):
            return _another(value, chance)
        case _:
            return value


def _another(number: float, chance: random.Random) -> float:
    written = [*repr(number)]
    digits = [at for at, char in enumerate(written) if char.isdecimal()]
    at = chance.choice(digits[:6])
    # One is never taken for made up.
    low = "23456789" if len(digits) == 1 else "123456789"
    written[at] = chance.choice([digit for digit in low if digit != written[at]])
    return type(number)("".join(written))


def _changed(summary: str, chance: random.Random) -> str | None:
    """A digit replaced by another, two swapped, another number of as many digits, or another month."""
    numbered = {match.start() for match in NUMBERING.finditer(summary)}
    figures = [match for match in FIGURE.finditer(summary) if match.start() not in numbered]
    months = [
        match for match in re.finditer(r"[^\W\d_]+", summary) if len(match[0]) > 3 and match[0].casefold() in MONTHS
    ]
    if months and chance.random() < 0.1:
        match = chance.choice(months)
        other = chance.choice(
            [name for name, month in MONTHS.items() if month != MONTHS[match[0].casefold()] and len(name) > 3]
        )
        return summary[: match.start()] + other + summary[match.end() :]
    match = chance.choice(figures)
    digits = [at for at, char in enumerate(match[0]) if char.isdecimal()]
    written = list(match[0])
    for at in digits if chance.random() < 0.3 else [chance.choice(digits)]:
        low = 1 if at == 0 and len(digits) > 1 else 0
        written[at] = chance.choice([digit for digit in "0123456789"[low:] if int(digit) != int(written[at])])
    return summary[: match.start()] + "".join(written) + summary[match.end() :]
