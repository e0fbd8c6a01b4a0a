"""A stranger's schema is held to strictly, closed, and never allowed to hang or fetch anything."""

import json
import time
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import JsonValue

from activities.schema.additional_properties import closed
from activities.schema.dialect import mended
from activities.schema.json_schema import JsonSchema, NotASchema, SchemaMismatch, check, whole

STRING: dict[str, Any] = {"type": "string"}
NULL: dict[str, Any] = {"type": "null"}
WITH_A: dict[str, Any] = {"required": ["a"]}
WITH_B_AND_C: dict[str, Any] = {"type": "object", "required": ["b", "c"]}
WITH_MANY: dict[str, Any] = {"required": [*"abcdefg"]}
A_THING: dict[str, Any] = {"required": ["a"], "$ref": "#/$defs/a"}


def problem(schema: dict[str, Any], value: JsonValue) -> str:
    """Why it does not fit; empty where it does."""
    try:
        JsonSchema(schema).require(value)
    except SchemaMismatch as misfit:
        return str(misfit)
    return ""


class TestProblems:
    @pytest.mark.parametrize(
        ("schema", "value", "told"),
        [
            ({"type": "integer"}, "3", "Input should be a valid integer"),
            ({"type": "number"}, True, "Input should be a valid number"),
            ({"type": "boolean"}, 1, "Input should be a valid boolean"),
            ({"type": ["string", "null"]}, 1, "Input should be a valid string or null"),
            ({"enum": ["a", 2]}, 2.5, "Input should be one of a, 2"),
            ({"enum": [1]}, True, "Input should be one of 1"),
            ({"enum": [[1]]}, [True], "Input should be one of [1]"),
            ({"enum": [{"x": 1}]}, {}, 'Input should be one of {"x":1}'),
            ({"const": 0}, False, "Input should be 0"),
            ({"minimum": 3}, 2, "Input should be at least 3"),
            ({"maxLength": 2}, "abc", "Input should have at most 2 characters"),
            ({"pattern": "^a+$"}, "b", "Input should match ^a+$"),
            ({"uniqueItems": True}, [{"a": 1}, {"a": 1.0}], "Input should not have the same item twice"),
            ({"required": ["a"]}, {}, "a: Field required"),
            (
                {"properties": {"a": {}}, "additionalProperties": False},
                {"b": 1},
                "b: Extra inputs are not permitted; there are a",
            ),
            ({"additionalProperties": False}, {"b": 1}, "b: Extra inputs are not permitted; there are none"),
            ({"properties": {"a": {"items": STRING}}}, {"a": ["x", 1]}, "a.1: Input should be a valid string"),
            ({"patternProperties": {"^x": {"type": "string"}}}, {"x1": 1}, "x1: Input should be a valid string"),
            ({"anyOf": [STRING, NULL]}, 1, 'Input should be one of {"type":"string"}, {"type":"null"}'),
            ({"anyOf": [{"type": "array", "items": STRING}, NULL]}, [1], "0: Input should be a valid string"),
            ({"oneOf": [{}, {"const": 1}]}, 1, 'Input should be exactly one of …, {"const":1}'),
            ({"properties": {"a": False}}, {"a": 1}, "Extra inputs are not permitted; there are none"),
            ({"not": {"type": "string"}}, "x", 'Input should fit not {"type":"string"}'),
        ],
    )  # fmt: skip
    def test_a_problem_says_where_and_what(self, schema: dict[str, Any], value: JsonValue, told: str) -> None:
        assert problem(schema, value) == told

    @pytest.mark.parametrize(
        ("branches", "told"),
        [
            ([WITH_A, WITH_B_AND_C], 'an object with "a", an object with "b" and "c"'),
            ([NULL, WITH_A, WITH_B_AND_C], '{"type":"null"}, an object with "a", an object with "b" and "c"'),
            ([WITH_MANY, WITH_A], 'an object with "a" and "b" and "c" and "d" and "e" and …, an object with "a"'),
            (
                [A_THING, WITH_B_AND_C],
                'an object with "a" that is {"$ref":"#/$defs/a"}, an object with "b" and "c"',
            ),
        ],
    )
    def test_of_several_forms_it_is_said_what_each_needs(self, branches: list[dict[str, Any]], told: str) -> None:
        either: dict[str, Any] = {"oneOf": branches, "$defs": {"a": {}}}
        assert problem(either, {}) == f"Input should be exactly one of {told}"
        assert problem(either, dict.fromkeys("abcdefg", 1)) == f"Input should be exactly one of {told}"
        assert problem({"anyOf": branches, "$defs": {"a": {}}}, {}) == f"Input should be one of {told}"

    def test_what_the_forms_need_is_told_in_short(self) -> None:
        many = [{"required": [letter * 1000, letter]} for letter in "abcdefgh"]
        assert len(problem({"oneOf": many}, {})) < 250

    @pytest.mark.parametrize(
        ("schema", "value"),
        [({"type": "integer"}, 3.0), ({"enum": [1]}, 1.0), ({"uniqueItems": True}, [1, True, "1", [1], [True]])],
    )
    def test_values_are_compared_as_json(self, schema: dict[str, Any], value: JsonValue) -> None:
        assert problem(schema, value) == ""

    @pytest.mark.parametrize(
        ("pattern", "fits", "does_not"),
        [
            (r"^a\w+b$", "a_1b", "a漢b"),
            (r"^\d+$", "42", "٤٢"),
            (r"^[\w.-]+@\w+$", "a.b-c@d", "ä@d"),
            (r"^\\w[\d-]$", r"\w-", r"x-"),
            (r"^[\]\d]+$", "]7", "]٧"),
        ],
    )
    def test_digits_and_letters_of_a_pattern_are_those_of_ascii(self, pattern: str, fits: str, does_not: str) -> None:
        assert problem({"pattern": pattern}, fits) == ""
        assert problem({"pattern": pattern}, does_not) != ""

    def test_a_problem_is_short_and_repeats_no_value(self) -> None:
        many = {"type": "object", "additionalProperties": {"enum": ["y" * 300] * 40}}
        told = problem(many, {f"{place}" * 500: "x" * 10_000 for place in range(30)})
        assert len(told) <= 1000
        assert "x" not in told.replace("exa", "")

    def test_whole_numbers_are_integers_wherever_they_stand(self) -> None:
        assert repr(whole({"a": [1.0, 2.5, {"b": -3.0}], "c": True, "d": None, "e": "1.0"})) == repr(
            {"a": [1, 2.5, {"b": -3}], "c": True, "d": None, "e": "1.0"}
        )


