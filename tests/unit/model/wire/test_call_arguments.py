"""Arguments are read as the model wrote them, or with a problem; never as somebody's guess."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from activities.errors import ErrandError
from activities.lenient_json import Object, passable
from activities.model.wire.replies import RawCall, read
from tests.completions import call, calling
from tests.unit.execution.arbitrary import json_values, nearly_json_values, quick
from workflows.contract.values import Arguments

PARIS: Arguments = {"city": "Paris"}
NO_SCHEMA: dict[str, Object] = {}


def only_call(*calls: Any, schemas: dict[str, Object] = NO_SCHEMA) -> RawCall:
    (made,) = read(calling(*calls), schemas=schemas).calls
    return made


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "meant"),
        [
            pytest.param('{"city": "Paris"}', PARIS, id="JSON text"),
            pytest.param(' {"city":\n"Paris"} ', PARIS, id="JSON text with space"),
            pytest.param({"city": "Paris"}, PARIS, id="an object"),
            pytest.param('"{\\"city\\": \\"Paris\\"}"', PARIS, id="encoded twice"),
            pytest.param('{"a": {"b": [1, 2.5, null, true]}}', {"a": {"b": [1, 2.5, None, True]}}, id="nested"),
            pytest.param("", {}, id="empty"),
            pytest.param(" \n", {}, id="blank"),
            pytest.param('""', {}, id="empty, encoded twice"),
            pytest.param("{}", {}, id="an empty object as text"),
            pytest.param({}, {}, id="an empty object"),
            pytest.param('{"city": "\\ud83dParis"}', {"city": "\ufffdParis"}, id="half a surrogate pair"),
            pytest.param('{"days": [NaN, 1e999]}', {"days": [None, None]}, id="numbers that are none"),
            pytest.param("null", {}, id="null as text"),
            pytest.param(None, {}, id="null"),
        ],
    )
    def test_arguments_are_what_the_model_wrote(self, arguments: Any, meant: Arguments) -> None:
        assert only_call(call(arguments)) == RawCall("get_weather", meant)

    def test_arguments_left_out_are_none(self) -> None:
        assert only_call({"function": {"name": "get_weather"}}) == RawCall("get_weather", {})

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            pytest.param('{"city": "Par', "not valid JSON", id="cut off"),
            pytest.param("{'city': 'Paris'}", "not valid JSON", id="Python"),
            pytest.param("city=Paris", "not valid JSON", id="no JSON"),
            pytest.param('{"city": "Paris"}{"city": "Rome"}', "not valid JSON", id="two objects"),
            pytest.param('```json\n{"city": "Paris"}\n```', "not valid JSON", id="in a fence"),
            pytest.param("NaN", "NaN is no number", id="NaN"),
            pytest.param("1e999", "1e999 is no number", id="infinity by another name"),
            pytest.param('{"city": "Paris", "city": "Rome"}', "'city' is there twice", id="a name twice"),
            pytest.param("[" * 100_000, "nested too deeply", id="nested without end"),
            pytest.param("1" * 5000, "not valid JSON", id="an endless number"),
            pytest.param('["Paris"]', "must be a JSON object", id="a list"),
            pytest.param('"Paris"', "not valid JSON", id="text"),
            pytest.param("3", "must be a JSON object", id="a number"),
            pytest.param("false", "must be a JSON object", id="false"),
            pytest.param(0, "must be a JSON object", id="zero, not as text"),
            pytest.param(False, "must be a JSON object", id="false, not as text"),
            pytest.param(["Paris"], "must be a JSON object", id="a list, not as text"),
            pytest.param(json.dumps(json.dumps('{"city": "Paris"}')), "must be a JSON object", id="encoded thrice"),
        ],
    )  # fmt: skip
    def test_arguments_that_cannot_be_read_are_a_problem_and_never_a_guess(self, arguments: Any, problem: str) -> None:
        made = only_call(call(arguments))
        assert (made.tool, made.arguments) == ("get_weather", {})
        assert problem in (made.problem or "")

    @pytest.mark.parametrize(
        "made",
        [
            pytest.param({"function": {"name": "get_weather", "parameters": PARIS}}, id="parameters"),
            pytest.param({"function": {"name": "get_weather", "arguments": {}, "input": PARIS}}, id="input"),
            pytest.param({"function": {"name": "get_weather", "arguments": ""}, "arguments": "{}"}, id="beside it"),
        ],
    )
    def test_arguments_in_a_wrong_place_are_not_taken_for_none(self, made: Any) -> None:
        assert "must be in the field `arguments`" in (only_call(made).problem or "")

    def test_a_problem_quotes_no_more_than_the_beginning(self) -> None:
        assert len(only_call(call("x" * 100_000)).problem or "") < 1000


def schema(field: Any, **more: Any) -> dict[str, Object]:
    return {"get_weather": {"type": "object", "properties": {"to": field}, **more}}


LIST: Object = {"type": "array"}
DEFINED: Object = {"To": {"type": "object"}, "Loop": {"$ref": "#/$defs/Loop"}}


class TestFields:
    """Of the tool's schema, `to` is the field in question."""

    @pytest.mark.parametrize(
        ("field", "written", "meant"),
        [
            pytest.param(LIST, '["a", "b"]', ["a", "b"], id="a list"),
            pytest.param({"type": "object"}, '{"a": 1}', {"a": 1}, id="an object"),
            pytest.param({"type": ["array", "null"]}, "[]", [], id="a list or null"),
            pytest.param({"anyOf": [LIST, {"type": "null"}]}, "[1]", [1], id="a list or null, as pydantic has it"),
            pytest.param({"oneOf": [LIST, {"type": "object"}]}, "{}", {}, id="a list or an object"),
            pytest.param({"$ref": "#/$defs/To"}, "{}", {}, id="a reference"),
        ],
    )
    def test_a_list_or_an_object_written_as_text_is_read_where_nothing_else_fits(
        self, field: Any, written: str, meant: JsonValue
    ) -> None:
        made = only_call(call({"to": written, "body": written}), schemas=schema(field, **{"$defs": DEFINED}))
        assert made == RawCall("get_weather", {"to": meant, "body": written})

    @pytest.mark.parametrize(
        ("field", "written"),
        [
            pytest.param(LIST, '{"a": 1}', id="an object for a list"),
            pytest.param({"type": "object"}, "[1]", id="a list for an object"),
            pytest.param(LIST, "a, b", id="no JSON"),
            pytest.param(LIST, "[1, 1", id="cut off"),
            pytest.param(LIST, "['a']", id="Python"),
            pytest.param(LIST, '[{"a": 1, "a": 2}]', id="a name twice"),
            pytest.param(LIST, '"[1]"', id="encoded twice"),
            pytest.param({"type": ["array", "null"]}, "null", id="null"),
            pytest.param({"type": "string"}, "[1]", id="a text that is wanted"),
            pytest.param({"type": ["array", "string"]}, "[1]", id="a text that fits"),
            pytest.param({"anyOf": [LIST, {"type": "string"}]}, "[1]", id="a text that fits, otherwise"),
            pytest.param({"anyOf": [LIST, {}]}, "[1]", id="anything"),
            pytest.param({"type": "integer"}, "3", id="a number"),
            pytest.param({"enum": ["[1]"]}, "[1]", id="no type"),
            pytest.param({"anyOf": []}, "[1]", id="no choice"),
            pytest.param(True, "[1]", id="no schema"),
            pytest.param({"$ref": "#/$defs/Loop"}, "[1]", id="a reference without end"),
            pytest.param({"$ref": "https://example.com/schema.json"}, "[1]", id="a reference elsewhere"),
        ],
    )
    def test_any_other_text_stays_text(self, field: Any, written: str) -> None:
        made = only_call(call({"to": written}), schemas=schema(field, **{"$defs": DEFINED}))
        assert made == RawCall("get_weather", {"to": written})


