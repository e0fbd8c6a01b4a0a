"""JSON as models and their endpoints write it: what any reader takes is read, and made fit to be passed on."""

import json
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeGuard, cast

from pydantic import JsonValue

from activities.sayable import sayable

LONGEST_QUOTE = 500
"""Characters of an endpoint's own words, or of the model's, that are quoted."""

Object = dict[str, JsonValue]
_Numbers = Callable[[str], float | None]

DEEPEST = 64
"""Levels of nesting of one value. Arguments travel some levels down in other messages, and pydantic reads no more than
200."""
DEEPEST_IN_ALL = 100
"""Levels of a whole reply: arguments that lost something at its end are deeper than `DEEPEST`, and so not run."""
LONGEST_NUMBER = 308
"""Digits of a whole number: more than that no float has, and Python reads no more than 4,300."""


class Ambiguous(Object):
    """An object in which a name is there twice. As with every other reader, the last one counts."""

    name: str


def decode(text: str) -> JsonValue:
    """Whatever Python's own `json` reads, with null for a number that is none (NaN, 1e999) or is endless.

    It may hold halves of surrogate pairs: `passable` joins or replaces them.

    Raises:
        ValueError: it is something else.
    """
    return _read(text, constant=lambda _: None, part=_finite, whole=_whole)


def passable(value: JsonValue) -> JsonValue:
    """The value without what cannot be passed on: U+FFFD stands for half of a surrogate pair, null for what is nested
    more than 100 levels deep. Lists and objects are changed in place."""
    whole: list[JsonValue] = [value]
    # Not by recursion: what `json` reads may be nested more deeply than functions may be.
    unseen = [_places(whole)]
    while unseen:
        for each, put in unseen[-1]:
            if isinstance(each, str):
                put(sayable(each))
            elif not each or not isinstance(each, list | dict):
                continue
            elif len(unseen) > DEEPEST_IN_ALL:
                put(None)
            else:
                unseen.append(_places(each))
                break
        else:
            unseen.pop()
    return whole[0]


def one_line(text: str) -> str:
    """The beginning of a stranger's words, for an error message."""
    return " ".join(text[: 4 * LONGEST_QUOTE].split())[:LONGEST_QUOTE]


def parse(text: str) -> JsonValue:
    """JSON that means one thing: a repeated name and endless nesting are errors, and so is a number that is none where
    it is all there is.

    Raises:
        ValueError: it is something else.
    """
    value = decode(text)
    if value is None and text.strip() != "null":
        raise ValueError(f"{text.strip()[:40]} is no number that can be passed on")
    require_clear(value)
    return passable(value)


def require_numbers(text: str) -> None:
    """Refuse JSON with a number that cannot be passed on: NaN, one that is endless, or has more digits than any float.

    Raises:
        ValueError: there is one, or it is no JSON.
    """

    def known(read: Callable[[str], float | None]) -> Callable[[str], float]:
        def number(written: str) -> float:
            value = read(written)
            if value is None:
                raise ValueError(f"{written[:40]} is no number that can be passed on")
            return value

        return number

    _read(text, constant=known(_finite), part=known(_finite), whole=known(_whole))


def require_clear(value: JsonValue, levels: int = DEEPEST) -> None:
    """Refuse JSON that can be read in two ways, or is nested too deeply.

    Raises:
        ValueError: a name is there twice, or it is nested too deeply.
    """
    if levels == 0:
        raise ValueError("it is nested too deeply")
    if isinstance(value, Ambiguous):
        raise ValueError(f"{sayable(value.name)[:100]!r} is there twice")
    if isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            require_clear(each, levels - 1)


def is_object(value: JsonValue) -> TypeGuard[Object]:
    return isinstance(value, dict)


def _read(text: str, *, constant: _Numbers, part: _Numbers, whole: _Numbers) -> JsonValue:
    """Whatever Python's own `json` reads.

    Args:
        text: of the JSON.
        constant: what NaN and infinity become.
        part: what a number with a point or an exponent becomes.
        whole: what a whole number becomes.

    Raises:
        ValueError: it is something else.
    """
    try:
        read = json.loads(
            text.removeprefix("\ufeff"),
            parse_constant=constant,
            parse_float=part,
            parse_int=whole,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return cast("JsonValue", read)


def _finite(number: str) -> float | None:
    value = float(number)
    return value if math.isfinite(value) else None


def _whole(number: str) -> int | None:
    return int(number) if len(number) <= LONGEST_NUMBER else None


def _object(pairs: list[tuple[str, JsonValue]]) -> Object:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen = set[str]()
    ambiguous = Ambiguous(found)
    ambiguous.name = next(name for name, _ in pairs if name in seen or seen.add(name))
    return ambiguous


def _places(holder: list[JsonValue] | Object) -> Iterator[tuple[JsonValue, Callable[[JsonValue], None]]]:
    """What a list or an object holds, each with a way to put another in its place."""
    if isinstance(holder, list):
        for index, each in enumerate(holder):
            yield each, partial(holder.__setitem__, index)
        return
    _rename(holder)
    for name, each in holder.items():
        yield each, partial(holder.__setitem__, name)


def _rename(value: Object) -> None:
    """Make its names sayable; their order stays."""
    if any(sayable(name) != name for name in value):
        renamed = {sayable(name): each for name, each in value.items()}
        value.clear()
        value.update(renamed)