NAMED: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
A = "#/$defs/A"
ADDED: dict[str, Any] = {"$defs": {"A": NAMED}, "allOf": [{"$ref": "#/$defs/A"}, {"properties": {"b": {}}}]}


class TestClosing:
    @pytest.mark.parametrize(
        ("schema", "fits", "unfit"),
        [
            pytest.param(NAMED, {"a": "x"}, {"b": 1}, id="named fields"),
            pytest.param({"items": NAMED}, [{"a": "x"}], [{"a": "x", "b": 1}], id="items"),
            pytest.param({"$defs": {"A": NAMED}, "$ref": "#/$defs/A"}, {"a": "x"}, {"b": 1}, id="a reference"),
            pytest.param({"anyOf": [NAMED, {"type": "null"}]}, {"a": "x"}, {"b": 1}, id="one of several"),
            pytest.param(ADDED, {"a": "x", "b": 1}, {"a": "x", "c": 1}, id="parts that add up"),
            pytest.param({"properties": {"c": ADDED}} | ADDED, {"b": 1, "c": {"b": 1}}, {"c": {"c": 1}}, id="two deep"),
            pytest.param(
                {"$defs": {"A": NAMED}, "properties": {"one": {"$ref": A}, "two": {"allOf": [{"$ref": A}]}}},
                {"one": {"a": "x"}, "two": {"a": "x"}},
                {"one": {"b": 1}},
                id="a part that is also whole",
            ),
            pytest.param({"properties": {"a": {}}, "required": ["b"]}, {"b": 1}, {"a": 1}, id="required and not named"),
            pytest.param(
                {"properties": {"a": {}, "b": {}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
                {"a": 1},
                {"a": 1, "c": 1},
                id="one or the other",
            ),
        ],
    )  # fmt: skip
    def test_objects_take_the_fields_they_name(self, schema: dict[str, Any], fits: JsonValue, unfit: JsonValue) -> None:
        shut = closed(schema)
        assert problem(shut, fits) == ""
        assert problem(shut, unfit) != ""

    @pytest.mark.parametrize(
        "schema",
        [
            {"type": "object"},
            {},
            True,
            {**NAMED, "additionalProperties": True},
            {**NAMED, "additionalProperties": {"type": "integer"}},
            {**NAMED, "patternProperties": {"^x": {}}},
            {"not": NAMED},
        ],
    )
    def test_what_is_free_or_says_what_else_there_may_be_stays_as_it_is(self, schema: Any) -> None:
        assert closed({"properties": {"it": schema}})["properties"]["it"] == schema

    def test_the_schema_that_was_given_is_left_alone(self) -> None:
        before = json.dumps(ADDED)
        closed(ADDED)
        assert json.dumps(ADDED) == before


class TestDialect:
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ({"type": "dict"}, {"type": "object"}),
            ({"type": "HashMap"}, {"type": "object"}),
            ({"type": "ArrayList", "items": {"type": "String"}}, {"type": "array", "items": {"type": "string"}}),
            ({"type": "tuple"}, {"type": "array"}),
            ({"type": "float", "format": "float"}, {"type": "number"}),
            ({"type": "long"}, {"type": "integer"}),
            ({"type": "Boolean"}, {"type": "boolean"}),
            ({"type": "char"}, {"type": "string"}),
            ({"type": "any"}, {}),
            ({"type": "", "description": "x"}, {"description": "x"}),
            ({"type": "string", "default": None}, {"type": ["string", "null"], "default": None}),
            ({"enum": ["a"], "default": None}, {"enum": ["a", None], "default": None}),
            ({"type": "array", "enum": ["a", "b"]}, {"type": "array", "items": {"enum": ["a", "b"]}}),
            ({"type": "array", "enum": [["a"]]}, {"type": "array", "enum": [["a"]]}),
            ({"type": "boolean", "enum": ["True", "dontcare"]}, {"enum": ["True", "dontcare"]}),
            ({"type": "integer", "default": "7"}, {"type": "integer"}),
            ({"type": "string", "enum": ["a"], "default": "all"}, {"type": "string", "enum": ["a"]}),
            ({"type": "string", "optional": True}, {"type": "string"}),
            ({"type": "unheard-of"}, {"type": "unheard-of"}),
        ],
    )  # fmt: skip
    def test_a_description_by_hand_becomes_what_was_meant(self, written: dict[str, Any], meant: dict[str, Any]) -> None:
        assert mended({"type": "dict", "properties": {"it": written}}) == {
            "type": "object",
            "properties": {"it": meant},
        }

    def test_an_argument_may_have_the_name_of_a_keyword(self) -> None:
        names = ("type", "optional", "enum", "default", "format", "properties", "items", "required", "$ref", "title")
        written: dict[str, JsonValue] = {"type": "dict", "properties": {name: {"type": "float"} for name in names}}
        schema = closed(mended(written))
        check(schema)
        assert problem(schema, dict.fromkeys(names, 1.5)) == ""
        assert problem(schema, {"optional": "x"}) == "optional: Input should be a valid number"


