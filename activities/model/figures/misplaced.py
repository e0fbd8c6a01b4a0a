"""Which numbers of a call the request says, but not so: once and not twice, or another at that place of a list."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from pydantic import JsonValue

from activities.model.figures.grounds import Grounds
from activities.model.figures.numbers import TOO_COMMON, FieldNumber, numbers_in
from activities.model.figures.numerals import number_words
from activities.model.figures.offered import written
from activities.model.figures.reading import figures_in

SMALL = 100
"""Larger numbers are seldom the same by chance."""
SHORTEST_LIST = 3
MOST_LISTS = 50
LONGEST_SAID = 500
"""Numbers of the request."""
ITEM = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,15})?(?!\w|\.\d)")
"""Of a list, also of one without spaces."""


def misplaced_numbers(value: JsonValue, numbers: Sequence[FieldNumber], grounds: Grounds) -> list[str]:
    """Each with how it is wrong: "5 twice", or "76 in 12, 34, 76, 78".

    Args:
        value: the arguments of a call, or an output.
        numbers: those of it that are checked.
        grounds: what was said and found.
    """
    given = [number for number in numbers if abs(number.value) not in TOO_COMMON]
    if not given or grounds.too_many:
        return []
    return [*dict.fromkeys([*_twice(value, given, grounds), *_odd_ones(value, grounds)])]


def _twice(value: JsonValue, given: Sequence[FieldNumber], grounds: Grounds) -> Iterator[str]:
    """Small ones that the request alone says, and once, in fields of different names, where another that it says is
    left out."""
    used = Counter(value for _, value in {(number.name, abs(float(number.value))) for number in given})
    often = [number for number, times in used.items() if times > 1 and number < SMALL]
    if not often:
        return
    said = Counter(_said(grounds))
    texts = " ".join(written(value))
    in_texts = {abs(number) for figure in figures_in(texts) for number in (each.value for each in figure.numbers)}
    if not said.keys() - used.keys() - in_texts - set(map(float, TOO_COMMON)):
        return
    for number in often:
        if said[number] == 1 and number not in grounds.found_numbers:
            yield f"{number:g} twice"


def _said(grounds: Grounds) -> Iterator[float]:
    for text in grounds.said_texts:
        for figure in islice(figures_in(text), LONGEST_SAID):
            yield from {abs(each.value) for each in figure.numbers}
            yield from (abs(each.value) for part in figure.parts for each in part.numbers)
        yield from number_words(text)


def _odd_ones(value: JsonValue, grounds: Grounds) -> Iterator[str]:
    """Of a list of numbers that the request has with one other number, the one that differs."""
    parts = value.values() if isinstance(value, dict) else ()
    together = [number for part in parts if isinstance(part, list) for number in _numbers(part)]
    lists = [each for each in (*_lists(value), together) if len(each) >= SHORTEST_LIST][:MOST_LISTS]
    if not lists:
        return
    said = [[float(each) for each in ITEM.findall(text)[:LONGEST_SAID]] for text in grounds.said_texts]
    for each in lists:
        size = len(each)
        windows = [line[start : start + size] for line in said for start in range(len(line) - size + 1)]
        differing = [[at for at in range(size) if window[at] != each[at]] for window in windows]
        if all(differing) and (odd := {places[0] for places in differing if len(places) == 1}):
            yield f"{each[min(odd)]:g} in {', '.join(f'{number:g}' for number in each)}"


def _lists(value: JsonValue) -> Iterator[list[float]]:
    match value:
        case list():
            numbers = _numbers(value)
            if len(numbers) == len(value):
                yield numbers
            else:
                for each in value:
                    yield from _lists(each)
        case dict():
            for each in value.values():
                yield from _lists(each)
        case _:
            return


def _numbers(value: list[JsonValue]) -> list[float]:
    """Of a list, and of lists in it."""
    return [float(number.value) for number in numbers_in(value)]
