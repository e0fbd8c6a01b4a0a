"""Asynchronous steps at the start of a worker, whose assembly is not asynchronous."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def in_own_loop(step: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a step in a loop of its own, whether or not the caller is in one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(step())).result()