class TestForeignSchemas:
    @pytest.mark.parametrize(
        ("schema", "why"),
        [
            ({"type": "dict"}, "type: 'dict'"),
            ({"properties": []}, "properties"),
            ({"properties": {"a": {"minimum": "3"}}}, "properties.a.minimum"),
            ({"$ref": "https://example.com/schema.json"}, "nothing is fetched"),
            ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "nothing is fetched"),
            ({"$ref": "#/$defs/Nowhere"}, "points to nothing"),
            ({"$ref": "#"}, "nested too deeply"),
            ({"const": {"pattern": "(?=a)b"}, "not": {"$ref": "#/const"}}, "points to what is no schema"),
            ({"allOf": [STRING], "not": {"$ref": "#/allOf/x"}}, "points to nothing"),
            ({"$defs": {str(n): {"$ref": f"#/$defs/{n}"} for n in range(1001)}}, "1,001 different places"),
            (
                {"$schema": "http://json-schema.org/draft-07/schema#", "dependencies": {"a": {"pattern": "(?=a)b"}}},
                "may take for ever",
            ),
            ({"pattern": "("}, "no regular expression"),
            ({"pattern": "(?=a)b"}, "may take for ever"),
            ({"pattern": r"(a)\1"}, "may take for ever"),
            ({"patternProperties": {"(?!a)b": {}}}, "may take for ever"),
        ],
    )
    def test_what_is_no_schema_or_cannot_be_held_to_is_refused(self, schema: dict[str, Any], why: str) -> None:
        with pytest.raises(NotASchema, match=why):
            check(schema)

    def test_a_schema_that_is_nested_without_end_is_refused(self) -> None:
        deep: dict[str, Any] = {}
        for _ in range(2000):
            deep = {"items": deep}
        with pytest.raises(NotASchema, match="too deeply"):
            check(deep)

    @pytest.mark.parametrize(
        "dialect", ["http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema#"]
    )
    def test_an_older_draft_is_read_as_it_says(self, dialect: str) -> None:
        schema: dict[str, Any] = {"$schema": dialect, "items": [{"type": "string"}], "type": "array"}
        check(schema)
        assert problem(schema, ["x", 1]) == ""
        assert problem(schema, [1]) == "0: Input should be a valid string"


