"""Steps that a request takes to their end although it is cancelled meanwhile: it is ending anyway."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


async def shielded(step: Coroutine[None, None, T]) -> T:
    """Await a step, however often this is cancelled."""
    running = asyncio.ensure_future(step)
    while True:
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            if running.done():
                raise
