"""Whether a value occurs in a text as a word of its own."""

import re
from collections.abc import Iterator

EDGES = ".,;:!?'’\"`*_"
"""What may stand around a value in a text without being part of it."""
LONG = 300
"""Characters. Thousands of longer values, each beginning inside the one before, would take seconds to find."""
_BEFORE = re.compile(r"(?<![\w.+@-])(?<!\w['’!#$%&*/=?^`{|}~])")
_AFTER = re.compile(r"(?![\w@+-]|\.\w)")


def occurs(value: str, text: str) -> bool:
    """As a word of its own: ann@example.com does not occur in joann@example.com."""
    value = value.strip()
    folded, among = value.casefold(), text.casefold()
    if folded not in among:
        return False
    if len(folded) > LONG:
        value, text = folded, among
    return any(_BEFORE.match(text, start) and _AFTER.match(text, end) for start, end in _found(value, text))


def _found(value: str, text: str) -> Iterator[tuple[int, int]]:
    """Where the value stands in the text, in either case; one may begin inside another, unless it is long."""
    is_long = len(value) > LONG
    if not is_long and not (value.isascii() and text.isascii()):  # where letters may have other lengths in either case
        yield from (match.span(1) for match in re.finditer(f"(?=({re.escape(value)}))", text, re.IGNORECASE))
        return
    value, text = value.lower(), text.lower()
    start = text.find(value)
    while start >= 0:
        yield start, start + len(value)
        start = text.find(value, start + (len(value) if is_long else 1))
