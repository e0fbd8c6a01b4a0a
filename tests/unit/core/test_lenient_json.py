"""Whatever any reader of JSON takes is read; what could mean two things is not taken for one of them."""

import json
from typing import Any

import pytest
from hypothesis import given
from pydantic import JsonValue
from pydantic_core import from_json, to_json

from activities.lenient_json import (
    DEEPEST,
    DEEPEST_IN_ALL,
    decode,
    is_object,
    parse,
    passable,
    require_clear,
    sayable,
)
from tests.unit.execution.arbitrary import json_values, nearly_json_values, quick


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "Expecting value", id="nothing"),
        pytest.param('{"city": "Par', "Unterminated", id="cut off"),
        pytest.param("{'city': 'Paris'}", "Expecting", id="Python"),
        pytest.param("[1, 2,]", "Expecting", id="a comma too many"),
        pytest.param("{} // done", "Extra data", id="a comment"),
        pytest.param('{"a": 1}{"a": 2}', "Extra data", id="two values"),
        pytest.param("NaN", "NaN is no number", id="NaN alone"),
        pytest.param("-Infinity", "-Infinity is no number", id="infinity alone"),
        pytest.param("1e999", "1e999 is no number", id="infinity by another name"),
        pytest.param("1" * 5000, "is no number", id="an endless number alone"),
        pytest.param('{"a": 1, "a": 1}', "'a' is there twice", id="a name twice"),
        pytest.param('[{"a": {"b": 1, "b": 2}}]', "'b' is there twice", id="a name twice, deeper"),
        pytest.param("[" * 100_000, "nested too deeply", id="nested without end"),
        pytest.param("[" * 65 + "]" * 65, "nested too deeply", id="nested too deeply"),
    ],
)
def test_what_is_not_one_clear_value_is_an_error_that_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as raised:
        parse(text)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"\\ud83d\\ude00"', "😀"),
        ('{"a": null, "A": [true, -0.5]}', {"a": None, "A": [True, -0.5]}),
        ("9007199254740993", 9007199254740993),
        ("1e-999", 0.0),
        ("\ufeff[1]", [1]),
        ('"\\ud83d"', "\ufffd"),
        ('["a\\ud83d\\ud83d\\ude00", {"\\udc00": ["\\udc00b"]}]', ["a\ufffd😀", {"\ufffd": ["\ufffdb"]}]),
        ("[NaN, -Infinity, 1e999, -1e999]", [None] * 4),
        ("[" + "9" * 400 + ", " + "9" * 5000 + ", " + "9" * 300 + "]", [None, None, int("9" * 300)]),
        (" \n[]\t", []),
    ],
)
def test_what_is_one_clear_value_is_that_value(text: str, value: JsonValue) -> None:
    assert parse(text) == value


def test_nesting_is_allowed_within_reason() -> None:
    value: JsonValue = 1
    for _ in range(DEEPEST - 1):
        value = [value]
    assert parse(json.dumps(value)) == value


@quick
@given(json_values)
def test_what_everybody_can_say_stays_as_it_is(value: Any) -> None:
    assert parse(json.dumps(value)) == value


@quick
@given(nearly_json_values)
def test_what_is_read_can_be_passed_on(value: Any) -> None:
    read = passable(decode(json.dumps(value)))
    assert from_json(to_json(read), allow_inf_nan=False) == read
    assert passable(decode(json.dumps(read))) == read


class TestAnyReader:
    @pytest.mark.parametrize(("text", "value"), [('{"a": 1, "b": 2, "a": 3}', {"a": 3, "b": 2}), ("NaN", None)])
    def test_of_a_name_that_is_there_twice_the_last_counts(self, text: str, value: JsonValue) -> None:
        assert passable(decode(text)) == value

    def test_what_is_nested_too_deeply_is_left_out(self) -> None:
        read = passable(decode('{"a": 1, "b": ' + "[" * 500 + "]" * 500 + "}"))
        assert is_object(read)
        assert read["a"] == 1
        assert str(read["b"]).count("[") == DEEPEST_IN_ALL - 1
        with pytest.raises(ValueError, match="nested too deeply"):
            require_clear(read)

    @pytest.mark.parametrize("text", ["", "<html>", '{"a": ', "[" * 100_000, "\x00", "{'a': 1}"])
    def test_what_nobody_reads_is_an_error(self, text: str) -> None:
        with pytest.raises(ValueError):  # noqa: PT011  # json's own words
            decode(text)

    def test_halves_that_come_one_after_the_other_are_joined(self) -> None:
        assert sayable("\ud83d" + "\ude00") == "😀"
