"""How writes ended that the ledger could not be told in time: their worker tells it once it is there again."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import chain, repeat

import structlog

from activities.errors import ServiceUnavailable

log = structlog.stdlib.get_logger(__name__)

PAUSES = (10.0, 30.0, 60.0)
"""Seconds before each try; the last one before every later try too."""


class LateEnds:
    """Of one worker, for as long as it runs. What it takes along when it ends, `client.py ledger recover` puts right.

    To tell it late is safe: the row changes only while it is that attempt's own.
    """

    def __init__(self) -> None:
        self._telling: set[asyncio.Task[None]] = set()
        self._closed = False

    async def aclose(self) -> None:
        self._closed = True
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    def tell(self, finish: Callable[[], Awaitable[bool]], **about: object) -> None:
        """Go on trying to write down how a write ended; returns at once.

        Args:
            finish: writes it down; false where the row is no longer the attempt's.
            about: what the log says of the write.
        """
        if self._closed:
            return
        task = asyncio.create_task(_tell(finish, about))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


async def _tell(finish: Callable[[], Awaitable[bool]], about: dict[str, object]) -> None:
    for pause in chain(PAUSES, repeat(PAUSES[-1])):
        await asyncio.sleep(pause)
        try:
            is_known = await finish()
        except ServiceUnavailable:
            continue
        log.info("the ledger was told late how a write ended" if is_known else "the ledger row was settled", **about)
        return