def meanings(raw: Any, readings: int = 2) -> list[Any]:
    """All that arguments can mean without a guess."""
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return [{}]
    if not isinstance(raw, str) or not readings:
        return [raw]
    try:
        return meanings(passable(json.loads(raw, parse_constant=lambda _: None)), readings - 1)
    except ValueError:
        return []


written = st.dictionaries(st.text(max_size=5), json_values, max_size=3).map(json.dumps)
cut_off = st.tuples(written, st.integers(0, 30)).map(lambda pair: pair[0][: pair[1]])
arguments = (
    written
    | cut_off
    | st.tuples(written, written).map("".join)
    | written.map(json.dumps)
    | nearly_json_values.map(json.dumps)
    | nearly_json_values
)


class TestAnything:
    @quick
    @given(st.lists(arguments, min_size=1, max_size=4))
    def test_no_call_without_a_problem_has_other_arguments_than_were_written(self, written: list[Any]) -> None:
        try:
            calls = read(calling(*map(call, written))).calls
        except ErrandError:
            return
        assert len(calls) == len(written)
        for made, raw in zip(calls, written, strict=True):
            readable = passable(json.loads(json.dumps(raw), parse_constant=lambda _: None))
            assert made.arguments == {} if made.problem else made.arguments in meanings(readable)

    @quick
    @given(st.text(max_size=20) | json_values.map(json.dumps), st.just(LIST) | json_values)
    def test_no_field_is_other_than_its_text_or_what_its_text_says(self, text: str, field: Any) -> None:
        made = only_call(call({"to": text}), schemas=schema(field))
        assert made.arguments["to"] == text or made.arguments["to"] == json.loads(text)
