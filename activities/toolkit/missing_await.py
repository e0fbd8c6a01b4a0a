"""A tool that forgot an `await` has done nothing, and what it returned must not be taken for a result."""

from collections.abc import Awaitable, Coroutine
from typing import cast


async def awaited(running: Awaitable[object]) -> object:
    """What a tool's function came to.

    Raises:
        TypeError: it returned what is to be awaited once more.
    """
    result = await running
    # By its type: a result of a strange one may raise where it is asked anything.
    if not issubclass(type(result), Awaitable):
        return result
    if issubclass(type(result), Coroutine):
        cast("Coroutine[object, object, object]", result).close()  # or Python warns that nobody has awaited it
    raise TypeError("it returned something to be awaited: is an `await` missing?")
