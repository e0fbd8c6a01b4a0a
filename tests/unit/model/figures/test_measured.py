"""How well figures are told apart. `python -m tests.figures` is the whole of it."""

import pytest

from tests.figures.measured import (
    MOST_FALSE_NUMBERS,
    MOST_MISSED_NUMBERS,
    conversations,
    numbers,
    outputs,
    parts,
    writes,
)


@pytest.mark.long
def test_few_right_figures_are_taken_for_made_up_and_few_changed_ones_are_missed() -> None:
    for part in parts():
        assert part.right >= 150
        assert part.wrong >= 500
        assert part.holds, part


def test_in_recorded_conversations_few_are_taken_for_made_up() -> None:
    for part in (conversations(), writes(step=20)):
        assert part.right > 10
        assert part.holds, part


@pytest.mark.long
def test_few_numbers_of_calls_and_of_outputs_are_taken_for_made_up_and_few_changed_ones_are_missed() -> None:
    samples = [*numbers(step=6), *outputs(step=12)]
    right, wrong = sum(part.right for part in samples), sum(part.wrong for part in samples)
    assert sum(len(part.false) for part in samples) <= MOST_FALSE_NUMBERS * right
    assert sum(len(part.missed) for part in samples) <= MOST_MISSED_NUMBERS * wrong
