"""The stages of what activities do, for whoever wants to time them: the model's call, the ledger's transactions, mail,
HTTP. Without an observer a stage is the function itself.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

if TYPE_CHECKING:
    from types import CoroutineType

P = ParamSpec("P")
T = TypeVar("T")

Running: TypeAlias = "CoroutineType[Any, Any, T]"
Observer = Callable[[str, Sequence[object]], AbstractContextManager[Callable[[object], object]]]
"""Gets a stage's name and the arguments of its function, and takes what that returns."""

OBSERVERS: list[Observer] = []
"""Of this process; set before its first activity."""


def stage(name: str) -> "Callable[[Callable[P, Running[T]]], Callable[P, Running[T]]]":
    """Let observers know when a function begins and ends."""

    def decorate(function: "Callable[P, Running[T]]") -> "Callable[P, Running[T]]":
        @wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> "Running[T]":
            made = function(*args, **kwargs)
            return _observed(name, args, made) if OBSERVERS else made

        return run

    return decorate


async def _observed(name: str, args: Sequence[object], made: Awaitable[T]) -> T:
    with ExitStack() as stack:
        tell = [stack.enter_context(observer(name, args)) for observer in OBSERVERS]
        result = await made
        for each in tell:
            each(result)
        return result
