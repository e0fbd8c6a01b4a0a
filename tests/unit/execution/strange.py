"""What tools of other people return and raise."""

import enum
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, NoReturn

from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, RootModel, computed_field, field_serializer, model_serializer
from temporalio.exceptions import ApplicationError
from temporalio.exceptions import CancelledError as ActivityCancelled

from activities.errors import NotFound, OutcomeUnknown, ServiceUnavailable


class Colour(enum.Enum):
    RED = "red"
    HUGE = 10**5000

    def __repr__(self) -> str:
        return self.name  # for hypothesis, which shows what it tries


class Pair(NamedTuple):
    left: object
    right: object


@dataclass
class Record:
    name: object
    value: object


class Model(BaseModel):
    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)
    name: object
    value: object = None
    hidden: str = Field(default="hush", exclude=True)


class Typed(BaseModel):
    whole: int = 0
    part: float = 0
    text: str = ""
    raw: bytes = b""


class Anything(RootModel[object]):
    """A model that is one value."""


class BrokenModel(BaseModel):
    name: str = "ann"

    @model_serializer
    def _fail(self) -> dict[str, object]:
        raise OSError("no")


class BrokenField(BaseModel):
    name: str = "ann"
    age: int = 3

    @field_serializer("age")
    def _fail(self, _: int) -> int:
        raise OSError("no")

    @computed_field
    @property
    def older(self) -> int:
        raise OSError("no")


class Speechless:
    """Its `str` raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __str__(self) -> str:
        raise self.error


class Unrepresentable:
    """Its `repr` raises, by which its `str` is had."""

    def __repr__(self) -> str:
        raise OSError("no")


class Silent:
    """Its `str` is no text."""

    def __str__(self) -> str:
        return 3  # type: ignore[return-value]  # pyright: ignore[reportReturnType]  # on purpose


class Faceless:
    """Cannot even be asked what it is."""

    def __getattribute__(self, name: str) -> NoReturn:
        raise OSError(name)


def breaking_off(values: Iterable[object], error: BaseException) -> Iterable[object]:
    yield from values
    raise error


def circle(values: Iterable[object]) -> list[object]:
    around = [*values]
    around.append({"again": around})
    return around


def nested(value: object, levels: int) -> object:
    for _ in range(levels):
        value = [value]
    return value


def repeated(text: str, times: int) -> str:
    return text * times


def power_of_ten(digits: int, sign: int) -> int:
    return sign * 10**digits


texts = st.text(st.characters(exclude_categories=()), max_size=10)
"""With halves of surrogate pairs, NUL and the like."""
long_texts = st.builds(repeated, texts, st.sampled_from([1, 2_000, 20_000]))
huge_numbers = st.builds(power_of_ten, st.integers(4_290, 6_000), st.sampled_from([1, -1]))
anything_raised: st.SearchStrategy[BaseException] = st.sampled_from(
    [ValueError("no"), SystemExit(3), KeyboardInterrupt(), RecursionError(), MemoryError()]
)

_leaves: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    huge_numbers,
    long_texts,
    st.binary(max_size=10),
    st.binary(max_size=10).map(bytearray),
    st.datetimes(),
    st.timedeltas(),
    st.decimals(),
    st.fractions(),
    st.uuids(),
    texts.map(lambda text: Path(text.replace("\0", ""))),
    st.sampled_from(list(Colour)),
    anything_raised.map(Speechless),
    st.builds(Silent),
    st.builds(Faceless),
    st.builds(BrokenModel),
    st.builds(BrokenField),
    st.builds(Typed.model_construct, whole=huge_numbers, part=st.floats(), text=texts, raw=st.binary()),
    st.sampled_from([object(), object, len, ..., range(3), Decimal("sNaN")]),
)
_names: st.SearchStrategy[object] = st.one_of(
    texts,
    st.integers(),
    huge_numbers,
    st.floats(),
    st.none(),
    st.binary(max_size=3),
    st.dates(),
    st.builds(Silent),
    st.frozensets(st.integers(), max_size=2),
)


def _holders(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    several = st.lists(inner, max_size=4)
    named = st.dictionaries(_names, inner, max_size=4)
    holders: list[st.SearchStrategy[object]] = [
        several,
        several.map(tuple),
        several.map(deque),
        several.map(iter),
        several.map(circle),
        named,
        named.map(OrderedDict),
        st.builds(breaking_off, several, anything_raised),
        st.builds(nested, inner, st.sampled_from([60, 70, 190, 260, 2_000])),
        st.builds(Pair, inner, inner),
        st.builds(Record, inner, inner),
        st.builds(Model.model_construct, name=inner, value=inner),
        inner.map(Anything.model_construct),
        st.sets(_names, max_size=3),
    ]
    return st.one_of(holders)


strange_values = st.recursive(_leaves, _holders, max_leaves=8)


def _raised(kind: Callable[[str], BaseException], text: str) -> BaseException:
    return kind(text)


def _unavailable(text: str, pause: timedelta) -> BaseException:
    return ServiceUnavailable(text, retry_after=pause)


def _odd(name: str, says: object, base: type[Exception]) -> BaseException:
    """An exception of a class with this name, whose `str` is this, or raises it."""

    def say(_: object) -> object:
        if isinstance(says, BaseException):
            raise says
        return says

    return type(name, (base,), {"__str__": say})("x")


def _of_temporal(text: str, *, final: bool, details: list[str]) -> BaseException:
    return ApplicationError(text, *details, type="Odd", non_retryable=final)


def _several(text: str, errors: list[BaseException]) -> BaseException:
    return BaseExceptionGroup(text, errors)


_kinds: list[Callable[[str], BaseException]] = [
    *(ValueError, KeyError, OSError, SystemExit, KeyboardInterrupt, TimeoutError, NotFound, OutcomeUnknown),
    ActivityCancelled,
]
_single_errors: st.SearchStrategy[BaseException] = st.one_of(
    st.builds(_raised, st.sampled_from(_kinds), long_texts),
    st.builds(_unavailable, long_texts, st.timedeltas()),
    st.builds(
        _odd,
        st.sampled_from([1, 500_000]).map(lambda times: "Od\n" * times),
        st.sampled_from([ValueError("no"), SystemExit(3), 3, None, "\ud800"]),
        st.sampled_from([Exception, NotFound]),
    ),
    st.builds(_of_temporal, long_texts, final=st.booleans(), details=st.lists(texts, max_size=2)),
)
strange_errors = st.recursive(
    _single_errors, lambda inner: st.builds(_several, long_texts, st.lists(inner, min_size=1, max_size=7)), max_leaves=5
)
