"""Arguments as they are written down for an approval and a receipt, and whether they stay what they are.

What is written down is read again before the function runs, so reading it must give the same once more.
"""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from typing import Any, Literal, TypeAlias, cast

from pydantic import AliasChoices, BaseModel, JsonValue, RootModel
from pydantic.fields import FieldInfo
from pydantic_core import to_json

from activities.schema.problems import placed
from workflows.contract.values import Arguments

LONGEST_VALUE = 60
NOTHING = object()
Defaults: TypeAlias = Literal["none", "telling", "all"]
"""Which defaults are written down of what was not given: none, those that are not None or empty, or all."""


def written(found: BaseModel, defaults: Defaults) -> Arguments:
    """The arguments as JSON, under the names of the schema.

    Args:
        found: the arguments as they were read.
        defaults: which of those that were not given are there too.
    """
    options: Any = {"exclude_unset": defaults == "none", "by_alias": True, "round_trip": True, "warnings": False}
    return cast("Arguments", _as_in_schema(found, found.model_dump(mode="json", **options), defaults))


def can_be_written(found: BaseModel, field: str) -> bool:
    try:
        found.model_dump_json(include={field}, by_alias=True, round_trip=True, warnings=False)
    except Exception:  # serializers of others may raise anything
        return False
    return True


def change(before: object, after: object, path: tuple[str, ...] = ()) -> str:
    """The first place in which two values differ: "to.name: 1 → 2"."""
    pairs = _pairs(before, after)
    for name, one, other in pairs:
        if one != other:
            return change(one, other, (*path, name))
    return placed(path, f"{_shown(before)} → {_shown(after)}")


def same(one: Any, other: Any) -> bool:
    """Whether two values that were read are equal, but for what was not given."""
    if type(one) is not type(other):
        return False
    match one:
        case BaseModel():
            given = one.model_fields_set
            return given == other.model_fields_set and all(same(getattr(one, n), getattr(other, n)) for n in given)
        case list() | tuple():
            return len(one) == len(other) and all(map(same, one, other))  # pyright: ignore[reportUnknownArgumentType]
        case dict():
            return one.keys() == other.keys() and all(same(part, other[name]) for name, part in one.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        case _ if dataclasses.is_dataclass(one):
            names = [field.name for field in dataclasses.fields(one)]
            return all(same(getattr(one, name, None), getattr(other, name, None)) for name in names)
        case _:
            return _equal(one, other)


def _equal(one: Any, other: Any) -> bool:
    """Of a class that compares nothing, or whose comparison gives no boolean, as arrays' does, only what is written
    down can tell."""
    try:
        return type(one).__eq__ is object.__eq__ or bool(one == other)
    except Exception:  # classes of others may raise anything
        return True


def _as_in_schema(value: Any, dumped: JsonValue, defaults: Defaults) -> JsonValue:
    """Under the names by which a value is read, where pydantic writes others: with `validation_alias`."""
    if isinstance(value, RootModel):
        return _as_in_schema(value.root, dumped, defaults)  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    match dumped:
        case dict() if isinstance(value, BaseModel):
            return dict(_fields(value, dumped, defaults))
        case dict() if dataclasses.is_dataclass(value):
            return {name: _as_in_schema(getattr(value, name, None), part, defaults) for name, part in dumped.items()}
        case dict() if isinstance(value, Mapping) and len(cast("Mapping[Any, Any]", value)) == len(dumped):
            pairs = zip(cast("Mapping[Any, Any]", value).values(), dumped.items(), strict=True)
            return {name: _as_in_schema(each, part, defaults) for each, (name, part) in pairs}
        case list() if isinstance(value, Set):
            # Python gives a set of texts another order in every process.
            return sorted(dumped, key=to_json)
        case list() if isinstance(value, Collection) and len(cast("Collection[Any]", value)) == len(dumped):
            parts = zip(cast("Collection[Any]", value), dumped, strict=True)
            return [_as_in_schema(each, part, defaults) for each, part in parts]
        case _:
            return dumped


def _fields(value: BaseModel, dumped: Arguments, defaults: Defaults) -> Iterator[tuple[str, JsonValue]]:
    fields = {_written_name(name, field): (name, field) for name, field in type(value).model_fields.items()}
    for name, part in dumped.items():
        if name not in fields:
            yield name, part
            continue
        own, field = fields[name]
        said = _as_in_schema(getattr(value, own, None), part, defaults)
        if defaults != "telling" or own in value.model_fields_set or _is_telling(field, said):
            yield _read_name(own, field), said


def _is_telling(field: FieldInfo, default: JsonValue) -> bool:
    """What a factory makes may be another each time, and would make two equal calls differ."""
    return field.default_factory is None and default is not None and default not in ("", [], {})


def _written_name(name: str, field: FieldInfo) -> str:
    return field.serialization_alias or name


def _read_name(name: str, field: FieldInfo) -> str:
    """The first of its aliases that is a name, as in the schema."""
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return next((each for each in choices if isinstance(each, str)), name)


def _pairs(before: object, after: object) -> Sequence[tuple[str, object, object]]:
    """The parts of two values that may be compared one by one."""
    match before, after:
        case dict(), dict():
            one, other = cast("Arguments", before), cast("Arguments", after)
            return [(name, one.get(name, NOTHING), other.get(name, NOTHING)) for name in {**one, **other}]
        case list(), list() if len(cast("list[object]", before)) == len(cast("list[object]", after)):
            both = zip(cast("list[object]", before), cast("list[object]", after), strict=True)
            return [(str(place), one, other) for place, (one, other) in enumerate(both)]
        case _:
            return []


def _shown(value: object) -> str:
    text = "nothing" if value is NOTHING else to_json(value).decode()
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
