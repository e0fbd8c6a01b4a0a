"""Right summaries of which one figure is changed."""

import random
import re
from collections.abc import Sequence

from activities.model.figures.dates_and_times import MONTHS
from tests.figures.right import Right

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
