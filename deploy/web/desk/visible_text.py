"""Somebody else's text, for a page: escaped, and with nothing in it that cannot be seen.

An approver decides about what is shown. So what a browser would leave out, turn round or draw as nothing (controls,
the marks of bidirectional text, characters without width, spaces that are none) is shown by its number.
"""

import unicodedata
from dataclasses import dataclass

from markupsafe import Markup, escape
from pydantic import JsonValue
from pydantic_core import to_json

IGNORABLE = (
    *(range(0x034F, 0x0350), range(0x115F, 0x1161), range(0x17B4, 0x17B6), range(0x180B, 0x1810)),
    *(range(0x2800, 0x2801), range(0x3164, 0x3165), range(0xFE00, 0xFE10), range(0xFFA0, 0xFFA1)),
    range(0xE0000, 0xE1000),
)
"""Drawn as nothing, though their category does not say so: Unicode's Default_Ignorable_Code_Point, and the blank of
braille."""
UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
AT_ONCE = 600
"""Characters of a text that are shown without a click."""
LINES_AT_ONCE = 12


def shown(text: object) -> Markup:
    """A text as HTML; its lines stay lines."""
    parts = [Markup("<mark>[U+{:04X}]</mark>").format(ord(c)) if is_unseen(c) else escape(c) for c in str(text)]
    return Markup("").join(parts)


def in_one_line(text: object) -> Markup:
    """A text as HTML in which no line is broken."""
    return shown(str(text).replace("\r\n", "\n").replace("\n", " ↵ ").replace("\t", " "))


def is_unseen(character: str) -> bool:
    if character in "\n\t":
        return False
    category = unicodedata.category(character)
    is_odd_space = category == "Zs" and character != " "
    return category in UNSEEN or is_odd_space or any(ord(character) in each for each in IGNORABLE)


def hides_something(text: object) -> bool:
    return any(map(is_unseen, str(text)))


@dataclass(frozen=True)
class Cut:
    """The beginning of a long text, and the whole; `more` says how much is behind the beginning."""

    beginning: str
    whole: str
    more: str


def cut(text: str) -> Cut | None:
    """A text that is too long to be shown at once; None where it is not."""
    lines = text.split("\n")
    beginning = "\n".join(lines[:LINES_AT_ONCE])[:AT_ONCE]
    if len(beginning) == len(text):
        return None
    left = text[len(beginning) :]
    return Cut(beginning, text, f"{len(left):,} more characters, {left.count(chr(10)):,} more lines")


def as_text(value: JsonValue) -> str:
    """A value as a person reads it: a text as it stands, a list of texts one a line, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(each, str) and "\n" not in each for each in value):
        return "\n".join(str(each) for each in value)
    return to_json(value, indent=2 if isinstance(value, dict | list) else None).decode()
