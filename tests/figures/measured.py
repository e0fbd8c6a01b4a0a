"""How often a right figure is taken for made up, how often a changed one is noticed, and what the check costs."""

import json
import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from activities.model.figures.numbers import numbers_in
from activities.model.figures.spoken import Spoken
from tests.figures.by_hand import by_hand
from tests.figures.by_template import by_template
from tests.figures.changed import changed, with_another_number
from tests.figures.outputs import Output, extracted, reported
from tests.figures.recorded import TODAY, Write, histories, leaderboard
from tests.figures.right import Right

MOST_FALSE = 0.02
MOST_MISSED = 0.05
MOST_FALSE_NUMBERS = 0.03
"""Most of them are numbers that the question indeed does not have: a constant of physics, the cards of a deck."""
MOST_MISSED_NUMBERS = 0.09
"""Most of them are by chance another number of the request."""
TEMPLATED = 150
"""Of each half."""
CHANGED = 500
TUNED = ("by_hand_first.json", "by_hand_second.json")
HELD_OUT = ("by_hand_held_out.json",)


@dataclass(frozen=True)
class Part:
    name: str
    right: int
    false: tuple[str, ...]
    wrong: int = 0
    missed: tuple[str, ...] = ()
    most_false: float = MOST_FALSE
    most_missed: float = MOST_MISSED
    said_besides: int = 0
    """Of those that were missed, how many are by chance another number of the request."""

    @property
    def share_false(self) -> float:
        return len(self.false) / self.right

    @property
    def share_missed(self) -> float:
        return len(self.missed) / self.wrong if self.wrong else 0.0

    @property
    def holds(self) -> bool:
        return self.share_false <= self.most_false and self.share_missed <= self.most_missed

    def __str__(self) -> str:
        told = f"{self.name}: {len(self.false)} of {self.right} taken for made up ({self.share_false:.1%})"
        noticed = self.wrong - len(self.missed)
        if not self.wrong:
            return told
        besides = f", {self.said_besides} of the others are said elsewhere" if self.said_besides else ""
        return f"{told}, {noticed} of {self.wrong} changed ones noticed ({noticed / self.wrong:.1%}){besides}"


def parts() -> tuple[Part, Part]:
    """The half that the rules were made with, and the half that they were not."""
    templated = by_template(2 * TEMPLATED)
    return (
        _part("summaries the rules were made with", [*_by_hand(TUNED), *templated[:TEMPLATED]]),
        _part("summaries held out", [*_by_hand(HELD_OUT), *templated[TEMPLATED:]]),
    )


def _by_hand(files: tuple[str, ...]) -> list[Right]:
    return [right for file in files for right in by_hand(file)]


def _part(name: str, right: list[Right]) -> Part:
    false = tuple(f"{', '.join(figures)} in {each.summary}" for each in right if (figures := each.wrong_figures()))
    wrong = changed(right, CHANGED)
    missed = tuple(f"{other} (was {each.summary})" for each, other in wrong if not each.wrong_figures(other))
    return Part(name, len(right), false, len(wrong), missed)


def conversations() -> Part:
    """The summaries of the recorded histories."""
    recorded = [(Spoken(asked, TODAY), decision.text) for asked, decision in histories() if decision.text]
    false = [text for spoken, text in recorded if spoken.unsupported_in_summary(text, ())]
    return Part("summaries in the recorded histories", len(recorded), tuple(false))


def writes(step: int = 1) -> Part:
    """The leaderboard's right calls, as writes."""
    made = list(leaderboard(step))
    false = [_told(each, wrong) for each in made if (wrong := each.made_up(each.texts_alone))]
    return Part("right calls of the leaderboard with a figure, their texts", len(made), tuple(false))


def numbers(step: int = 1) -> tuple[Part, Part]:
    """The numbers of the leaderboard's right calls, as writes, and each call with one of them changed, by halves."""
    made = [each for each in leaderboard(step) if any(numbers_in(each.numbers_alone))]
    return (
        _numbers("numbers of right calls the rules were made with", [each for each in made if not each.held_out]),
        _numbers("numbers of right calls held out", [each for each in made if each.held_out]),
    )


