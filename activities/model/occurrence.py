"""Whether a value occurs in a text as a word of its own."""

import re
from collections.abc import Iterator

EDGES = ".,;:!?'’\"`*_"
"""What may stand around a value in a text without being part of it."""
_BEFORE = re.compile(r"(?<![\w.+@-])(?<!\w['’!#$%&*/=?^`{|}~])")
_AFTER = re.compile(r"(?![\w@+-]|\.\w)")


def occurs(value: str, text: str) -> bool:
    """As a word of its own: ann@example.com does not occur in joann@example.com."""
    value = value.strip()
    if value.casefold() not in text.casefold():
        return False
    return any(_BEFORE.match(text, start) and _AFTER.match(text, end) for start, end in _found(value, text))


def _found(value: str, text: str) -> Iterator[tuple[int, int]]:
    """Where the value stands in the text, in either case; one may begin inside another."""
    if not (value.isascii() and text.isascii()):  # where letters may have other lengths in the other case
        yield from (match.span(1) for match in re.finditer(f"(?=({re.escape(value)}))", text, re.IGNORECASE))
        return
    value, text = value.lower(), text.lower()
    start = text.find(value)
    while start >= 0:
        yield start, start + len(value)
        start = text.find(value, start + 1)
