"""Schemas for grammars fit whatever the full ones fit; schemas that are put together keep their definitions apart."""

from enum import StrEnum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from activities.model.grammar import Definitions, is_strict, loosened
from activities.schema.json_schema import JsonSchema, SchemaMismatch
from workflows.contract.values import Schema

LOOSER: list[tuple[Schema, Schema]] = [
    ({"type": "string", "format": "email"}, {"type": "string"}),
    ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
    ({"type": "string", "pattern": "^[A-Z]{3}$"}, {"type": "string", "pattern": "^[A-Z]{3}$"}),
    ({"type": "string", "pattern": "^[A-Z]+$", "maxLength": 3}, {"type": "string", "maxLength": 3}),
    ({"type": "string", "pattern": "^(?!a).*$"}, {"type": "string"}),
    ({"type": "string", "pattern": "a"}, {"type": "string"}),
    ({"type": "string", "maxLength": 100_000}, {"type": "string"}),
    ({"type": "array", "uniqueItems": True, "items": True}, {"type": "array", "items": {}}),
    ({"type": "object", "patternProperties": {"^a": {}}}, {"type": "object"}),
    ({"anyOf": [{"multipleOf": 2}], "default": 4, "not": {}}, {"anyOf": [{}]}),
]


class TestLoosened:
    @pytest.mark.parametrize(("schema", "looser"), LOOSER)
    def test_what_grammars_do_not_know_is_left_out(self, schema: Schema, looser: Schema) -> None:
        assert loosened(schema) == looser

    def test_a_field_may_have_a_keywords_name(self) -> None:
        schema: Schema = {"properties": {"pattern": {"enum": ["default"]}, "not": {}}, "additionalProperties": False}
        assert loosened(schema) == schema

    def test_the_schema_itself_stays_as_it_was(self) -> None:
        schema: Schema = {"properties": {"a": {"type": "string", "format": "email"}}}
        loosened(schema)
        assert schema == {"properties": {"a": {"type": "string", "format": "email"}}}


class Colour(StrEnum):
    RED = "red"


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Strict(Closed):
    name: str
    colour: Colour
    parts: list[int] | None


class WithDefault(Closed):
    name: str = "a"


class WithLength(Closed):
    name: str = Field(max_length=3)


class WithAnything(Closed):
    name: Any


class WithDictionary(Closed):
    names: dict[str, int]


class WithDescribed(Closed):
    colour: Colour = Field(description="beside a reference")


class WithLookAround(Closed):
    name: str = Field(json_schema_extra={"pattern": "^(?!a)"})


class Open(BaseModel):
    name: str


class TestStrict:
    def test_a_closed_model_whose_fields_are_all_required_is_strict(self) -> None:
        assert is_strict(Strict.model_json_schema())

    @pytest.mark.parametrize(
        "model", [Open, WithDefault, WithLength, WithAnything, WithDictionary, WithDescribed, WithLookAround]
    )
    def test_what_openai_would_refuse_is_not(self, model: type[BaseModel]) -> None:
        assert not is_strict(model.model_json_schema())

    @pytest.mark.parametrize("schema", [{"type": "string"}, {"anyOf": [Strict.model_json_schema()]}, {}])
    def test_what_is_no_object_is_not(self, schema: Schema) -> None:
        assert not is_strict(schema)

    def test_what_is_nested_very_deeply_is_not(self) -> None:
        schema: Schema = {"type": "string"}
        for _ in range(12):
            schema = {
                "type": "object",
                "properties": {"a": schema},
                "required": ["a"],
                "additionalProperties": False,
            }
        assert not is_strict(schema)


def together(*schemas: Schema) -> JsonSchema:
    """One schema of an object whose field `<n>` fits the n-th of these."""
    definitions = Definitions()
    fields: dict[str, Any] = {str(place): definitions.take_from(schema, "part") for place, schema in enumerate(schemas)}
    return JsonSchema({"properties": fields, "$defs": {**definitions.found}})


def of(kind: str, **more: Any) -> Schema:
    return {"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": kind}}, **more}


TREE: Schema = {
    "properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["value"],
}
SMALL_TREE: Schema = {"value": 1, "children": [{"value": 2}]}
NO_TREE: Schema = {"value": 1, "children": [{}]}
WITHIN: Schema = {"properties": {"a": {"type": "integer"}, "b": {"$ref": "#/properties/a"}}}
OLD: Schema = {"properties": {"a": {"$ref": "#/definitions/x~1y"}}, "definitions": {"x/y": {"type": "integer"}}}


class TestDefinitions:
    def test_of_the_same_name_are_kept_apart(self) -> None:
        schema = together(of("string"), of("integer"), of("boolean"))
        schema.require({"0": {"a": "x"}, "1": {"a": 1}, "2": {"a": True}})
        for place, wrong in (("0", 1), ("1", "x"), ("2", 1)):
            with pytest.raises(SchemaMismatch, match=f"{place}.a"):
                schema.require({place: {"a": wrong}})

    @pytest.mark.parametrize(
        ("schema", "fits", "does_not"),
        [
            pytest.param(TREE, SMALL_TREE, NO_TREE, id="itself"),
            pytest.param(WITHIN, {"b": 1}, {"b": "x"}, id="a part of itself"),
            pytest.param(OLD, {"a": 1}, {"a": "x"}, id="the older keyword, and a name with a slash"),
            pytest.param(of("integer", **{"$id": "https://example.com/a"}), {"a": 1}, {"a": "x"}, id="its own address"),
            pytest.param({"$ref": "#/$defs/A", "$defs": {"A": TREE}}, {"value": 1}, {}, id="at the root"),
        ],
    )
    def test_references_mean_the_same_in_a_larger_schema(self, schema: Schema, fits: Any, does_not: Any) -> None:
        made = together({"type": "string", "$defs": {"A": {}, "part": {}}}, schema, schema)
        made.require({"1": fits, "2": fits})
        for place in "12":
            with pytest.raises(SchemaMismatch):
                made.require({place: does_not})

    def test_a_reference_by_an_anchor_fits_anything(self) -> None:
        schema: Schema = {"properties": {"a": {"$ref": "#x"}}, "$defs": {"A": {"$anchor": "x", "type": "integer"}}}
        together(schema).require({"0": {"a": "whatever"}})


def test_a_kind_of_literals_is_strict() -> None:
    class Kind(Closed):
        kind: Literal["a", "b"]

    assert is_strict(Kind.model_json_schema())