class TestTime:
    """Of what a hostile schema and hostile arguments can do, none takes longer than a few seconds."""

    @pytest.mark.parametrize(
        ("schema", "value"),
        [
            pytest.param({"pattern": "^(a+)+$"}, "a" * 5000 + "b", id="a pattern that backtracks"),
            pytest.param({"patternProperties": {"^(a|a)*$": {}}}, {"a" * 5000 + "b": 1}, id="of names"),
            pytest.param({"uniqueItems": True}, [{"a": each} for each in range(8000)], id="many different items"),
            pytest.param(
                {
                    "$defs": {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(40)} | {"40": {}},
                    "$ref": "#/$defs/0",
                },
                1,
                id="references that double",
            ),
            pytest.param(
                {"items": {"anyOf": [{"enum": [each]} for each in range(1000)]}},
                [-1] * 20_000,
                id="many choices of many",
            ),
        ],
    )
    def test_it_is_over_soon(self, schema: dict[str, Any], value: JsonValue) -> None:
        begun = time.thread_time()
        problem(schema, value)
        assert time.thread_time() - begun < 15

    def test_names_are_looked_for_once_and_not_at_every_reference(self) -> None:
        schema = {"$defs": {"a": {"$anchor": "a"}}, "allOf": [{"$ref": "#a"}] * 2400}
        begun = time.process_time()
        check(schema)
        assert problem(schema, {}) == ""
        assert time.process_time() - begun < 5  # 50 without


SCALARS = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([0.5, 1.0, 3.0]) | st.sampled_from(["", "a", "1"])
)
VALUES = st.recursive(
    SCALARS,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from("ab"), part, max_size=2),
    max_leaves=5,
)
PARTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"]),
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "pattern": st.sampled_from(["^a$", "1", "a|b"]),
        "uniqueItems": st.booleans(),
        "required": st.lists(st.sampled_from("ab"), unique=True),
        "minimum": st.integers(-2, 2),
    },
)
SCHEMAS = cast(
    "st.SearchStrategy[dict[str, Any]]",
    st.recursive(
        PARTS,
        lambda part: st.fixed_dictionaries(
            {},
            optional={
                "items": part,
                "properties": st.dictionaries(st.sampled_from("ab"), part, max_size=2),
                "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), part, max_size=1),
                "additionalProperties": part | st.booleans(),
                "anyOf": st.lists(part, min_size=1, max_size=2),
                "not": part,
            },
        ),
        max_leaves=5,
    ),
)


@given(schema=SCHEMAS, value=VALUES)
def test_it_judges_as_json_schema_does(schema: dict[str, Any], value: JsonValue) -> None:
    check(schema)
    judged = Draft202012Validator(schema).is_valid(value)  # pyright: ignore[reportUnknownMemberType]
    assert (problem(schema, value) == "") is judged
