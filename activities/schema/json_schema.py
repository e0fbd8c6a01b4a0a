"""A JSON Schema, compiled once, to which values are held strictly.

"3" is no number, true is no number, 1 is no boolean; 3.0 is a whole number, as JSON Schema has it. Formats are
notes and not checked, as JSON Schema has it too. Nothing is ever fetched.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, cast

from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from pydantic import JsonValue
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from activities.schema.additional_properties import Schema, every
from activities.schema.keywords import TooMuchWork, bounded, draft, is_linear, start_counting
from activities.schema.problems import in_words, problems

MOST_REFERENCES = 1_000
"""In one schema, to different places."""


NAMES = frozenset({"$anchor", "$dynamicAnchor", "$id", "id"})
"""Keywords that give a part a name, under which references find it."""


class NotASchema(ValueError):
    """It is not valid JSON Schema, or cannot be held to in bounded time. The message says where and why."""


class SchemaMismatch(ValueError):
    """A value does not fit. The message says where and why, for a model to read."""


class JsonSchema:
    """`document` is the schema as it is offered to the model; nobody changes it."""

    def __init__(self, document: Mapping[str, JsonValue]) -> None:
        self.document = document

    def require(self, value: JsonValue) -> None:
        """Refuse a value that does not fit.

        Raises:
            SchemaMismatch: the value does not fit.
        """
        try:
            found = in_words(problems(self.errors(value)))
        except (TooMuchWork, RecursionError):
            found = "they are too deeply nested or too many to be checked"
        except Unresolvable as error:
            found = f"the schema refers to what is not there: {str(error)[:200]}"
        if found:
            raise SchemaMismatch(found)

    def takes(self, name: str, value: JsonValue) -> bool:
        """Whether a field of this name could have this value, whatever the others are."""
        try:
            return all(error.path and error.path[0] != name for error in self.errors({name: value}))
        except (TooMuchWork, RecursionError, Unresolvable):
            return False

    def errors(self, value: JsonValue) -> Iterator[ValidationError]:
        """What is wrong with a value.

        Raises:
            TooMuchWork, RecursionError: it cannot be judged in bounded time.
        """
        start_counting()
        return self._validator.iter_errors(value)

    @cached_property
    def _validator(self) -> Validator:
        document = cast("Schema", self.document)
        kind: Any = bounded(draft(document))
        return kind(document, _resolver=_resolver(document))


def check(document: Schema) -> None:
    """Hold a stranger's schema to what a schema must be.

    Raises:
        NotASchema: and why.
    """
    try:
        _check_form(document)
        _check_references(document)
        for schema in every(document):
            _check_patterns(schema)
        if {"patternProperties", "unevaluatedProperties"} <= {keyword for each in every(document) for keyword in each}:
            raise NotASchema("patternProperties beside unevaluatedProperties cannot be held to in bounded time")
        any(JsonSchema(document).errors({}))
    except (TooMuchWork, RecursionError) as error:
        raise NotASchema("it is nested too deeply, or refers to itself without end") from error


def _check_form(document: Schema) -> None:
    kind = draft(document)
    for error in kind(kind.META_SCHEMA).iter_errors(document):
        where = ".".join(map(str, error.absolute_path))[:100]
        raise NotASchema(f"{where}: {error.message[:300]}".removeprefix(": "))


def _check_references(document: Schema) -> None:
    named = ((keyword, schema.get(keyword)) for schema in every(document) for keyword in ("$ref", "$dynamicRef"))
    references = dict.fromkeys((keyword, target) for keyword, target in named if isinstance(target, str))
    if len(references) > MOST_REFERENCES:
        raise NotASchema(f"it refers to {len(references):,} different places, and {MOST_REFERENCES:,} are the most")
    schemas, resolver = {id(schema) for schema in every(document)}, _resolver(document)
    for keyword, target in references:
        if not target.startswith("#"):
            raise NotASchema(f"{keyword} {target[:100]!r} points outside the schema, and nothing is fetched")
        try:
            found = resolver.lookup(target).contents
        except (Unresolvable, ValueError, TypeError) as error:
            raise NotASchema(f"{keyword} {target[:100]!r} points to nothing") from error
        # What stands where no schema is expected, in `const` for one, was not checked.
        if id(found) not in schemas and not isinstance(found, bool):
            raise NotASchema(f"{keyword} {target[:100]!r} points to what is no schema")


def _resolver(document: Schema) -> Any:
    """Of references. Names are looked for once: at every reference, as else, it would take minutes."""
    resource = Resource[Any].from_contents(document, default_specification=DRAFT202012)
    uri = resource.id() or ""
    registry = Registry[Any]().with_resource(uri, resource)
    has_names = any(not NAMES.isdisjoint(schema) for schema in every(document))
    return (registry.crawl() if has_names else registry).resolver(uri)


def _check_patterns(schema: Schema) -> None:
    patterns = [schema["pattern"]] if "pattern" in schema else []
    for pattern in [*patterns, *schema.get("patternProperties", ())]:
        try:
            bounded_in_time = is_linear(pattern)
        except re.error as error:
            raise NotASchema(f"the pattern {pattern[:100]!r} is no regular expression: {error}") from error
        if not bounded_in_time:
            raise NotASchema(f"the pattern {pattern[:100]!r} has look-around or the like, which may take for ever")


def whole(value: Any) -> Any:
    """The same value as JSON has it, with 3.0 written 3."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [whole(each) for each in cast("list[Any]", value)]
        case dict():
            return {name: whole(each) for name, each in cast("dict[str, Any]", value).items()}
        case _:
            return value
