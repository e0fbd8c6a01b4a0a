"""Text that can be passed on: encoded, stored, and held to a number of bytes."""

from bisect import bisect_right

from pydantic_core import to_json


def sayable(text: str) -> str:
    """The text with U+FFFD for every half of a surrogate pair that has lost the other."""
    if type(text) is str and text.isascii():  # not a class of its own, with methods of its own
        return text
    return str.encode(text, "utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def beginning(text: str, limit: int) -> str:
    """The beginning of a text that takes at most so many bytes in JSON, where a control character takes six."""
    if _bytes_in_json(text[: limit + 1]) <= limit:
        return text
    fitting = bisect_right(range(limit + 1), limit, key=lambda length: _bytes_in_json(text[:length]))
    return text[: fitting - 1]


def _bytes_in_json(text: str) -> int:
    return len(to_json(text)) - len('""')
