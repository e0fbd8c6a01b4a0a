"""A tool's result as a file: a table, JSON, or text."""

import pytest
from pydantic import JsonValue

from activities.errors import InvalidArguments
from activities.smtp.result_files import text_of

ORDERS: list[JsonValue] = [
    {"id": 7, "who": 'Ann "A", Ltd', "paid": True, "sum": 19.9},
    {"id": 8, "who": "Bob\nLtd", "note": None, "sum": 1e21},
]
TABLE = 'id,who,paid,sum,note\n7,"Ann ""A"", Ltd",true,19.9,\n8,"Bob\nLtd",,1e+21,\n'


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (ORDERS, "orders.csv", TABLE),
        ({"orders": ORDERS, "total": 2}, "orders.CSV", TABLE),
        ([{"a": "x", "b": "y\tz"}], "a.tsv", 'a\tb\nx\t"y\tz"\n'),
        ({"a": [1, "ü"]}, "a.json", '{\n  "a": [\n    1,\n    "ü"\n  ]\n}\n'),
        ('{"a": 1.0}', "a.json", '{"a": 1.0}'),
        ("no JSON", "a.json", '"no JSON"'),
        ('{"a": NaN}', "a.json", '"{\\"a\\": NaN}"'),
        ("a;b\r\n1;2\r\n", "a.csv", "a;b\r\n1;2\r\n"),
        ("As it is.", "a.md", "As it is."),
        ({"a": None}, "a.txt", '{\n  "a": null\n}\n'),
    ],
)
def test_a_result_is_written_as_the_end_of_the_name_says(value: JsonValue, name: str, text: str) -> None:
    assert text_of(value, name) == text


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"city": "Paris"}, "a.csv: the result is no list of rows"),
        ([1, 2], "a.csv: the result is no list of rows"),
        ([], "a.csv: the result is no list of rows"),
        ({"a": ORDERS, "b": ORDERS}, "a.csv: the result is no list of rows, nor has it exactly one"),
        ([{"id": 1, "lines": [{"sku": "x"}]}], "a.csv: lines has more than one value in a row"),
    ],
)
def test_what_is_no_table_is_not_made_one(value: JsonValue, why: str) -> None:
    with pytest.raises(InvalidArguments, match=why):
        text_of(value, "a.csv")
