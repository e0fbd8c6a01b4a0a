"""A sample of the leaderboard's functions and right calls. `make bfcl` is the whole of it."""

import pytest

from tests.bfcl.documents import read_documents
from tests.bfcl.gold import check_gold, exceptions
from tests.bfcl.leaderboard import CATEGORIES, PYTHON, sample
from tests.bfcl.mutations import mutate

MOST_EXCEPTIONS = 100


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.sampled(2)
def test_a_function_accepts_and_refuses_what_its_description_does(category: str) -> None:
    found = read_documents(sample(category, 150))
    assert found.differences == []
    assert found.judged > found.read


@pytest.mark.parametrize("category", PYTHON)
@pytest.mark.sampled(2)
def test_right_calls_are_accepted_but_for_the_listed_exceptions(category: str) -> None:
    cases = sample(category, 40)
    refused = check_gold(cases).refused
    assert refused.keys() == {case.id for case in cases} & exceptions().keys()


@pytest.mark.parametrize("category", PYTHON)
@pytest.mark.sampled(2)
def test_right_calls_made_wrong_are_refused(category: str) -> None:
    found = mutate(sample(category, 40))
    assert found.let_pass == []
    assert found.count > 0


def test_the_exceptions_are_few_and_each_says_why() -> None:
    listed = exceptions()
    assert len(listed) <= MOST_EXCEPTIONS
    assert all(" is right" in why for why in listed.values())
