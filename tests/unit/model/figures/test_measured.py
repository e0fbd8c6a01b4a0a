"""How well figures are told apart. `python -m tests.figures` is the whole of it."""

from tests.figures.measured import conversations, numbers, parts, writes


def test_few_right_figures_are_taken_for_made_up_and_few_changed_ones_are_missed() -> None:
    for part in parts():
        assert part.right >= 150
        assert part.wrong >= 500
        assert part.holds, part


def test_in_recorded_conversations_few_are_taken_for_made_up() -> None:
    for part in (conversations(), writes(step=20), *numbers(step=5)):
        assert part.right > 10
        assert part.holds, part
