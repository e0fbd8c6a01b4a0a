"""JSON that could mean two things is not read."""

import json
from typing import Any

import pytest
from hypothesis import given
from pydantic import JsonValue
from pydantic_core import from_json

from activities.model.json_text import DEEPEST, parse
from tests.unit.core.arbitrary import nearly_json_values, quick


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "Expecting value", id="nothing"),
        pytest.param('{"city": "Par', "Unterminated", id="cut off"),
        pytest.param("{'city': 'Paris'}", "Expecting", id="Python"),
        pytest.param("[1, 2,]", "Expecting", id="a comma too many"),
        pytest.param("{} // done", "Extra data", id="a comment"),
        pytest.param('{"a": 1}{"a": 2}', "Extra data", id="two values"),
        pytest.param("NaN", "NaN is not JSON", id="NaN"),
        pytest.param("-Infinity", "-Infinity is not JSON", id="infinity"),
        pytest.param("1e999", "1e999 is too large", id="infinity by another name"),
        pytest.param("9" * 400, "too large", id="a number past all floats"),
        pytest.param("1" * 5000, "too large", id="an endless number"),
        pytest.param('{"a": 1, "a": 1}', "'a' is there twice", id="a name twice"),
        pytest.param('[{"a": {"b": 1, "b": 2}}]', "'b' is there twice", id="a name twice, deeper"),
        pytest.param('"\\ud83d"', "surrogates", id="half a surrogate pair"),
        pytest.param('{"\\udc00": 1}', "surrogates", id="half a surrogate pair in a name"),
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
@given(nearly_json_values)
def test_what_parses_is_what_everybody_else_reads(value: Any) -> None:
    text = json.dumps(value)
    try:
        parsed = parse(text)
    except ValueError:
        return
    assert from_json(text, allow_inf_nan=False) == parsed
