"""What is printed of strangers' text, and how long values give way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.terminal.screen import Screen, arguments, link, visible
from deploy.terminal.story import Asked
from workflows.contract import Request
from workflows.timeline import summary


@given(st.text())
def test_nothing_that_a_stranger_wrote_reaches_the_terminal_as_a_control_character(text: str) -> None:
    assert all(each.isprintable() or each in "\n\u00a0" for each in visible(text))


def test_an_escape_sequence_is_shown_instead_of_obeyed() -> None:
    assert visible("\x1b[2Jhi\u202e") == "\\x1b[2Jhi\\u202e"


def test_markup_in_a_request_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().show(Asked(Request(text="[red]not red[/red] [/]")), "r")
    assert "[red]not red[/red] [/]" in capsys.readouterr().out


def test_short_arguments_are_whole() -> None:
    assert arguments({"to": ["ann@example.com"], "copies": 2}, 80) == 'to=["ann@example.com"] copies=2'


def test_long_arguments_give_way_so_that_every_name_can_be_seen() -> None:
    shown = arguments({"to": ["ann@example.com"], "subject": "x" * 100, "body": "y\n" * 100}, 60)
    assert len(shown) <= 60
    assert all(f"{name}=" in shown for name in ("to", "subject", "body"))


def test_a_link_survives_an_id_with_a_slash() -> None:
    shown = link("http://ui/", "default", "a/b c", "run")
    assert shown == "http://ui/namespaces/default/workflows/a%2Fb%20c/run/history"


@given(st.text(min_size=1, max_size=400))
def test_a_summary_never_has_more_bytes_than_the_server_takes(text: str) -> None:
    assert len(summary(text).encode()) <= 200
