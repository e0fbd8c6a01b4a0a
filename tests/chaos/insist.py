"""Calls to a Temporal server that may be dead at the moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio.service import RPCError, RPCStatusCode

T = TypeVar("T")

PASSING = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.ABORTED,
    RPCStatusCode.INTERNAL,
    RPCStatusCode.UNKNOWN,
}


async def insist(ask: Callable[[], Awaitable[T]], *, each: float = 10) -> T:
    """Ask until the server answers.

    Args:
        ask: makes the call; it may be made again although the server has carried it out.
        each: seconds for one try.
    """
    while True:
        try:
            async with asyncio.timeout(each):
                return await ask()
        except TimeoutError:
            continue
        except RPCError as error:
            if (task := asyncio.current_task()) and task.cancelling():
                raise asyncio.CancelledError from error  # of which the SDK has made an error of its own
            if error.status not in PASSING:
                raise
        await asyncio.sleep(0.3)
