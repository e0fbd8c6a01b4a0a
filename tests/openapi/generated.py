"""Values that fit a JSON Schema without references, for hypothesis. What it does not know, a filter sorts out."""

import base64
from collections.abc import Mapping
from typing import Any, cast

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import JsonValue

from activities.schema.json_schema import JsonSchema, SchemaMismatch
from activities.toolkit.openapi.document import as_list, as_object

Values = SearchStrategy[JsonValue]

EVERYTHING = st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("äß€漢/?#[]@!$&'()*+,;=%|\\\"")
IN_A_PATH = st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="/") | st.sampled_from("äß€漢?#[]%")
LETTERS = st.sampled_from("abcXYZ0189")
FORMATS: Mapping[str, SearchStrategy[str]] = {
    "date": st.dates().map(str),
    "date-time": st.dates().map(lambda day: f"{day}T12:00:00Z"),
    "uuid": st.uuids().map(str),
    "email": st.emails(),
    "uri": st.just("https://example.com/a?b=c&d=%20#e"),
    "url": st.just("https://example.com/"),
    "ipv4": st.just("192.0.2.1"),
    "ipv6": st.just("2001:db8::1"),
    "hostname": st.just("example.com"),
    "byte": st.binary(max_size=9).map(lambda raw: base64.b64encode(raw).decode()),
    "time": st.just("12:00:00Z"),
    "regex": st.just("a+"),
}
BOUNDS = {"int32": 2**31 - 1, "int64": 2**53 - 1}


class Generator:
    """`texts`: the characters of texts."""

    def __init__(self, texts: SearchStrategy[str] = EVERYTHING) -> None:
        self._texts_of = texts

    def fitting(self, schema: object) -> Values:
        """Values of a schema; those that do not fit are filtered out."""
        if not isinstance(schema, dict):
            return self._anything()
        part = cast("dict[str, Any]", schema)
        held = JsonSchema(part)

        def fits(value: JsonValue) -> bool:
            try:
                held.require(value)
            except SchemaMismatch:
                return False
            return True

        return self._drawn(part).filter(fits)

    def _drawn(self, schema: dict[str, Any]) -> Values:
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        for name in ("anyOf", "oneOf"):
            if name in schema:
                rest = {each: part for each, part in schema.items() if each not in (name, "default", "description")}
                return st.one_of([self._together([rest, part]) for part in schema[name]])
        if "allOf" in schema:
            rest = {each: part for each, part in schema.items() if each != "allOf"}
            return self._together([rest, *schema["allOf"]])
        kinds = schema.get("type")
        names = as_list(kinds) or [kinds]
        return st.one_of([self._of_kind(str(name), schema) for name in names])

    def _together(self, schemas: list[Any]) -> Values:
        """Of several schemas at once: for objects, the fields of all."""
        merged: dict[str, Any] = {}
        for name, part in ((name, part) for each in map(as_object, schemas) for name, part in each.items()):
            before = merged.get(name)
            if name == "properties":
                merged[name] = {**as_object(before), **part}
            elif name in ("required", "allOf"):
                merged[name] = [*as_list(before), *part]
            elif name in ("anyOf", "oneOf") and before is not None:
                merged["allOf"] = [*as_list(merged.get("allOf")), {name: part}]
            elif name not in ("additionalProperties", "unevaluatedProperties"):
                merged[name] = part
        return self._drawn(merged)

    def _of_kind(self, kind: str, schema: dict[str, Any]) -> Values:
        match kind:
            case "null":
                return st.none()
            case "boolean":
                return st.booleans()
            case "integer" | "number":
                return self._numbers(kind, schema)
            case "string":
                return self._texts(schema)
            case "array":
                return self._lists(schema)
            case "object":
                return self._objects(schema)
            case _:
                return self._anything()

    def _anything(self) -> Values:
        return st.booleans() | st.integers(-99, 99) | st.text(self._texts_of, max_size=9)

    def _numbers(self, kind: str, schema: dict[str, Any]) -> Values:
        most = BOUNDS.get(str(schema.get("format")), 10**6)
        low = schema.get("minimum", schema.get("exclusiveMinimum", -most))
        high = schema.get("maximum", schema.get("exclusiveMaximum", max(most, low)))
        low = min(low, high)
        if step := schema.get("multipleOf"):
            return st.integers(int(-(-low // step)), int(high // step)).map(lambda times: times * step)
        if kind == "integer":
            return st.integers(int(-(-low // 1)), int(high // 1))
        return st.floats(low, high, allow_nan=False, allow_infinity=False)

    def _texts(self, schema: dict[str, Any]) -> Values:
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
        longest = min(longest if longest is not None else shortest + 20, shortest + 20)
        if "pattern" in schema and schema.get("format") not in FORMATS:
            return st.from_regex(schema["pattern"], alphabet=self._texts_of)
        known = FORMATS.get(str(schema.get("format")))
        return st.text(self._texts_of, min_size=shortest, max_size=longest) if known is None else known

    def _lists(self, schema: dict[str, Any]) -> Values:
        first = [self.fitting(each) for each in schema.get("prefixItems", ())]
        shortest = schema.get("minItems", 0)
        longest = min(schema.get("maxItems", shortest + 3), shortest + 3)
        if schema.get("items") is False or longest == 0:
            return st.tuples(*first).map(list)
        rest = st.lists(self.fitting(schema.get("items", {})), min_size=max(shortest - len(first), 0), max_size=longest)
        return st.tuples(st.tuples(*first), rest).map(lambda both: [*both[0], *both[1]][:longest])

    def _objects(self, schema: dict[str, Any]) -> Values:
        fields = {name: self.fitting(part) for name, part in as_object(schema.get("properties")).items()}
        needed = set(schema.get("required", ()))
        fields |= {name: self._anything() for name in needed if name not in fields}
        more: SearchStrategy[dict[str, JsonValue]] = st.just({})
        if not fields and (others := schema.get("additionalProperties", {})) is not False:
            least = schema.get("minProperties", 0)
            names = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=6)
            more = st.dictionaries(names, self.fitting(others), min_size=least, max_size=least + 2)
        known = st.fixed_dictionaries(
            {name: part for name, part in fields.items() if name in needed},
            optional={name: part for name, part in fields.items() if name not in needed},
        )
        return st.tuples(known, more).map(lambda both: {**both[1], **both[0]})
