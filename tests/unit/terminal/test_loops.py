"""What a model says over and over is said twice on the screen, and how often it was said beside it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.terminal.loops import without_loops
from tests.unit.execution.arbitrary import quick

CLAUSE = "the price of Apple is 150 dollars, "
CUT = " … [cut off: the model's answer was too long]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CLAUSE * 60, f"{CLAUSE * 2}… (the same 58 times more)"),
        (f"{(CLAUSE * 60).strip()}{CUT}", f"{CLAUSE * 2}… (the same 58 times more){CUT}"),
        (f"{CLAUSE * 60}the price of App{CUT}", f"{CLAUSE * 2}… (the same 58 times more){CUT}"),
        (f"{CLAUSE * 60}the price", f"{CLAUSE * 2}… (the same 58 times more)"),
        (f"I looked. {CLAUSE * 60}and so on.", f"I looked. {CLAUSE * 2}… (the same 58 times more) and so on."),
        ("It is 17 °C in Paris.\n" * 20, "It is 17 °C in Paris.\nIt is 17 °C in Paris. … (the same 18 times more)"),
        (
            "The price is 150, " + "and the price is 150, " * 59,
            "The price is 150, and the price is 150, and the price is 150, … (the same 57 times more)",
        ),
        (f"{CLAUSE * 30}Or: {'it is not known. ' * 30}", None),
    ],
    ids=["alone", "cut off", "within it", "without a mark", "in between", "lines", "another beginning", "two of them"],
)
def test_a_loop_is_said_twice_and_how_often_it_was_said_more(text: str, expected: str | None) -> None:
    seen = without_loops(text)
    if expected is None:
        assert seen.count("times more") == 2
        assert len(seen) < 200
    else:
        assert " ".join(seen.split()) == " ".join(expected.split())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Done.",
        "It is very, very, very, very, very cold.",
        CLAUSE * 3,
        "- - - - - - - -",
        "one two three four\n\n  five",
        "".join(f"{number}. The price is {number} dollars.\n" for number in range(50)),
    ],
)
def test_what_is_no_loop_stays_as_it_is(text: str) -> None:
    assert without_loops(text) == text


@quick
@given(st.lists(st.sampled_from(["a", "b, ", " ", "\n", "…", "word ", "word. "]), max_size=80).map("".join))
def test_any_text_can_be_looked_at_and_none_becomes_much_longer(text: str) -> None:
    assert len(without_loops(text)) <= len(text) + 40


@pytest.mark.parametrize("text", ["a " * 100_000, ("a " * 59 + "b ") * 2000, "a" * 200_000, "\n" * 200_000])
def test_a_long_text_takes_no_long_time(text: str) -> None:
    begun = time.thread_time()
    without_loops(text)
    assert time.thread_time() - begun < 5
