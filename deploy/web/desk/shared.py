"""What many readers ask for again and again, asked once for all of them."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

V = TypeVar("V")

FORGOTTEN_AFTER = 60.0
"""Seconds after which an answer that nobody has asked for anew is let go."""


@dataclass(frozen=True)
class _Asked(Generic[V]):
    answer: "asyncio.Task[V]"
    at: float
    about: Hashable

    @property
    def has_failed(self) -> bool:
        return self.answer.done() and (self.answer.cancelled() or self.answer.exception() is not None)


@dataclass
class Shared(Generic[V]):
    """The latest answer for each of those who may not see each other's.

    A reader that goes away takes no answer from the others who wait for it.
    """

    clock: Callable[[], float] = time.monotonic
    _asked: dict[str | None, _Asked[V]] = field(default_factory=dict[str | None, _Asked[V]])

    async def get(
        self, whose: str | None, ask: Callable[[], Coroutine[Any, Any, V]], *, age: float = 0, about: Hashable = None
    ) -> V:
        """An answer that was asked for no longer ago than `age` seconds, and `about` the same; else one that is new.

        Raises whatever `ask` does.
        """
        now, known = self.clock(), self._asked.get(whose)
        if known is None or known.has_failed or known.about != about or now - known.at >= age:
            known = _Asked(asyncio.create_task(ask()), now, about)
            self._asked = {name: each for name, each in self._asked.items() if now - each.at < FORGOTTEN_AFTER}
            self._asked[whose] = known
            known.answer.add_done_callback(_looked_at)
        return await asyncio.shield(known.answer)


def _looked_at(answer: "asyncio.Task[V]") -> None:
    """asyncio complains of a failure that nobody has seen, as where every reader has gone."""
    if not answer.cancelled():
        answer.exception()
