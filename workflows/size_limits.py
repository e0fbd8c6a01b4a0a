"""Keeps what a request carries from turn to turn within bounds: the oldest is shortened first, and says so."""

from collections.abc import Callable
from typing import Generic, TypeVar

from pydantic import JsonValue
from pydantic_core import to_json

from workflows.contract.values import Arguments

K = TypeVar("K")
T = TypeVar("T")

CONVERSATION_BYTES = 192 * 1024
"""Every model call records its input, so this is what a turn costs at most, in history as in time."""
RECEIPTS_BYTES = 512 * 1024
HISTORY_BYTES = 3_500_000
"""Of one run, after which a request goes on in a new one. Temporal suggests it at 4 MiB; the last turn and all that is
carried over come on top of that."""
KEPT_BYTES = 240
"""What is left of a text that had to be shortened."""


def size(value: object) -> int:
    """The bytes of a value as JSON."""
    return len(to_json(value))


def shorten(value: JsonValue) -> JsonValue:
    """The same value if it is short; of a long one the beginning, as text."""
    if isinstance(value, str):
        return shorten_text(value)
    return value if size(value) <= 2 * KEPT_BYTES else shorten_text(to_json(value).decode())


def shorten_arguments(arguments: Arguments) -> Arguments:
    """Each argument by itself; where there are so many that this is not enough, the beginning of all, as text."""
    each = {name: shorten(value) for name, value in arguments.items()}
    return each if size(each) <= 4 * KEPT_BYTES else {"shortened": shorten_text(to_json(arguments).decode())}


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
    """Items in the order they first came, kept within a budget of bytes: what was put first is shortened first."""

    def __init__(self, budget: int, size: Callable[[T], int], shortened: Callable[[T, int], T]) -> None:
        """`shortened` makes an item shorter: by so many bytes, where it can stop there."""
        self._budget = budget
        self._size = size
        self._shortened = shortened
        self._items: dict[K, T] = {}
        self._sizes: dict[K, int] = {}
        self._whole: dict[K, None] = {}
        self._total = 0

    def __contains__(self, key: K) -> bool:
        return key in self._items

    def __getitem__(self, key: K) -> T:
        return self._items[key]

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> tuple[tuple[K, T], ...]:
        return tuple(self._items.items())

    def values(self) -> tuple[T, ...]:
        return tuple(self._items.values())

    def put(self, key: K, item: T) -> None:
        self._whole.pop(key, None)
        self._whole[key] = None
        self._replace(key, item)
        self.shorten_to(self._budget)

    @property
    def total(self) -> int:
        """Bytes."""
        return self._total

    @property
    def is_over(self) -> bool:
        """Although all that can be shortened is."""
        return self._total > self._budget

    def shorten_to(self, budget: int) -> None:
        """Shorten what was put first until so many bytes are left, if it goes so far."""
        while self._total > budget and self._whole:
            oldest = next(iter(self._whole))
            self._replace(oldest, self._shortened(self._items[oldest], self._total - budget))
            if self._total > budget:
                del self._whole[oldest]

    def drop(self, key: K) -> None:
        del self._items[key]
        self._whole.pop(key, None)
        self._total -= self._sizes.pop(key)

    def _replace(self, key: K, item: T) -> None:
        size = self._size(item)
        self._total += size - self._sizes.get(key, 0)
        self._sizes[key] = size
        self._items[key] = item
