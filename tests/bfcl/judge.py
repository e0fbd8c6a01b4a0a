"""Whether a value fits a function's description, judged from the description itself and not by way of JSON Schema.

It is a second reading of the leaderboard's dialect, to hold the first to: types by the names that it uses, closed
objects where fields are named, and its known contradictions read as what was meant.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

Object = dict[str, Any]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and float(value).is_integer()


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


KINDS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("string", "String", "char"), _is(str)),
    **dict.fromkeys(("integer", "long"), _is_whole),
    **dict.fromkeys(("float", "double"), _is_number),
    **dict.fromkeys(("boolean", "Boolean"), _is(bool)),
    **dict.fromkeys(("dict", "HashMap"), _is(dict)),
    **dict.fromkeys(("array", "tuple", "Array", "ArrayList"), _is(list)),
    **dict.fromkeys(("any", ""), lambda _: True),
}


def fits(description: Object, value: Any) -> bool:
    if value is None and "default" in description and description["default"] is None:
        return True
    kind = KINDS[description["type"]]
    of_items, of_value = _values(description)
    if of_value is not None and not any(kind(each) for each in of_value):
        return _is_one_of(value, of_value)
    return (
        kind(value)
        and (of_value is None or _is_one_of(value, of_value))
        and (not isinstance(value, list) or _items_fit(description, of_items, cast("list[Any]", value)))
        and (not isinstance(value, dict) or _fields_fit(description, cast("Object", value)))
        and _in_bounds(description, value)
    )


def _in_bounds(description: Object, value: Any) -> bool:
    if isinstance(value, list):
        count = len(cast("list[Any]", value))
        return description.get("minItems", 0) <= count <= description.get("maxItems", count)
    return not _is_number(value) or value <= description.get("maximum", value)


def _values(description: Object) -> tuple[list[Any] | None, list[Any] | None]:
    """The enumeration: of the items, of the value."""
    values = description.get("enum")
    if values and KINDS[description["type"]]([]) and not any(isinstance(each, list) for each in values):
        return (values, None) if description["type"] not in ("any", "") else (None, values)
    return None, values


def _is_one_of(value: Any, values: list[Any]) -> bool:
    return any(
        value == each and (_is_number(value) == _is_number(each)) and isinstance(value, bool) == isinstance(each, bool)
        for each in values
    )


def _items_fit(description: Object, values: list[Any] | None, found: list[Any]) -> bool:
    items = description.get("items")
    return all((not items or fits(items, each)) and (values is None or _is_one_of(each, values)) for each in found)


def _fields_fit(description: Object, found: Object) -> bool:
    named = description.get("properties")
    if any(name not in found for name in description.get("required", ())):
        return False
    return named is None or all(name in named and fits(named[name], each) for name, each in found.items())


TRIED: tuple[Any, ...] = (
    *(None, "3", "x", "true", 1, 3.0, 2.5, True),
    *([], ["x"], [3], {}, {"x": 1}),
)
"""Put in place of whatever a value is made of."""


def instances(description: Object) -> Iterator[Any]:
    """Arguments that fit or nearly do: only the required, all, and all with each changed in one place."""
    yield example(description, full=False)
    everything = example(description, full=True)
    yield everything
    yield from changed(description, everything)


def changed(description: Object, value: Any) -> Iterator[Any]:
    """The value with one change: something else in its place or in a part's place, a part missing, or a part more."""
    yield from TRIED
    yield from description.get("enum", [])
    if isinstance(value, dict):
        yield from _with_fields_changed(description, cast("Object", value))
    elif isinstance(value, list) and value:
        yield from ([each] for each in changed(description.get("items", {}), cast("list[Any]", value)[0]))


def _with_fields_changed(description: Object, value: Object) -> Iterator[Object]:
    yield {**value, "unheard-of": 1}
    for name in value:
        yield {other: each for other, each in value.items() if other != name}
        part = description.get("properties", {}).get(name)
        yield from ({**value, name: each} for each in (changed(part, value[name]) if part else TRIED))


def example(description: Object, *, full: bool) -> Any:
    """A value of the type; it fits wherever the description allows any."""
    values = description.get("enum")
    kind = KINDS[description["type"]]
    if values and not _values(description)[0]:
        return values[0]
    if kind is KINDS["any"]:
        return "anything"
    if kind([]):
        items = {**description.get("items", {"type": "any"})}
        return [values[0] if values else example(items, full=full)] * max(1, description.get("minItems", 1))
    if kind({}):
        named: dict[str, Object] = description.get("properties", {})
        required: list[str] = description.get("required", [])
        wanted = list(named) + [name for name in required if name not in named] if full else required
        return {name: example(named.get(name, {"type": "any"}), full=full) for name in wanted}
    return next(each for each in ("text", 3, True) if kind(each))
