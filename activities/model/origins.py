"""Where each argument of a call came from: the request, a message, an answer, a tool's result, or the model itself.

A value counts as coming from where it stands as a word of its own, in either case; a number also in another form
(27.0 for 27) or rounded. Of a text that the model worded, its numbers, addresses and links are looked up one by one.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, JsonValue

from activities.model.occurrence import EDGES, occurs
from workflows.contract.values import Arguments, texts

Where: TypeAlias = Literal[
    "request",
    "message",
    "answer",
    "tool",
    "stranger",
    "person",
    "plan",
    "default",
    "address book",
    "made up",
    "worded",
    "chosen",
]
WORDS: dict[Where, str] = {
    "request": "from the request",
    "message": "from a message of {by}",
    "answer": "from the answer of {by}",
    "tool": "from {tool} ({position})",
    "stranger": "from a stranger's text, by {tool} ({position})",
    "person": "put there by {by}",
    "plan": "from the plan",
    "default": "the tool's default",
    "address book": "from the address book",
    "made up": "made up by the model",
    "worded": "worded by the model",
    "chosen": "chosen by the model",
}
MOST_ORIGINS = 4
MOST_VALUES = 10
LONGEST_VALUE = 60
"""Characters."""
_SIGN = r"[^\s,;:<>()\"']"
_ADDRESS = rf"{_SIGN}+@{_SIGN}+"
PIECES = re.compile(
    rf"(https?://[^\s<>\"')]+|(?<!{_SIGN}){_ADDRESS}|\d+(?:[./-]\d+|(?P<comma>[,:])\d+)*)"
    rf"(?(comma)({_ADDRESS})?)"
)
"""What can be looked up in a text that was worded anew.

Each stretch of signs is looked through for an address once, where it begins or where a number that reaches into it
ends (12:30ann@example.com): a text of any length takes a time of its length.
"""
NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Origin(BaseModel):
    """One place that a value came from."""

    model_config = ConfigDict(frozen=True)

    where: Where
    tool: str = ""
    position: str = ""
    by: str = ""

    def __str__(self) -> str:
        return WORDS[self.where].format(tool=self.tool, position=self.position, by=self.by or "somebody")


class Source(BaseModel):
    """An argument's value, or a piece of its text, with every place that it may have come from, trusted ones first."""

    model_config = ConfigDict(frozen=True)

    argument: str
    value: JsonValue
    origins: tuple[Origin, ...]
    piece: bool = False
    """It is a piece of a text that the model worded."""

    @property
    def is_doubtful(self) -> bool:
        """Nobody whom the requester trusts has said it."""
        return self.origins[0].where in ("made up", "stranger")

    def is_of(self, name: str) -> bool:
        """Whether it is the argument of this name, or stands in it."""
        return self.argument == name or self.argument.startswith((f"{name}.", f"{name}["))


class Told(BaseModel):
    """Values of one argument that came from the same places, in a line for people."""

    model_config = ConfigDict(frozen=True)

    text: str
    is_doubtful: bool


@dataclass(frozen=True)
class Said:
    """Texts that did not come from the model."""

    origin: Origin
    texts: tuple[str, ...]

    @classmethod
    def of(cls, origin: Origin, value: JsonValue) -> "Said":
        try:
            parsed: JsonValue = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            parsed = value
        whole = (value,) if isinstance(value, str) else ()
        return cls(origin, (*whole, *texts(parsed)))

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        found = [NUMBER.findall(each) + NUMBER.findall(each.replace(",", "")) for each in self.texts]
        return tuple({float(number) for numbers in found for number in numbers if len(number) < 20})

    def has(self, value: str) -> bool:
        """Whether a value stands there, a number also in another form or less exact."""
        if any(occurs(value, text) for text in self.texts):
            return True
        if not NUMBER.fullmatch(plain := value.replace(",", "").removeprefix("-")) or len(plain) > 19:
            return False
        digits = len(plain.partition(".")[2])
        return any(round(number, digits) == float(plain) for number in self.numbers)


def sources(arguments: Arguments, said: Sequence[Said], address_book: Iterable[str] = ()) -> tuple[Source, ...]:
    """Every value in a call's arguments, with where it came from.

    Args:
        arguments: of the call.
        said: what was said before the model made the call.
        address_book: values that the worker took for mentioned; where none of the texts has one, its address book had.
    """
    known = frozenset(address_book)
    return tuple(source for path, value in _values("", arguments) for source in _of(path, value, said, known))


def told(name: str, found: Iterable[Source]) -> list[Told]:
    """Where one argument came from, a line for all values of the same origin: "18.4, 1013: from get_weather (1.1)"."""
    groups: dict[tuple[Origin, ...], list[Source]] = {}
    for source in found:
        if source.is_of(name):
            groups.setdefault(source.origins, []).append(source)
    return [_told(name, places, group) for places, group in groups.items()]


def _told(name: str, places: tuple[Origin, ...], group: Sequence[Source]) -> Told:
    where = ", ".join(map(str, places))
    # Of an argument that is one value, the value stands beside it.
    named = [_shortened(str(each.value)) for each in group if each.piece or each.argument != name]
    more = f" and {len(named) - MOST_VALUES} more" if len(named) > MOST_VALUES else ""
    values = f"{', '.join(named[:MOST_VALUES])}{more}: " if named else ""
    return Told(text=values + where, is_doubtful=group[0].is_doubtful)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_VALUE else f"{line[: LONGEST_VALUE - 1]}…"


def _values(path: str, value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    match value:
        case dict():
            for name, each in value.items():
                yield from _values(f"{path}.{name}" if path else name, each)
        case list():
            for index, each in enumerate(value):
                yield from _values(f"{path}[{index}]", each)
        case _:
            yield path, value


def _of(path: str, value: JsonValue, said: Sequence[Said], known: frozenset[str]) -> Iterator[Source]:
    if value is None or isinstance(value, bool) or value == "":
        yield Source(argument=path, value=value, origins=(Origin(where="chosen"),))
        return
    text = str(value)
    if found := _found(text, said):
        yield Source(argument=path, value=value, origins=found)
    elif text in known:
        yield Source(argument=path, value=value, origins=(Origin(where="address book"),))
    elif len(text.split()) < 2:
        yield Source(argument=path, value=value, origins=(Origin(where="made up"),))
    else:
        yield Source(argument=path, value=value, origins=(Origin(where="worded"),))
        for piece in dict.fromkeys(_pieces(text)):
            origins = _found(piece, said) or (Origin(where="made up"),)
            yield Source(argument=path, value=piece, origins=origins, piece=True)


def _pieces(text: str) -> Iterator[str]:
    for match in PIECES.finditer(text):
        yield from (piece.rstrip(EDGES) for piece in match.group(1, 3) if piece)


def _found(value: str, said: Sequence[Said]) -> tuple[Origin, ...]:
    found = dict.fromkeys(each.origin for each in said if each.has(value))
    return tuple(sorted(found, key=lambda origin: origin.where == "stranger"))[:MOST_ORIGINS]
