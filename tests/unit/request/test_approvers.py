"""Under four eyes, a requester's own yes does not count, however they spell themselves."""

import pytest

from workflows.contract.approvals import is_same_person


@pytest.mark.parametrize(
    "other", ["ann", "ANN", " ann ", "ann\u00a0", "\uff41\uff4e\uff4e", "\uff21nn", "\u24d0nn", "a\u207fn"]
)
def test_other_spellings_of_a_name_are_the_same_person(other: str) -> None:
    assert is_same_person("Ann", other)


def test_a_letter_with_its_accent_is_the_same_in_one_character_or_two() -> None:
    assert is_same_person("Ren\u00e9", "RENE\u0301")


@pytest.mark.parametrize("other", ["anne", "a nn", "\u0430nn", "\u00e1nn", ""])
def test_another_name_is_another_person(other: str) -> None:
    assert not is_same_person("ann", other)
