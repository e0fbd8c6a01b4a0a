"""A tool that returns what has still to be run has done nothing, and what it returned is no result."""

import dataclasses
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo

FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, partial)
LAZY: Mapping[str, tuple[type, ...]] = {
    "something to be awaited: is an `await` missing?": (Awaitable,),
    "what makes its parts only when it is asked for them ({}): return a list of them": (Iterator,),
    "what makes its parts only when it is asked for them ({}): return a list of them, by `async for`": (AsyncIterator,),
    "a function that nobody has called ({}): call it, and return its result": FUNCTIONS,
    "what may still be running ({}): wait for it, and return its result": (Future,),
}
"""What is to be said of what is lazy; {} is its type."""

_PLAIN = (str, int, float, bool, bytes, type(None))
_LISTS = (list, tuple, set, frozenset, deque)


async def awaited(running: Awaitable[object]) -> object:
    """What a tool's function came to.

    Raises:
        TypeError: it returned what has still to be run, or what holds such a thing.
    """
    result = await running
    if why := _why_not_whole(result):
        raise TypeError(why)
    return result


def _why_not_whole(result: object) -> str:
    """What is lazy in a result, and what to do about it; nothing, where all of it is there. None of it is run."""
    why = ""
    seen: dict[int, object] = {}
    unseen = [result]
    while unseen:
        part = unseen.pop()
        if type(part) in _PLAIN or id(part) in seen:
            continue
        seen[id(part)] = part
        found = _why_lazy(part)
        why = why or found
        unseen += _parts(part)[::-1]
    return why


def _why_lazy(part: object) -> str:
    # By its type: a result of a strange one may raise where it is asked anything.
    kind = type(part)
    if issubclass(kind, Coroutine):
        cast("Coroutine[object, object, object]", part).close()  # or Python warns that nobody has awaited it
    whys = (why for why, kinds in LAZY.items() if issubclass(kind, kinds))
    return next((f"it returned {why}".format(kind.__name__) for why in whys), "")


def _parts(value: object) -> Sequence[object]:
    """What a value holds, as far as it is kept with it."""
    kind = type(value)
    try:
        if issubclass(kind, dict):
            return [*dict[Any, Any].values(cast("dict[Any, Any]", value))]
        for holder in _LISTS:
            if issubclass(kind, holder):  # by its own way: that of a stranger's class may do anything
                return [*cast("Any", holder).__iter__(value)]
        if fields := getattr(kind, "__pydantic_fields__", None):
            return [*_fields(value, fields)]
        if dataclasses.is_dataclass(kind):
            return [getattr(value, field.name, None) for field in dataclasses.fields(kind)]
    except Exception:  # of a class that cannot be looked at
        return ()
    return ()


def _fields(model: object, fields: Mapping[str, FieldInfo]) -> Iterable[object]:
    """Of a model, or of a data class of pydantic's, what is written down of it."""
    yield from (getattr(model, name, None) for name, field in fields.items() if not field.exclude)
    if isinstance(model, BaseModel):
        yield from (model.model_extra or {}).values()
