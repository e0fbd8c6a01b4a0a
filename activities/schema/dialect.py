"""Descriptions of functions as people write them by hand, put into JSON Schema.

    {"type": "dict", "properties": {"metrics": {"type": "ArrayList", "enum": ["a", "b"], "default": null}}}
    → {"type": "object", "properties": {"metrics": {"type": ["array", "null"], "items": {"enum": ["a", "b"]}, …}}}

They name types as Python, Java and JavaScript do, and contradict themselves. What is known to occur is put right
towards what was meant; the rest stays as it is, for `check` to refuse.
"""

from collections.abc import Mapping
from typing import Any, cast

from pydantic import JsonValue

from activities.schema.additional_properties import Schema, parts
from activities.schema.json_schema import JsonSchema, SchemaMismatch

TYPES: Mapping[str, str] = {
    **dict.fromkeys(("dict", "hashmap", "map"), "object"),
    **dict.fromkeys(("list", "tuple", "arraylist", "set"), "array"),
    **dict.fromkeys(("float", "double"), "number"),
    **dict.fromkeys(("int", "long", "short", "byte"), "integer"),
    **dict.fromkeys(("str", "char"), "string"),
    **dict.fromkeys(("bool",), "boolean"),
    **dict.fromkeys(("any", ""), ""),
}
PROPER = ("null", "boolean", "object", "array", "number", "integer", "string")
ANYTHING = ""


def mended(description: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The parameters of a function, in JSON Schema. What is JSON Schema already may change too: a default of null, for
    one, makes its argument nullable."""
    return _mended({**description})


def _mended(schema: Schema) -> Schema:
    new = {**schema}
    for keyword, part, at in parts(schema):
        done = _mended(cast("Schema", part)) if isinstance(part, dict) else part
        if at is None:
            new[keyword] = done
        else:
            new[keyword] = new[keyword].copy() if new[keyword] is schema[keyword] else new[keyword]
            new[keyword][at] = done
    for mend in (_type, _optional, _enumeration_of_items, _enumeration_against_type, _nullable, _default):
        mend(new)
    return new


def _type(schema: Schema) -> None:
    kind = schema.get("type")
    kinds = cast("list[Any]", kind) if isinstance(kind, list) else [kind]
    names = [_proper(each) for each in kinds if isinstance(each, str)]
    if len(names) == len(kinds):
        schema["type"] = names if isinstance(kind, list) else names[0]
    if ANYTHING in names:
        del schema["type"]
    if schema.get("format") in ("float", "double", "integer"):
        del schema["format"]


def _proper(name: str) -> str:
    return TYPES.get(name.casefold(), name.casefold() if name.casefold() in PROPER else name)


def _optional(schema: Schema) -> None:
    """It says of an argument what `required` has said already; sometimes it lists their names."""
    schema.pop("optional", None)


def _enumeration_of_items(schema: Schema) -> None:
    """On an array, an enumeration without any array is meant for the items."""
    values = _enumeration(schema)
    if schema.get("type") == "array" and values and not any(isinstance(each, list) for each in values):
        del schema["enum"]
        schema["items"] = {**schema.get("items", {}), "enum": values}


def _enumeration_against_type(schema: Schema) -> None:
    """Where none of the values is of the type, the values are what is meant: a boolean of "True", "False"."""
    values = _enumeration(schema)
    if "type" in schema and values and not any(_fits({"type": schema["type"]}, each) for each in values):
        del schema["type"]


def _nullable(schema: Schema) -> None:
    """Whose default is null may be null."""
    if "default" not in schema or schema["default"] is not None:
        return
    if "type" in schema:
        kind: str | list[str] = schema["type"]
        schema["type"] = list(dict.fromkeys([*([kind] if isinstance(kind, str) else kind), "null"]))
    if (values := _enumeration(schema)) and None not in values:
        schema["enum"] = [*values, None]


def _enumeration(schema: Schema) -> list[JsonValue]:
    values = schema.get("enum")
    return cast("list[JsonValue]", values) if isinstance(values, list) else []


def _default(schema: Schema) -> None:
    """A default that does not fit is none."""
    if "default" in schema and not _fits(schema, schema["default"]):
        del schema["default"]


def _fits(schema: Schema, value: JsonValue) -> bool:
    kept = {each: schema[each] for each in ("type", "enum", "items", "properties") if each in schema}
    try:
        JsonSchema(kept).require(value)
    except SchemaMismatch:
        return False
    return True