def _numbers(name: str, made: list[Write]) -> Part:
    figures = [each.made_up(each.numbers_alone) for each in made]
    false = [_told(each, found) for each, found in zip(made, figures, strict=True) if found]
    right = [each for each, found in zip(made, figures, strict=True) if not found]
    wrong = [(each, *other) for each in right if (other := with_another_number(each.numbers_alone, each.case))]
    missed = [(each, other, new) for each, other, new in wrong if not each.made_up(other)]
    return Part(
        name,
        len(made),
        tuple(false),
        len(wrong),
        tuple(f"{other} (was {each.numbers_alone}): {each.asked}" for each, other, _ in missed),
        MOST_FALSE_NUMBERS,
        MOST_MISSED_NUMBERS,
        said_besides=sum(each.says(new) for each, _, new in missed),
    )


def outputs(step: int = 1) -> tuple[Part, Part, Part, Part]:
    """What requests say, as outputs, and what results come to, each by halves."""
    made = [each for each in leaderboard(step) if any(numbers_in(each.arguments))]
    templated = by_template(2 * TEMPLATED)
    tuned = [*_by_hand(TUNED), *templated[:TEMPLATED]]
    held_out = [*_by_hand(HELD_OUT), *templated[TEMPLATED:]]
    return (
        _outputs("outputs of what a request says, seen", extracted(each for each in made if not each.held_out)),
        _outputs("outputs of what a request says, held out", extracted(each for each in made if each.held_out)),
        _outputs("outputs of results, seen", reported(tuned)),
        _outputs("outputs of results, held out", reported(held_out)),
    )


def _outputs(name: str, right: Iterable[Output]) -> Part:
    made = list(right)
    figures = [each.made_up() for each in made]
    false = tuple(f"{', '.join(found)} in {each.name}" for each, found in zip(made, figures, strict=True) if found)
    wrong = [
        (each, *other)
        for number, each in enumerate(made)
        if not figures[number] and (other := with_another_number(each.value, f"{number}"))
    ]
    missed = [(each, other) for each, other, _ in wrong if not each.made_up(other)]
    told = tuple(f"{other} (was {each.value}): {each.name}" for each, other in missed)
    return Part(name, len(made), false, len(wrong), told, MOST_FALSE_NUMBERS, MOST_MISSED_NUMBERS)


def _told(write: Write, figures: tuple[str, ...]) -> str:
    return f"{', '.join(figures)} in {write.case}: {write.asked}"


def cost() -> Iterator[tuple[str, float]]:
    """Milliseconds, the best of some: for a usual conversation, and for long ones."""
    yield "a usual summary", _best(by_hand(TUNED[0])[12], 20)
    chance = random.Random(1)
    rows = [
        {"id": f"A-{place}", "price": round(chance.uniform(1, 900), 2), "count": chance.randrange(99)}
        for place in range(2500)
    ]
    text = json.dumps(rows)[: 128 * 1024]
    yield "a summary of 128 KiB of JSON", _best(Right("All?", (rows,), "There are 2500, the first is 74.31."), 3)
    yield "a summary of 128 KiB of text", _best(Right("All?", (text,), "There are 2500, the first is 74.31."), 3)
    yield "a summary of 128 KiB, all figures", _best(Right("All?", ("none",), text), 3)
    yield "a summary of 128 KiB of digits", _best(Right("All?", ("1" * 131072,), "1 " * 65536), 3)
    yield "a summary of 128 KiB without a space", _best(Right("All?", ("a1-" * 43690,), "1.1,1" * 26214), 3)


def _best(right: Right, times: int) -> float:
    best = float("inf")
    for _ in range(times):
        unread = replace(right)
        begun = time.perf_counter()
        unread.wrong_figures()
        best = min(best, time.perf_counter() - begun)
    return 1000 * best
