"""JSON Schemas for endpoints that make a grammar of them, by which the model then has to write.

Such a grammar is no validation: what an endpoint does not know it ignores or refuses, and which that is differs. So a
grammar is made of a looser schema, and what the model has written is held to the full one.

    vLLM, SGLang (xgrammar)  refuse uniqueItems, contains, patternProperties, propertyNames, multipleOf, many formats
    llama.cpp                refuses true and false as schemas; ignores not, if, email and half of pattern
    OpenAI, `strict`         https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from activities.schema.additional_properties import Schema, every, parts

UNKNOWN_TO_GRAMMARS = frozenset(
    {
        "$schema",
        "$id",
        "$anchor",
        "$dynamicRef",
        "$dynamicAnchor",
        "$comment",
        "not",
        "if",
        "then",
        "else",
        "dependentSchemas",
        "dependentRequired",
    }
    | {"patternProperties", "propertyNames", "minProperties", "maxProperties", "unevaluatedProperties"}
    | {"contains", "minContains", "maxContains", "uniqueItems", "unevaluatedItems", "multipleOf", "discriminator"}
    | {"contentEncoding", "contentMediaType", "contentSchema", "default", "examples"}
)
LENGTHS = frozenset({"minLength", "maxLength", "minItems", "maxItems"})
MOST_REPEATED = 500
"""Grammars repeat a part so often as a length says; some refuse long ones."""

FORMATS = frozenset({"date", "time", "date-time", "uuid"})
STRICT_FORMATS = FORMATS | {"duration", "email", "hostname", "ipv4", "ipv6"}
STRICT_KEYWORDS = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const", "$ref", "$defs"}
    | {"title", "description", "pattern", "format", "minItems", "maxItems"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
)
STRICT_LEVELS = 10

_SIMPLE = re.compile(r"\^[\w \[\]{},+*@/:#%|()-]*\$", re.ASCII)
_DEFINED = re.compile(r"#/(?:\$defs|definitions)/([^/]+)(.*)", re.DOTALL)


def loosened(schema: Any) -> Schema:
    """A schema that fits whatever this one fits, in keywords that grammars know."""
    if not isinstance(schema, dict):
        return {}
    old = cast("Schema", schema)
    kept = {keyword: value for keyword, value in old.items() if _is_known(keyword, value, old)}
    return _rebuilt(
        kept, lambda keyword, part: part if keyword == "additionalProperties" and part is False else loosened(part)
    )


def is_strict(schema: Schema) -> bool:
    """Whether OpenAI takes the schema as it is under `strict`, where every field is required and none is added."""
    return schema.get("type") == "object" and "anyOf" not in schema and _is_strict(schema, STRICT_LEVELS)


class Definitions:
    """The `$defs` of a schema that is put together from several, each of which may have its own."""

    def __init__(self) -> None:
        self.found: dict[str, Schema] = {}

    def take_from(self, schema: Schema, name: str) -> Schema:
        """The schema without definitions: they are in `found`, some under another name, and its references say so.

        Args:
            schema: one whose references all point into itself.
            name: of the schema, which is itself among the definitions if it refers to another part of itself.
        """
        own = {each: part for key in ("$defs", "definitions") for each, part in schema.get(key, {}).items()}
        names = {each: self._free(each) for each in own}
        rest = {key: part for key, part in schema.items() if key not in ("$defs", "definitions", "$id", "$schema")}
        itself = ""
        if any(_is_within(each.get("$ref"), names) for each in every(schema)):
            itself = self._free(name)

        def moved(part: Any) -> Any:
            return _referring(part, names, itself)

        self.found.update({names[each]: moved(part) for each, part in own.items()})
        if itself:
            self.found[itself] = moved(rest)
            return {"$ref": f"#/$defs/{itself}"}
        return cast("Schema", moved(rest))

    def _free(self, name: str) -> str:
        """The name, or another that is not taken, and taken from now on."""
        free, number = name, 2
        while free in self.found:
            free, number = f"{name}_{number}", number + 1
        self.found[free] = {}
        return free


def _is_known(keyword: str, value: Any, beside: Mapping[str, Any]) -> bool:
    if keyword in LENGTHS:
        return value <= MOST_REPEATED
    if keyword == "format":
        return value in FORMATS
    if keyword == "pattern":
        return LENGTHS.isdisjoint(beside) and _SIMPLE.fullmatch(value) is not None
    return keyword not in UNKNOWN_TO_GRAMMARS


def _is_strict(schema: Any, levels: int) -> bool:
    if not isinstance(schema, dict) or levels == 0:
        return False
    found = cast("Schema", schema)
    names = found.get("properties", {})
    is_object = "properties" in found or found.get("type") == "object"
    closed = found.get("additionalProperties") is False and set(found.get("required", ())) == set(names)
    return (
        found.keys() <= STRICT_KEYWORDS
        and ("$ref" not in found or len(found) == 1)
        and not {"type", "$ref", "anyOf", "enum", "const"}.isdisjoint(found)
        and (not is_object or closed)
        and (found.get("type") != "array" or "items" in found)
        and found.get("format", "date") in STRICT_FORMATS
        and "(?" not in found.get("pattern", "")
        and all(_is_strict(part, levels - 1) for keyword, part, _ in parts(found) if keyword != "additionalProperties")
    )


def _is_within(reference: Any, names: Mapping[str, str]) -> bool:
    """Whether a reference points to a part that is no definition."""
    if not isinstance(reference, str):
        return False
    defined = _DEFINED.fullmatch(reference)
    return reference[:2] in ("#", "#/") and (defined is None or _unescaped(defined[1]) not in names)


def _referring(schema: Any, names: Mapping[str, str], itself: str) -> Any:
    """The schema with its references as the definitions are called now."""
    if not isinstance(schema, dict):
        return schema
    found = cast("Schema", schema)
    new = _rebuilt(found, lambda _, part: _referring(part, names, itself))
    reference = found.get("$ref")
    if not isinstance(reference, str):
        return new
    defined = _DEFINED.fullmatch(reference)
    if defined and (name := _unescaped(defined[1])) in names:
        new["$ref"] = f"#/$defs/{_escaped(names[name])}{defined[2]}"
    elif reference == "#" or reference.startswith("#/"):
        new["$ref"] = f"#/$defs/{_escaped(itself)}{reference.removeprefix('#')}"
    else:  # by an anchor: nobody writes that, and without it more fits instead of less
        del new["$ref"]
    return new


def _rebuilt(schema: Schema, change: Callable[[str, Any], Any]) -> Schema:
    """The schema with every schema directly within it changed."""
    new = {**schema}
    for keyword, part, at in parts(schema):
        if at is None:
            new[keyword] = change(keyword, part)
            continue
        if new[keyword] is schema[keyword]:
            new[keyword] = new[keyword].copy()
        new[keyword][at] = change(keyword, part)
    return new


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")
