"""Plain values that every message is made of, and how they are hashed."""

import hashlib
import json
from collections.abc import Iterator
from typing import Literal, TypeAlias
from unicodedata import category

from pydantic import JsonValue

Arguments: TypeAlias = dict[str, JsonValue]
Schema: TypeAlias = dict[str, JsonValue]
Effect: TypeAlias = Literal["read", "write"]
Ruling: TypeAlias = Literal["allow", "ask", "deny"]
AfterUntrusted: TypeAlias = Literal["ask", "deny", "allow-if-grounded"]
SettledBy: TypeAlias = Literal["asked again", "looked"]
"""The far end was asked again, which does nothing twice; or it was looked at, by the read that shows it."""
Extra: TypeAlias = dict[str, JsonValue]
"""What an endpoint put beside the fields that are known, to be given back to it as it came."""


UNSEEN = ("Cc", "Cf", "Zs", "Zl", "Zp")
"""Of Unicode's categories."""


def position(turn: int, index: int) -> str:
    """Where a call stands in its request, the part of its key behind the request id: "2.1" is turn 2, first call."""
    return f"{turn}.{index}"


def is_blank(text: str) -> bool:
    """Whether nobody could see anything of a text: blanks, control characters, marks of direction and width."""
    return all(category(each) in UNSEEN for each in text)


def sha256(value: JsonValue) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def texts(value: JsonValue) -> Iterator[str]:
    """Every text in a value, numbers as they are written."""
    match value:
        case None:
            return
        case list():
            for each in value:
                yield from texts(each)
        case dict():
            for each in value.values():
                yield from texts(each)
        case _:
            yield str(value)
