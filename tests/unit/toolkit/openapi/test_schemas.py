"""What fits a tool's schema fits the document, and what was changed is said."""

import pytest

from tests.unit.toolkit.openapi.small import Part, body_schema, compiled, document, only, with_body

TREE: Part = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
    },
}
TO_TREE: Part = {"$ref": "#/components/schemas/Tree"}


def test_a_reference_is_put_in_place() -> None:
    assert body_schema({"$ref": "#/components/schemas/Name"}, Name={"type": "string"}) == {"type": "string"}


def test_a_schema_that_contains_itself_is_cut_to_an_empty_list() -> None:
    found = body_schema(TO_TREE, Tree=TREE)
    inner = found["properties"]["children"]["items"]
    assert inner["properties"]["children"] == {"type": "array", "maxItems": 0}


def test_that_it_was_cut_is_noted() -> None:
    held = document(with_body(TO_TREE), components={"schemas": {"Tree": TREE}})
    assert only(held).notes == ("a schema that contains itself is cut",)


def test_a_field_that_would_need_itself_without_end_is_not_there() -> None:
    endless = {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/components/schemas/Endless"}}}
    found = body_schema(
        {"type": "object", "properties": {"a": {"type": "string"}, "b": {"$ref": "#/components/schemas/Endless"}}},
        Endless=endless,
    )
    assert found["properties"] == {"a": {"type": "string"}}


def test_an_operation_that_only_a_value_without_end_would_fit_is_left_out() -> None:
    endless = {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/components/schemas/Endless"}}}
    held = document(with_body({"$ref": "#/components/schemas/Endless"}), components={"schemas": {"Endless": endless}})
    assert compiled(held).left_out == {"act": "only a value without end would fit its schema"}


@pytest.mark.parametrize(
    ("written", "version", "meant"),
    [
        ({"type": "string", "nullable": True}, "3.0.3", {"type": ["string", "null"]}),
        ({"type": "string", "nullable": True, "enum": ["a"]}, "3.0.3", {"type": "string", "enum": ["a"]}),
        ({"type": "string", "nullable": True}, "3.1.0", {"type": "string"}),
        ({"type": ["string", "null"]}, "3.1.0", {"type": ["string", "null"]}),
        (
            {"type": "integer", "minimum": 1, "exclusiveMinimum": True},
            "3.0.3",
            {"type": "integer", "exclusiveMinimum": 1},
        ),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": False}, "3.0.3", {"type": "integer", "minimum": 1}),
        ({"type": "integer", "exclusiveMinimum": 1}, "3.1.0", {"type": "integer", "exclusiveMinimum": 1}),
        ({"type": "string", "enum": ["a"], "default": "b"}, "3.0.3", {"type": "string", "enum": ["a"]}),
        ({"type": "string", "pattern": "(?!a)b"}, "3.0.3", {"type": "string"}),
        ({"type": "string", "example": "x", "xml": {}, "x-own": 1, "deprecated": True}, "3.0.3", {"type": "string"}),
        ({"properties": {"a": {}}}, "3.0.3", {"type": "object", "properties": {"a": {}}}),
        ({"const": 3}, "3.1.0", {"const": 3}),
        (
            {"type": "array", "prefixItems": [{"type": "string"}]},
            "3.1.0",
            {"type": "array", "prefixItems": [{"type": "string"}]},
        ),
    ],
)
def test_every_version_is_read_in_its_own_words(written: Part, version: str, meant: Part) -> None:
    assert body_schema(written, version=version) == meant


def test_what_only_the_far_end_sets_is_neither_there_nor_required() -> None:
    found = body_schema(
        {
            "type": "object",
            "required": ["id", "name"],
            "properties": {"id": {"type": "integer", "readOnly": True}, "name": {"type": "string"}},
        }
    )
    assert (found["properties"], found["required"]) == ({"name": {"type": "string"}}, ["name"])


def test_what_only_the_caller_sets_stays() -> None:
    found = body_schema({"type": "object", "properties": {"password": {"type": "string", "writeOnly": True}}})
    assert found["properties"] == {"password": {"type": "string"}}


def test_allof_of_plain_objects_becomes_one_object() -> None:
    found = body_schema(
        {
            "allOf": [
                {"$ref": "#/components/schemas/Base"},
                {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]},
            ]
        },
        Base={"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
    )
    assert found == {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    }


def test_a_description_beside_a_reference_stands_before_its_own() -> None:
    found = body_schema(
        {"$ref": "#/components/schemas/Name", "description": "here"},
        version="3.1.0",
        Name={"type": "string", "description": "there"},
    )
    assert found == {"type": "string", "description": "here"}


def test_a_discriminator_tells_the_branches_apart() -> None:
    found = body_schema(
        {
            "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
            "discriminator": {"propertyName": "kind", "mapping": {"hound": "#/components/schemas/Dog"}},
        },
        Cat={"type": "object", "properties": {"kind": {"type": "string"}}},
        Dog={"type": "object", "properties": {"kind": {"type": "string"}}},
    )
    kinds = [part["properties"]["kind"]["enum"] for part in found["oneOf"]]
    assert (kinds, [part["required"] for part in found["oneOf"]]) == ([["Cat"], ["hound"]], [["kind"], ["kind"]])


def test_long_descriptions_are_bounded_and_lose_their_links() -> None:
    found = body_schema(
        {"type": "string", "description": "See [the manual](https://example.com/long). " + "word " * 500}
    )
    assert found["description"].startswith("See the manual. word")
    assert len(found["description"]) <= 300


def test_a_reference_to_nothing_leaves_the_operation_out_and_the_rest_in() -> None:
    held = document(with_body({"$ref": "#/components/schemas/None"}))
    held["paths"]["/other"] = {"get": {"operationId": "other", "responses": {}}}
    found = compiled(held)
    assert [each.id for each in found.operations] == ["other"]
    assert found.left_out == {"act": "$ref '#/components/schemas/None' points to nothing that is read"}


def test_a_reference_that_goes_in_a_circle_is_no_endless_loop() -> None:
    circle: Part = {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}
    held = document(with_body({"$ref": "#/components/schemas/A"}), components={"schemas": circle})
    assert list(compiled(held).left_out) == ["act"]
