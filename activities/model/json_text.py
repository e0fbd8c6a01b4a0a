"""JSON that means one thing to every reader, or is an error. Pure functions."""

import json
import math
from typing import NoReturn, TypeGuard, cast

from pydantic import JsonValue

LONGEST_QUOTE = 500
"""Characters of an endpoint's own words, or of the model's, that are quoted."""

Object = dict[str, JsonValue]

DEEPEST = 64
"""Levels of nesting. Arguments travel some levels down in other messages, and pydantic reads no more than 200."""


def parse(text: str) -> JsonValue:
    """JSON that means one thing and can be passed on: a repeated name, NaN, a number past all floats, half a surrogate
    pair and endless nesting are errors.

    Raises:
        ValueError: it is something else.
    """
    try:
        value = cast(
            JsonValue,
            json.loads(
                text,
                parse_constant=_not_json,
                parse_float=_finite,
                parse_int=_whole,
                object_pairs_hook=_without_repetition,
            ),
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _can_be_passed_on(value, DEEPEST)
    return value


def is_object(value: JsonValue) -> TypeGuard[Object]:
    return isinstance(value, dict)


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number[:40]} is too large")
    return value


def _whole(number: str) -> int:
    _finite(number)
    return int(number)


def _can_be_passed_on(value: JsonValue, levels: int) -> None:
    if levels == 0:
        raise ValueError("it is nested too deeply")
    match value:
        case str():
            value.encode()
        case list():
            for each in value:
                _can_be_passed_on(each, levels - 1)
        case dict():
            for name, each in value.items():
                name.encode()
                _can_be_passed_on(each, levels - 1)
        case _:
            pass


def _without_repetition(pairs: list[tuple[str, JsonValue]]) -> Object:
    found: Object = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name[:100]!r} is there twice")
        found[name] = value
    return found
