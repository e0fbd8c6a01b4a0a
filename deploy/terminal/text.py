"""Strangers' words, made fit for one terminal: the requester's, the model's, a web page's.

They are text, never markup, and characters that would move the cursor or turn the writing direction are shown as
escapes.
"""

import json
from collections.abc import Iterable

from pydantic import JsonValue

from workflows.contract.values import Arguments

WIDEST_COLUMN = 40


def visible(text: str) -> str:
    """The text with every character that cannot be seen written as an escape; new lines stay."""
    return "".join(each if each.isprintable() or each in "\n\u00a0" else _escape(each) for each in text)


def compact(value: JsonValue) -> str:
    """A value on one line: an object as `name=value`, anything else as JSON."""
    if isinstance(value, dict):
        return " ".join(f"{name}={json.dumps(each, ensure_ascii=False)}" for name, each in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def arguments(values: Arguments, room: int) -> str:
    """`to=["ann@example.com"] subject="…"`, where long values give way so that all names can be seen."""
    whole = visible(compact(values))
    if len(whole) <= room:
        return whole
    each = max(12, room // max(1, len(values)) - 1)
    return short(" ".join(short(compact({name: value}), each) for name, value in values.items()), room)


def short(text: str, room: int) -> str:
    """On one line, and at most so long."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= room else line[: max(room, 2) - 1] + "…"


def column_width(texts: Iterable[str], widest: int = WIDEST_COLUMN) -> int:
    """Of a list; what is longer makes its own line longer, and takes nothing from the others."""
    return min(max(map(len, texts), default=0), widest)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
