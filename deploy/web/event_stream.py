"""Streams of server-sent events: how they are answered, and how many one caller may have open.

It counts in this process. Several doors each allow as many.
"""

from collections import Counter
from collections.abc import AsyncIterable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from deploy.web.problems import Kind, Problem

AGAIN_IN = 15.0
"""Seconds. A reader that has gone is noticed when the next thing is told, or a ping."""


@dataclass
class StreamLimit:
    """`most` streams at once for each caller."""

    most: int
    _open: Counter[str] = field(default_factory=Counter[str])

    @contextmanager
    def one(self, caller: str) -> Generator[None]:
        """Count a stream while it is open.

        Raises:
            Problem: it is one too many.
        """
        if self._open[caller] >= self.most:
            most = f"{caller} has {self.most} streams of events open, which is the most (ERRAND_WEB_EVENT_STREAMS)"
            raise Problem(Kind.TOO_MANY, most, again_in=AGAIN_IN)
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]

    @property
    def known(self) -> int:
        """How many callers have one open."""
        return len(self._open)


class EventStream(StreamingResponse):
    """Events for one caller. What is one too many is refused before it begins."""

    def __init__(self, told: AsyncIterable[bytes], caller: str, limit: StreamLimit) -> None:
        # nginx and others collect what is streamed, unless they are told not to.
        super().__init__(told, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._caller = caller
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._limit.one(self._caller):
            await super().__call__(scope, receive, send)
