"""What is wrong with a value, in words for a model: where and what, and never the value itself.

The words are those of pydantic, which judges after the schema has.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, cast

from jsonschema.exceptions import ValidationError
from pydantic_core import to_json

MOST_PROBLEMS = 5
LONGEST_PLACE = 100
LONGEST_VALUES = 200
LONGEST = 1000
"""Characters of all problems together."""

MOST_SHOWN = 50
MOST_NAMES = 5
TELLING = ("type", "format", "enum", "const", "$ref")

WANTED: Mapping[str, str] = {
    "null": "null",
    "boolean": "a valid boolean",
    "string": "a valid string",
    "integer": "a valid integer",
    "number": "a valid number",
    "array": "a valid list",
    "object": "a valid object",
}
LIMITS: Mapping[str, str] = {
    "minimum": "Input should be at least {}",
    "maximum": "Input should be at most {}",
    "exclusiveMinimum": "Input should be more than {}",
    "exclusiveMaximum": "Input should be less than {}",
    "multipleOf": "Input should be a multiple of {}",
    "minLength": "Input should have at least {} characters",
    "maxLength": "Input should have at most {} characters",
    "minItems": "Input should have at least {} items",
    "maxItems": "Input should have at most {} items",
    "minProperties": "Input should have at least {} fields",
    "maxProperties": "Input should have at most {} fields",
    "pattern": "Input should match {}",
    "const": "Input should be {}",
    "enum": "Input should be one of {}",
    "anyOf": "Input should be one of {}",
    "oneOf": "Input should be exactly one of {}",
}


def in_words(problems: Iterable[str]) -> str:
    return "; ".join(islice(problems, MOST_PROBLEMS))[:LONGEST]


def problems(errors: Iterable[ValidationError]) -> Iterator[str]:
    """Each with its place: "place.city: Field required"."""
    for error in errors:
        yield from _problems(error, ())


def placed(path: Iterable[object], what: str) -> str:
    """ "place.city: Field required"."""
    where = ".".join(map(str, path))[:LONGEST_PLACE]
    return f"{where}: {what}" if where else what


def _problems(error: ValidationError, above: tuple[object, ...]) -> Iterator[str]:
    path = (*above, *error.relative_path)
    likely = _likely(error) if error.validator in ("anyOf", "oneOf") else []
    if not likely:
        yield placed(path, _what(error))
    for each in likely:
        yield from _problems(each, path)


def _likely(error: ValidationError) -> list[ValidationError]:
    """The errors of the one branch whose type fits, if it is one."""
    branches: dict[object, list[ValidationError]] = {}
    for each in error.context or ():
        branches.setdefault(each.relative_schema_path[0], []).append(each)
    typed = [errors for errors in branches.values() if all(each.relative_path or not _of_type(each) for each in errors)]
    return typed[0] if len(typed) == 1 else []


def _of_type(error: ValidationError) -> bool:
    return error.validator in ("type", "enum", "const")


def _what(error: ValidationError) -> str:
    keyword, value = str(error.validator), cast(Any, error.validator_value)
    if keyword in ("anyOf", "oneOf"):
        return LIMITS[keyword].format(_cut(", ".join(map(_brief, cast("list[Any]", value)[:MOST_SHOWN]))))
    if keyword in LIMITS:
        return LIMITS[keyword].format(_shown(value))
    match keyword:
        case "required":
            return "Field required"
        case "additionalProperties" | "None":
            return f"Extra inputs are not permitted; {_known(cast(Any, error.schema))}"
        case "type":
            kinds: list[str] = [value] if isinstance(value, str) else value
            return f"Input should be {' or '.join(WANTED.get(each, each) for each in kinds)}"
        case "uniqueItems":
            return "Input should not have the same item twice"
        case "unevaluatedProperties":
            return _cut(error.message)
        case _:
            return f"Input should fit {keyword} {_shown(value)}"


def _known(schema: Any) -> str:
    names = ", ".join(cast("Mapping[str, Any]", schema).get("properties", ())) if isinstance(schema, dict) else ""
    return f"there are {_cut(names)}" if names else "there are none"


def _brief(schema: Any) -> str:
    parts = cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}
    kept = {name: part for name, part in parts.items() if name in TELLING}
    needed = parts.get("required")
    if not needed or not isinstance(needed, list):
        return _text(kept) if kept else "…"
    if kept.get("type") == "object":
        del kept["type"]
    return f"an object with {_names(cast('list[str]', needed))}" + (f" that is {_text(kept)}" if kept else "")


def _names(needed: list[str]) -> str:
    told = [to_json(name).decode() for name in needed[:MOST_NAMES]]
    return " and ".join([*told, "…"] if len(needed) > MOST_NAMES else told)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return _cut(", ".join(_text(each) for each in islice(cast("list[Any]", value), MOST_SHOWN)))
    return _cut(_text(value))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else to_json(value).decode()


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUES else f"{text[:LONGEST_VALUES]}…"
