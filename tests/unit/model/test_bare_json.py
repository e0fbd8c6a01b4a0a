"""A result reads without the quotes that nothing needs, and nothing in it passes for another field."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from activities.model.bare_json import bare
from tests.unit.execution.arbitrary import quick


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"city": "Paris", "sky": "partly cloudy", "c": 21.5}, "{city:Paris,sky:partly cloudy,c:21.5}"),
        (["ann@example.com", None, True, 3], "[ann@example.com,null,true,3]"),
        ({"a": "true", "b": "12", "c": "", "d": " x "}, '{a:"true",b:"12",c:"",d:" x "}'),
        ({"a": "x,b:2}", "to:": "\n"}, '{a:"x,b:2}","to:":"\\n"}'),
        ("it's 5 °C", "it's 5 °C"),
        ({"price": float("nan")}, "{price:null}"),
        ({}, "{}"),
    ],
)
def test_a_text_keeps_its_quotes_where_it_could_be_taken_for_something_else(value: JsonValue, text: str) -> None:
    assert bare(value) == text


@quick
@given(st.text(max_size=20))
def test_whatever_a_text_says_it_stays_one_value(text: str) -> None:
    shown = bare(text)
    quoted = shown.startswith('"')
    assert json.loads(shown) == text if quoted else shown == text
    assert quoted or not re.search(r'[,:{}\[\]"\n]', shown)
