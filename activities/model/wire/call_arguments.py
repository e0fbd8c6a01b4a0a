"""The arguments of a call, as the model wrote them: repaired where only one thing can be meant, and never guessed.

Pure functions on parsed JSON.
"""

from collections.abc import Iterable

from pydantic import JsonValue

from activities.lenient_json import LONGEST_QUOTE, Object, is_object, parse, require_clear
from workflows.contract.values import Arguments


def read_arguments(raw: JsonValue, schema: Object) -> tuple[Arguments, str | None]:
    """A call's arguments and nothing, or none and what is wrong with them, for the model to read.

    Args:
        raw: an object as JSON text, as JSON text within JSON text, as itself, or left out.
        schema: the tool's JSON Schema, or nothing.
    """
    value: JsonValue = raw
    for _ in range(2):
        if not isinstance(value, str):
            break
        try:
            value = parse(value) if value.strip() else {}
        except ValueError as error:
            return {}, f"the arguments are not valid JSON ({error}): {str(raw)[:LONGEST_QUOTE]}"
    if value is None:
        return {}, None
    if not is_object(value):
        return {}, "the arguments must be a JSON object"
    try:
        require_clear(value)
    except ValueError as error:
        return {}, f"the arguments cannot be used: {error}"
    return _as_declared(value, schema), None


def _as_declared(arguments: Arguments, schema: Object) -> Arguments:
    """With lists and objects that were written as JSON text read, where the schema allows nothing but these."""
    properties = schema.get("properties")
    if not is_object(properties):
        return arguments
    return {name: _unwrapped(value, _types(properties.get(name), schema)) for name, value in arguments.items()}


def _unwrapped(value: JsonValue, types: frozenset[str]) -> JsonValue:
    if not isinstance(value, str) or not types <= {"array", "object", "null"}:
        return value
    try:
        parsed = parse(value)
    except ValueError:
        return value
    meant = (isinstance(parsed, list) and "array" in types) or (is_object(parsed) and "object" in types)
    return parsed if meant else value


def _types(schema: JsonValue, root: Object, hops: int = 5) -> frozenset[str]:
    """The JSON types that a schema names; `any` among them where it does not say."""
    if not is_object(schema) or hops == 0:
        return frozenset({"any"})
    named = schema.get("type")
    if isinstance(named, str):
        return frozenset({named})
    if isinstance(named, list):
        return frozenset(str(each) for each in named)
    if "$ref" in schema:
        return _types(_referred(str(schema["$ref"]), root), root, hops - 1)
    either = schema.get("anyOf") or schema.get("oneOf")
    options: Iterable[JsonValue] = either if isinstance(either, list) else [None]
    return frozenset[str]().union(*(_types(each, root, hops - 1) for each in options))


def _referred(reference: str, root: Object) -> JsonValue:
    """What `#/$defs/Name` refers to; null for anything else."""
    name = reference.removeprefix("#/$defs/")
    defined = root.get("$defs")
    return defined.get(name) if is_object(defined) else None
