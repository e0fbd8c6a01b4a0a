"""How the values of options are read."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.errors import ConfigurationError
from deploy.terminal.options import json_object, moment


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
