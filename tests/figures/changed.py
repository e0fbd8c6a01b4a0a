"""Right summaries, and right arguments, of which one figure is changed."""

import random
import re
from collections.abc import Sequence

from pydantic import JsonValue

from activities.model.figures.dates_and_times import MONTHS
from activities.model.figures.numbers import numbers_in
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


def with_another_number(right: Arguments, seed: str) -> tuple[Arguments, float] | None:
    """The arguments in which one number is another of as many digits, and that other number."""
    chance = random.Random(f"{SEED} {seed}")
    there = [number.value for number in numbers_in(right) if abs(number.value) > 1]
    if not there:
        return None
    old = chance.choice(there)
    new = _another(old, chance)
    return {name: _with(value, old, new) for name, value in right.items()}, new


def _with(value: JsonValue, old: float, new: float) -> JsonValue:
    match value:
        case list():
            return [_with(each, old, new) for each in value]
        case dict():
            return {name: _with(each, old, new) for name, each in value.items()}
        case int() | float() if value == old and not isinstance(value, bool):
            return new
        case _:
            return value


def _another(number: float, chance: random.Random) -> float:
    written = [*repr(number)]
    digits = [at for at, char in enumerate(written) if char.isdecimal()]
    at = chance.choice(digits[:6])
    # None and one are never taken for made up.
    low = "23456789" if abs(number) < 10 and float(number).is_integer() else "123456789"
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
