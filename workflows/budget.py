"""Keeps what a request carries from turn to turn within bounds: the oldest is shortened first, and says so."""

from collections.abc import Callable
from typing import Generic, TypeVar

from pydantic import JsonValue

from workflows.contract import Arguments

K = TypeVar("K")
T = TypeVar("T")

CONVERSATION_BYTES = 512 * 1024
"""Every model call records its input, and a payload may have 2 MB."""
RECEIPTS_BYTES = 512 * 1024
KEPT_BYTES = 240
"""What is left of a text that had to be shortened."""


def size(value: JsonValue) -> int:
    """Roughly the bytes of a value as JSON."""
    match value:
        case str():
            return len(value.encode()) + 2
        case list():
            return sum(map(size, value)) + len(value) + 2
        case dict():
            return sum(size(name) + size(each) for name, each in value.items()) + 2 * len(value) + 2
        case _:
            return len(str(value))


def shorten(value: JsonValue) -> JsonValue:
    """The same value with its long texts cut to their beginnings."""
    match value:
        case str():
            return shorten_text(value)
        case list():
            return [shorten(each) for each in value]
        case dict():
            return shorten_arguments(value)
        case _:
            return value


def shorten_arguments(arguments: Arguments) -> Arguments:
    return {name: shorten(value) for name, value in arguments.items()}


def shorten_text(text: str) -> str:
    encoded = text.encode()
    if len(encoded) <= 2 * KEPT_BYTES:
        return text
    return f"{beginning(text, KEPT_BYTES)}… [shortened: {KEPT_BYTES} of {len(encoded):,} bytes]"


def beginning(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, cut between characters."""
    encoded = text.encode()
    return text if len(encoded) <= limit else encoded[:limit].decode(errors="ignore")


class Bounded(Generic[K, T]):
    """Items in the order they first came, kept within a budget of bytes: the oldest are shortened first."""

    def __init__(self, budget: int, size: Callable[[T], int], shortened: Callable[[T], T]) -> None:
        self._budget = budget
        self._size = size
        self._shortened = shortened
        self._items: dict[K, T] = {}
        self._whole: dict[K, None] = {}
        self._total = 0

    def __getitem__(self, key: K) -> T:
        return self._items[key]

    def __len__(self) -> int:
        return len(self._items)

    def values(self) -> tuple[T, ...]:
        return tuple(self._items.values())

    def put(self, key: K, item: T) -> None:
        self._whole[key] = None
        self._replace(key, item)
        while self._total > self._budget and self._whole:
            oldest = next(iter(self._whole))
            del self._whole[oldest]
            self._replace(oldest, self._shortened(self._items[oldest]))

    def _replace(self, key: K, item: T) -> None:
        if key in self._items:
            self._total -= self._size(self._items[key])
        self._total += self._size(item)
        self._items[key] = item
