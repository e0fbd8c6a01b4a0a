"""Closing a JSON Schema: objects that name their fields take no others, unless the schema says that they do.

    {"properties": {"a": {}}}                           → {…, "additionalProperties": false}
    {"allOf": [{"$ref": "#/$defs/A"}, {"properties": …}]} → {…, "unevaluatedProperties": false}, and A stays open

An object that names no fields (`{"type": "object"}`) is a free one, and stays so.
"""

from collections.abc import Iterator
from typing import Any, cast

Schema = dict[str, Any]

OF_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
OF_MANY = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
OF_ONE = (
    *("items", "additionalItems", "unevaluatedItems", "contains", "additionalProperties", "unevaluatedProperties"),
    *("propertyNames", "not", "if", "then", "else", "contentSchema"),
)
TOGETHER = ("allOf", "if", "then", "else", "not", "dependentSchemas", "dependencies")
"""Judge the same object as what stands beside them, so none of them can say alone which fields there are."""
EITHER = ("anyOf", "oneOf")
SAYS = ("additionalProperties", "unevaluatedProperties", "patternProperties")


def parts(schema: Schema) -> Iterator[tuple[str, Any, str | int | None]]:
    """The schemas directly within a schema: keyword, schema, and its name or place within the keyword."""
    for keyword, value in schema.items():
        if keyword in OF_NAMED and isinstance(value, dict):
            yield from ((keyword, part, name) for name, part in cast("Schema", value).items())
        elif keyword in OF_MANY and isinstance(value, list):
            yield from ((keyword, part, place) for place, part in enumerate(cast("list[Any]", value)))
        elif keyword in OF_ONE:
            yield keyword, value, None


def every(schema: Any) -> Iterator[Schema]:
    """A schema, and all within it."""
    if isinstance(schema, dict):
        found = cast("Schema", schema)
        yield found
        for _, part, _ in parts(found):
            yield from every(part)


def closed(document: Schema) -> Schema:
    """A copy of a schema whose objects take no field that they do not name.

    Raises:
        RecursionError: the schema is nested too deeply.
    """
    return cast("Schema", _Closing(document).close(document, together=False))


class _Closing:
    def __init__(self, document: Schema) -> None:
        self._document = document
        self._open: set[str] = set()
        """What is referred to as a part of a larger object."""
        self._patterned = any("patternProperties" in each for each in every(document))
        """Then no engine knows in bounded time what was evaluated."""
        self._mark(document, together=False)

    def close(self, schema: Any, *, together: bool) -> Any:
        if not isinstance(schema, dict):
            return schema
        old = cast("Schema", schema)
        new = {**old}
        for keyword, part, at in parts(old):
            done = self.close(part, together=self._is_together(old, keyword, together=together, at=at))
            if at is None:
                new[keyword] = done
            else:
                new[keyword] = new[keyword].copy() if new[keyword] is old[keyword] else new[keyword]
                new[keyword][at] = done
        return new if together or any(keyword in old for keyword in SAYS) else self._shut(new)

    def _shut(self, schema: Schema) -> Schema:
        if self._names_elsewhere(schema) or schema.get("$ref") in self._open:
            return schema if self._patterned else {**schema, "unevaluatedProperties": False}
        if "properties" not in schema:
            return schema
        required: list[str] = schema.get("required", [])
        unnamed: Schema = {name: {} for name in required if name not in schema["properties"]}
        return {**schema, "properties": {**schema["properties"], **unnamed}, "additionalProperties": False}

    def _mark(self, schema: Any, *, together: bool) -> None:
        if not isinstance(schema, dict):
            return
        found = cast("Schema", schema)
        target = found.get("$ref")
        if isinstance(target, str) and (together or self._is_composed(found)) and target not in self._open:
            self._open.add(target)
            self._mark(self._at(target), together=True)
        for keyword, part, at in parts(found):
            self._mark(part, together=self._is_together(found, keyword, together=together, at=at))

    def _is_together(self, schema: Schema, keyword: str, *, together: bool, at: str | int | None) -> bool:
        if keyword in ("$defs", "definitions"):
            return f"#/{keyword}/{at}" in self._open
        return keyword in TOGETHER or (keyword in EITHER and (together or self._is_composed(schema)))

    def _is_composed(self, schema: Schema) -> bool:
        """Whether several parts together say which fields an object has."""
        ways = ("properties" in schema, "$ref" in schema, *(keyword in schema for keyword in TOGETHER))
        return any(ways[2:]) or sum((*ways, any(keyword in schema for keyword in EITHER))) > 1

    def _names_elsewhere(self, schema: Schema) -> bool:
        """Whether fields are named by a part that judges the same object."""
        beside = [part for keyword, part, _ in parts(schema) if keyword in (*TOGETHER, *EITHER) and keyword != "not"]
        referred = [self._at(schema["$ref"])] if isinstance(schema.get("$ref"), str) else []
        return self._is_composed(schema) and any(self._names(part, set()) for part in [*beside, *referred])

    def _names(self, schema: Any, seen: set[str]) -> bool:
        if not isinstance(schema, dict):
            return False
        found = cast("Schema", schema)
        target = found.get("$ref")
        if isinstance(target, str) and target not in seen:
            return "properties" in found or self._names(self._at(target), {*seen, target})
        beside = (part for keyword, part, _ in parts(found) if keyword in (*TOGETHER, *EITHER))
        return "properties" in found or any(self._names(part, seen) for part in beside)

    def _at(self, reference: str) -> Any:
        """What a reference within the document points to; None where that is nothing."""
        found: Any = self._document
        for step in reference.removeprefix("#/").split("/") if reference.startswith("#/") else ():
            name = step.replace("~1", "/").replace("~0", "~")
            found = cast("Schema", found).get(name) if isinstance(found, dict) else None
        return found
