"""JSON Schema validators whose work is bounded, and which fetch nothing.

They judge as `jsonschema`'s do. What differs: patterns run on an engine whose time is linear, `uniqueItems` takes
linear time, an unknown or missing field has a place of its own, and after `MOST_STEPS` a value is given up.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import cache, lru_cache
from typing import Any, cast

from jsonschema import Draft4Validator, Draft6Validator, Draft7Validator, Draft201909Validator, Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend  # pyright: ignore[reportUnknownVariableType]
from pydantic_core import SchemaError, SchemaValidator, core_schema

MOST_STEPS = 300_000
"""Keywords applied to values: a few seconds' worth."""
STEPS_OF_A_REFERENCE = 20

Keyword = Callable[[Any, Any, Any, Any], Iterable[ValidationError] | None]
Drafts = {
    "http://json-schema.org/draft-04/schema": Draft4Validator,
    "http://json-schema.org/draft-06/schema": Draft6Validator,
    "http://json-schema.org/draft-07/schema": Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": Draft201909Validator,
}

_left: ContextVar[int] = ContextVar("steps left", default=MOST_STEPS)


class TooMuchWork(Exception):
    """A value cannot be judged in bounded time."""


def start_counting() -> None:
    _left.set(MOST_STEPS)


def draft(document: Mapping[str, Any]) -> type[Validator]:
    """The draft that a schema says it is written in; where it says nothing that is known, 2020-12."""
    return Drafts.get(str(document.get("$schema", "")).rstrip("#"), Draft202012Validator)


@cache
def bounded(of: type[Validator]) -> type[Validator]:
    """The validator of a draft, with bounded keywords."""
    keywords = cast("dict[str, Keyword]", {**of.VALIDATORS})
    keywords.update(
        pattern=_pattern,
        patternProperties=_pattern_properties,
        additionalProperties=_additional_properties,
        required=_required,
        uniqueItems=_unique_items,
    )
    counted = {name: _counted(name, keyword) for name, keyword in keywords.items()}
    return cast("type[Validator]", extend(of, validators=cast(Any, counted)))


def is_linear(pattern: str) -> bool:
    """Whether the engine of linear time knows the pattern: look-around and back-references it does not."""
    return not isinstance(_matcher(pattern), re.Pattern)


def _counted(name: str, keyword: Keyword) -> Keyword:
    steps = STEPS_OF_A_REFERENCE if name in ("$ref", "$dynamicRef", "$recursiveRef") else 1

    def apply(validator: Any, value: Any, instance: Any, schema: Any) -> Iterable[ValidationError] | None:
        left = _left.get() - steps
        if left < 0:
            raise TooMuchWork
        _left.set(left)
        return keyword(validator, value, instance, schema)

    return apply


@lru_cache(maxsize=1000)
def _matcher(pattern: str) -> SchemaValidator | re.Pattern[str]:
    pattern = _of_ascii(pattern)
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError:
        return re.compile(pattern)


def _of_ascii(pattern: str) -> str:
    r"""The pattern with `\d` and `\w` as JSON Schema means them: of ASCII alone (ECMA-262 section 22.2.2.9)."""
    in_class = False

    def spelled_out(found: re.Match[str]) -> str:
        nonlocal in_class
        part = found[0]
        in_class = part == "[" or (in_class and part != "]")
        letters = {r"\d": "0-9", r"\w": "A-Z_a-z0-9"}.get(part)
        return part if letters is None else letters if in_class else f"[{letters}]"

    return re.sub(r"\\.|[\[\]]", spelled_out, pattern, flags=re.DOTALL)


def _matches(pattern: str, text: str) -> bool:
    matcher = _matcher(pattern)
    return bool(matcher.search(text)) if isinstance(matcher, re.Pattern) else matcher.isinstance_python(text)


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _matches(pattern, instance):
        yield ValidationError("pattern")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    for name, value in _fields(instance):
        for pattern, schema in patterns.items():
            if _matches(pattern, name):
                yield from validator.descend(value, schema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, value in _fields(instance):
        if name in known or any(_matches(pattern, name) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError("unknown", path=(name,))
        else:
            yield from validator.descend(value, allowed, path=name)


def _required(_validator: Any, names: Sequence[str], instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        yield from (ValidationError("missing", path=(name,)) for name in names if name not in instance)


def _unique_items(_validator: Any, wanted: bool, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if wanted and isinstance(instance, list):
        items = cast("list[Any]", instance)
        if len({_hashable(item) for item in items}) < len(items):
            yield ValidationError("not unique")


def _hashable(value: Any) -> object:
    """The same for values that are equal as JSON: 1 and 1.0, but not 1 and true."""
    match value:
        case bool():
            return ("bool", value)
        case list():
            return ("list", *map(_hashable, cast("list[Any]", value)))
        case dict():
            return ("dict", frozenset((name, _hashable(each)) for name, each in _fields(value)))
        case _:
            return value


def _fields(instance: Any) -> Iterable[tuple[str, Any]]:
    return cast("dict[str, Any]", instance).items() if isinstance(instance, dict) else ()
