"""How the values of options are read."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.errors import ConfigurationError
from deploy.terminal.options import json_object, json_schema, moment


@pytest.mark.parametrize(
    ("text", "ago"),
    [("30m", timedelta(minutes=30)), ("2h", timedelta(hours=2)), ("3d", timedelta(days=3)), ("1w", timedelta(days=7))],
)
def test_a_time_ago_is_counted_back_from_now(text: str, ago: timedelta) -> None:
    assert abs(datetime.now(UTC) - ago - moment("--since", text)) < timedelta(seconds=10)


def test_a_date_with_a_zone_is_taken_at_its_word_and_one_without_is_of_this_machine() -> None:
    assert moment("--since", "2026-01-31T10:00:00Z") == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert moment("--since", "2026-01-31") == datetime(2026, 1, 31).astimezone()


@pytest.mark.parametrize("text", ["", "yesterday", "2 hours", "-2h", "99999999999999d", "2026-13-01"])
def test_anything_else_names_the_option_and_what_it_takes(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^--since: expected 30m, 2h"):
        moment("--since", text)


def test_an_object_is_read() -> None:
    assert json_object("--edit", '{"to": ["ann"], "copies": 2}') == {"to": ["ann"], "copies": 2}


@pytest.mark.parametrize("text", ["", "{", "[1]", '"text"', "{'a': 1}"])
def test_what_is_no_object_names_the_option(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^--edit: expected a JSON object"):
        json_object("--edit", text)


def test_a_schema_is_read_from_a_file_or_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = '{"type": "object", "properties": {"price": {"type": "number"}}}'
    (tmp_path / "price.json").write_text(written)
    monkeypatch.setattr("sys.stdin", io.StringIO(written))
    schema = {"type": "object", "properties": {"price": {"type": "number"}}}
    assert json_schema("--schema", str(tmp_path / "price.json")) == json_schema("--schema", "-") == schema


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("{", " is not JSON: "),
        ("", " is not JSON: "),
        ("[1]", ": expected a JSON object such as "),
        ('{"type": "nubmer"}', " is not a JSON Schema that can be used: "),
        ('{"$ref": "https://example.com/schema.json"}', " is not a JSON Schema that can be used: "),
    ],
)
def test_what_is_no_schema_names_the_option_the_file_and_what_is_wrong(
    written: str, complaint: str, tmp_path: Path
) -> None:
    file = tmp_path / "price.json"
    file.write_text(written)
    with pytest.raises(ConfigurationError) as error:
        json_schema("--schema", str(file))
    assert str(error.value).startswith(f"--schema: {file}{complaint}")


def test_a_schema_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^--schema: no-such\.json: No such file"):
        json_schema("--schema", "no-such.json")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"binary is not JSON"):
        json_schema("--schema", str(tmp_path / "binary"))
