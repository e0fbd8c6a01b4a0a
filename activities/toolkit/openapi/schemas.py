"""Schemas of an OpenAPI document, as one JSON Schema (2020-12) without references, for a model to fill in.

References are put in place. A schema that contains itself is cut: a field that would hold it again is not there, a list
of it is empty. What only the far end sets (`readOnly`) is not there either. So whatever fits the result fits the
document; what was changed is noted.
"""

import re
from collections.abc import Callable
from typing import Any, cast

from activities.schema.json_schema import JsonSchema, SchemaMismatch
from activities.schema.keywords import TooMuchWork, is_linear
from activities.toolkit.openapi.branches import is_told_apart, opened, told_apart
from activities.toolkit.openapi.descriptions import shortened
from activities.toolkit.openapi.document import Node, Version, as_list, as_object
from activities.toolkit.openapi.recipe import CannotImport

Schema = dict[str, Any]

AS_THEY_ARE = (
    *("enum", "const", "multipleOf", "maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "maxLength"),
    *("minLength", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "format", "minContains"),
    *("maxContains", "dependentRequired", "contentEncoding", "contentMediaType", "default"),
)
COUNTS = frozenset({"maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"})
TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")
NOTES_ONLY = {"description", "title", "default", "deprecated", "format"}
OF_ONE = ("not", "if", "then", "else", "contains", "propertyNames", "unevaluatedItems", "unevaluatedProperties")
PLAIN = {"type", "properties", "required", "description"}
LONGEST_DESCRIPTION = 300
TOO_LARGE = 24_000
"""Parts of one schema: then more is cut."""

RECURSIVE = "a schema that contains itself is cut"
READ_ONLY = "fields that only the far end sets are left out"
LOST_PATTERN = "a pattern that may take for ever is not checked"
LOST_DEFAULT = "a default that does not fit is left out"


class TooLarge(CannotImport):
    """It has too many parts to be shown to a model."""


class SchemaReader:
    """Reads the schemas of one operation.

    Args:
        version: of the document: what nullable, exclusiveMinimum and siblings of $ref mean.
        nested: how often a schema may stand within itself.
    """

    def __init__(self, version: Version, *, nested: int = 2) -> None:
        self._version = version
        self._nested = nested
        self._parts = 0
        self.notes: dict[str, None] = {}

    def read(self, node: Node) -> Schema:
        """Read one schema of the document into JSON Schema 2020-12.

        Raises:
            CannotImport: a reference points to nothing, it is too large, or nothing of bounded size fits it.
        """
        found = self._read(node, ())
        if found is None:
            raise CannotImport("only a value without end would fit its schema")
        return found

    def _read(self, node: Node, within: tuple[str, ...]) -> Schema | None:
        """None: nothing fits."""
        self._parts += 1
        if self._parts > TOO_LARGE:
            raise TooLarge("its schema has too many parts")
        if not isinstance(node.value, dict):
            return None if node.value is False else {}
        value = cast("Schema", node.value)
        if isinstance(value.get("$ref"), str):
            return self._referred(node, value, within)
        if "$dynamicRef" in value or "$recursiveRef" in value:
            raise CannotImport("its schema has a $dynamicRef")
        made: Schema = self._simple(value)
        steps: tuple[Callable[[Node, Schema, tuple[str, ...]], bool], ...] = (
            self._object,
            self._array,
            self._single,
            self._either,
            self._all,
        )
        if not all(step(node, made, within) for step in steps):
            return {"type": "null"} if self._may_be_null(value) else None
        self._null(value, made)
        self._default(made)
        return made

    def _referred(self, node: Node, value: Schema, within: tuple[str, ...]) -> Schema | None:
        target = node.at(value["$ref"])
        # Two files may have the same reference, but not the same thing behind it.
        place = f"{id(target.value)}"
        if within.count(place) >= self._nested:
            self.notes[RECURSIVE] = None
            return None
        found = self._read(target, (*within, place))
        beside = {name: each for name, each in value.items() if name != "$ref"}
        if found is None or not beside:
            return found
        if self._version == "3.1" and (beside.keys() - NOTES_ONLY):
            also = self._read(node.under(beside), within)
            return None if also is None else self._merged([found, also], {})
        return {**found, **self._description(beside)}

    def _simple(self, value: Schema) -> Schema:
        """What has no schemas in it."""
        made = {**self._type(value), **self._description(value)}
        made |= {name: value[name] for name in AS_THEY_ARE if name in value and _says_something(name, value[name])}
        for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            # 2.0 and 3.0 say only whether the bound itself is excluded.
            if isinstance(made.get(exclusive), bool) and made.pop(exclusive) and bound in made:
                made[exclusive] = made.pop(bound)
        if isinstance(pattern := value.get("pattern"), str):
            if _is_usable(pattern):
                made["pattern"] = pattern
            else:
                self.notes[LOST_PATTERN] = None
        if not isinstance(made.get("enum", []), list) or made.get("enum") == []:
            del made["enum"]
        return made

    def _type(self, value: Schema) -> Schema:
        kind = value.get("type")
        if kind in ("file", "any"):
            return {"type": "string", "format": "binary"} if kind == "file" else {}
        if isinstance(kind, str | list) and kind:
            if odd := [each for each in as_list(cast("object", kind)) or [kind] if each not in TYPES]:
                raise CannotImport(f"its schema has a type that there is not: {str(odd[0])[:100]}")
            return {"type": kind}
        if kind is None and isinstance(value.get("properties"), dict):
            return {"type": "object"}
        return {"type": "array"} if kind is None and "items" in value else {}

    @staticmethod
    def _description(value: Schema) -> Schema:
        text = value.get("description")
        return {"description": shortened(text, LONGEST_DESCRIPTION)} if isinstance(text, str) and text.strip() else {}

    def _object(self, node: Node, made: Schema, within: tuple[str, ...]) -> bool:
        value = cast("Schema", node.value)
        needed = [each for each in as_list(value.get("required")) if isinstance(each, str)]
        if isinstance(value.get("properties"), dict):
            fields: Schema = {}
            for name, part in cast("Schema", value["properties"]).items():
                if _is_read_only(node.under(part)):
                    self.notes[READ_ONLY] = None
                    needed = [each for each in needed if each != name]
                elif (read := self._read(node.under(part), within)) is not None:
                    fields[name] = read
                elif name in needed:
                    return False
            made["properties"] = fields
        if needed:
            made["required"] = list(dict.fromkeys(needed))
        if "additionalProperties" in value and value["additionalProperties"] is not None:
            made["additionalProperties"] = self._or_false(node.under(value["additionalProperties"]), within)
        if isinstance(value.get("patternProperties"), dict):
            patterns = cast("Schema", value["patternProperties"])
            made["patternProperties"] = {
                pattern: self._or_false(node.under(part), within)
                for pattern, part in patterns.items()
                if _is_usable(pattern)
            }
        return True

    def _array(self, node: Node, made: Schema, within: tuple[str, ...]) -> bool:
        value = cast("Schema", node.value)
        if isinstance(value.get("prefixItems"), list):
            made["prefixItems"] = [self._or_false(node.under(each), within) for each in value["prefixItems"]]
        if "items" in value and not isinstance(value["items"], list):
            read = self._read(node.under(value["items"]), within)
            if read is None and made.get("minItems", 0) > len(made.get("prefixItems", ())):
                return False
            made["items"] = False if read is None else read
            if read is None and "prefixItems" not in made:
                del made["items"]
                made["maxItems"] = 0
        return True

    def _single(self, node: Node, made: Schema, within: tuple[str, ...]) -> bool:
        value = cast("Schema", node.value)
        for name in OF_ONE:
            if name in value:
                made[name] = self._or_false(node.under(value[name]), within)
        if isinstance(value.get("dependentSchemas"), dict):
            parts = cast("Schema", value["dependentSchemas"])
            made["dependentSchemas"] = {name: self._or_false(node.under(each), within) for name, each in parts.items()}
        return True

    def _or_false(self, node: Node, within: tuple[str, ...]) -> Schema | bool:
        if isinstance(node.value, bool):
            return node.value
        read = self._read(node, within)
        return False if read is None else read

    def _either(self, node: Node, made: Schema, within: tuple[str, ...]) -> bool:
        value = cast("Schema", node.value)
        for name in ("anyOf", "oneOf"):
            if not isinstance(value.get(name), list) or not value[name]:
                continue
            branches = [(part, self._read(node.under(part), within)) for part in cast("list[Any]", value[name])]
            kept = [told_apart(value, part, read) for part, read in branches if read is not None]
            if not kept:
                return False
            # Which of several fits says the document of open objects: closed, they would be told apart otherwise.
            made[name] = [opened(part) for part in kept] if name == "oneOf" and not is_told_apart(value) else kept
        return True

    def _all(self, node: Node, made: Schema, within: tuple[str, ...]) -> bool:
        value = cast("Schema", node.value)
        if not isinstance(value.get("allOf"), list):
            return True
        read = [self._read(node.under(part), within) for part in cast("list[Any]", value["allOf"])]
        parts = [part for part in read if part is not None]
        if len(parts) < len(read):
            return False
        own = {**made}
        made.clear()
        made.update(self._merged(parts, own))
        return True

    @staticmethod
    def _merged(parts: list[Schema], own: Schema) -> Schema:
        """One schema that says what several say together: of plain objects one object, else `allOf`."""
        parts = [part for part in parts if part.keys() - NOTES_ONLY]
        every = [*parts, own] if own.keys() - NOTES_ONLY else parts
        if not every:
            return own
        if len(every) == 1:
            return {**every[0], **own}
        if not all(part.keys() <= PLAIN and part.get("type", "object") == "object" for part in every):
            return {**own, "allOf": parts}
        fields: Schema = {}
        for name, part in ((name, part) for each in every for name, part in each.get("properties", {}).items()):
            fields[name] = part if name not in fields or fields[name] == part else {"allOf": [fields[name], part]}
        required = list(dict.fromkeys(name for each in every for name in each.get("required", ())))
        described = next((each["description"] for each in (own, *parts) if "description" in each), None)
        return {
            "type": "object",
            **({"description": described} if described else {}),
            "properties": fields,
            **({"required": required} if required else {}),
        }

    def _may_be_null(self, value: Schema) -> bool:
        return self._version != "3.1" and (value.get("nullable") is True or value.get("x-nullable") is True)

    def _null(self, value: Schema, made: Schema) -> None:
        """`nullable` counts only beside a type, and not against an enumeration (OpenAPI 3.0.3 section 4.7.24.1)."""
        kind = made.get("type")
        if self._may_be_null(value) and isinstance(kind, str) and None in made.get("enum", [None]):
            made["type"] = [kind, "null"]

    def _default(self, made: Schema) -> None:
        if "default" not in made:
            return
        try:
            JsonSchema({name: part for name, part in made.items() if name != "default"}).require(made["default"])
        except (SchemaMismatch, TooMuchWork):
            del made["default"]
            self.notes[LOST_DEFAULT] = None


def _is_read_only(node: Node) -> bool:
    try:
        found = node.followed().value
    except CannotImport:
        return False
    return node.fields.get("readOnly") is True or as_object(found).get("readOnly") is True


def _says_something(name: str, value: object) -> bool:
    """Whether a keyword limits anything: one that is null does not.

    Raises:
        CannotImport: it is no number, and nobody can tell what it limits.
    """
    if name in COUNTS and value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise CannotImport(f"its schema has {name} {str(value)[:100]!r}, which is no number")
    return value is not None or name in ("const", "default")


def _is_usable(pattern: str) -> bool:
    try:
        return is_linear(pattern)
    except re.error:
        return False
