"""Values that can be passed on: as JSON that every reader takes.

Temporal's converter writes more than it reads: whole numbers of more than 4,300 digits, lists of more than 200 levels.
Other values, such as half of a surrogate pair, it does not even write.
"""

import dataclasses
import math
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, cast

import structlog
from pydantic import BaseModel, JsonValue
from pydantic_core import from_json, to_json, to_jsonable_python

from activities.error_text import in_one_line, trace_of
from activities.sayable import sayable

log = structlog.stdlib.get_logger(__name__)
M = TypeVar("M", bound=BaseModel)

MOST_DIGITS = 4300
"""Of a whole number: Python reads no more, and neither does jiter, by which pydantic reads JSON."""
MOST_LEVELS = 200
"""Of lists and objects; jiter reads no more."""
MOST_PARTS = 1_000_000
"""Of one value. What yields its parts one by one may do so for ever."""

NOT_JSON = "(cannot be kept as JSON)"
TOO_DEEP = "(nested too deeply)"
A_CIRCLE = "(refers to itself)"
LEFT_OUT = f"(the rest is left out: there are more than {MOST_PARTS:,} parts)"

_TOO_LARGE = 10**MOST_DIGITS
_LISTS = (list, tuple, set, frozenset, deque)


def readable(value: object) -> JsonValue:
    """Any value as JSON that every reader takes: what pydantic makes of it, as far as that can be kept.

    In place of a part that cannot be kept stands a text that says so, in brackets. U+FFFD stands for half of a
    surrogate pair, null for NaN and infinity. Never raises.
    """
    return _Conversion().of(value, MOST_LEVELS)


def readable_message(message: M) -> tuple[M, str]:
    """As every reader takes it, with its JSON; the very same where it is so already, or cannot be made so."""
    try:
        text = to_json(message)
        from_json(text)
    except ValueError:
        log.warning("a message has parts that cannot be passed on", message=type(message).__name__)
    else:
        return message, text.decode()
    plain = readable(message)
    with suppress(ValueError):
        message = type(message).model_validate(plain)
    return message, to_json(plain).decode()


class _Conversion:
    """Of one value, part by part, so that what one part raises costs only this part."""

    def __init__(self) -> None:
        self._left = MOST_PARTS
        self._around: set[int] = set()
        """The lists and objects that the current part is in, by identity."""
        self._is_told = False

    def of(self, value: object, levels: int, *, foreign: bool = True) -> JsonValue:
        """A part of a value as JSON.

        Args:
            value: a part.
            levels: that it may have.
            foreign: whether pydantic is to be asked where it is none of Python's own lists, dictionaries and scalars.
        """
        self._left -= 1
        try:
            if scalar := _SCALARS.get(type(value)):
                return scalar(value)
            if id(value) in self._around:
                return A_CIRCLE
            if type(value) in _LISTS or hasattr(type(value), "__next__"):
                return self._list(cast("Iterable[object]", value), levels)
            if type(value) is dict:
                return self._object(cast("dict[object, object]", value), levels)
            return self._converted(value, levels) if foreign else self._in_words(value)
        except BaseException as error:  # the classes of a tool may raise anything, also where they are only looked at
            return self._not_kept(error)

    def _list(self, values: Iterable[object], levels: int) -> JsonValue:
        if levels <= 0:
            return TOO_DEEP
        found: list[JsonValue] = []
        with self._inside(values):
            try:
                for each in values:
                    if self._left <= 0:
                        found.append(LEFT_OUT)
                        break
                    found.append(self.of(each, levels - 1))
            except BaseException as error:  # raised by what yields the parts
                found.append(self._not_kept(error))
        return found

    def _object(self, values: dict[object, object], levels: int) -> JsonValue:
        if levels <= 0:
            return TOO_DEEP
        found: dict[str, JsonValue] = {}
        with self._inside(values):
            for name, each in values.items():
                if self._left <= 0:
                    found["…"] = LEFT_OUT
                    break
                found[self._name(name)] = self.of(each, levels - 1)
        return found

    def _name(self, name: object) -> str:
        if type(name) in (str, int):
            return str(_SCALARS[type(name)](name))
        try:
            [plain] = to_jsonable_python({name: None}, fallback=self._in_words, inf_nan_mode="null")
        except BaseException:  # as above
            return self._in_words(name)
        return sayable(plain)

    def _converted(self, value: object, levels: int) -> JsonValue:
        """As pydantic has it: models, data classes, dates, enumerations; of anything else its `str`."""
        try:
            plain = to_jsonable_python(value, fallback=self._in_words, inf_nan_mode="null")
        except BaseException as error:  # as above
            return self._by_parts(value, levels, error)
        return self.of(plain, levels, foreign=False)

    def _by_parts(self, value: object, levels: int, error: BaseException) -> JsonValue:
        """What pydantic makes of each part of what it cannot convert as a whole."""
        if isinstance(value, bytes | bytearray):
            return f"({len(value):,} bytes that are no text)"
        if isinstance(value, dict):
            return self._object(cast("dict[object, object]", value), levels)
        if isinstance(value, _LISTS):
            return self._list(cast("Iterable[object]", value), levels)
        found: dict[str, JsonValue] = {}
        for name in _field_names(value):
            try:
                plain = to_jsonable_python(value, include={name}, fallback=self._in_words, inf_nan_mode="null")
            except BaseException as of_this:  # as above
                found[name] = self._not_kept(of_this)
            else:
                found |= {self._name(key): self.of(each, levels - 1, foreign=False) for key, each in plain.items()}
        return found or self._not_kept(error)

    def _in_words(self, value: object) -> str:
        try:
            return sayable(str(value))
        except BaseException as error:  # as above
            return self._not_kept(error)

    def _not_kept(self, error: BaseException) -> str:
        if not self._is_told:
            told = {"error": in_one_line(error), "exception": trace_of(error)}
            log.warning("a part of a tool's result cannot be kept as JSON", **told)
        self._is_told = True
        return NOT_JSON

    @contextmanager
    def _inside(self, value: object) -> Generator[None]:
        self._around.add(id(value))
        try:
            yield
        finally:
            self._around.discard(id(value))


def _itself(value: bool | None) -> JsonValue:
    return value


def _whole_number(value: int) -> JsonValue:
    if -_TOO_LARGE < value < _TOO_LARGE:
        return value
    return f"(a whole number of about {int(value.bit_length() * math.log10(2)) + 1:,} digits)"


def _number(value: float) -> JsonValue:
    return value if math.isfinite(value) else None


_SCALARS: dict[type, Callable[[Any], JsonValue]] = {
    type(None): _itself,
    bool: _itself,
    int: _whole_number,
    float: _number,
    str: sayable,
}


def _field_names(value: object) -> Iterable[str]:
    """Of a model or a data class."""
    if isinstance(value, BaseModel):
        kind = type(value)
        return [*kind.model_fields, *kind.model_computed_fields, *(value.model_extra or ())]
    if dataclasses.is_dataclass(value):
        return [field.name for field in dataclasses.fields(value)]
    return ()
