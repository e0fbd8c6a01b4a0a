"""Numbers that a request says, but not so."""

import time
from datetime import date

import pytest
from pydantic import JsonValue

from activities.model.figures.grounds import Grounds
from activities.model.figures.misplaced import misplaced_numbers
from activities.model.figures.numbers import numbers_in

TODAY = date(2026, 11, 28)


def misplaced(given: JsonValue, said: str, *found: JsonValue) -> list[str]:
    return misplaced_numbers(given, [*numbers_in(given)], Grounds([said], found, TODAY))


@pytest.mark.parametrize(
    ("given", "said", "told"),
    [
        ({"rooms": 3, "nights": 3}, "Book 2 rooms for 3 nights", "3 twice"),
        ({"data": [12, 34, 76, 78]}, "the average of 12, 34, 56, 78", "76 in 12, 34, 76, 78"),
        ({"data": [3, 4, 8]}, "[3,4,5]", "8 in 3, 4, 8"),
        ({"from": [10, 5], "to": [14, 12]}, "from (10, 8) to (14, 12), to 2 digits", "5 in 10, 5, 14, 12"),
    ],
)
def test_a_number_in_the_place_of_another_is_told(given: JsonValue, said: str, told: str) -> None:
    assert misplaced(given, said) == [told]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rooms": 2, "nights": 3}, "Book 2 rooms for 3 nights"),
        ({"width": 5, "height": 5}, "A square of 5"),
        ({"items": [{"of": "tea", "count": 3}, {"of": "milk", "count": 3}]}, "3 of each for table 2"),
        ({"width": 300, "height": 300, "at": 1}, "A square of 300, in 24 colours"),
        ({"rooms": 3, "nights": 3}, "Book three rooms for 3 nights, with 2 beds each"),
        ({"room": "2 beds", "rooms": 3, "nights": 3}, "3 nights, 2 beds"),
        ({"ids": [11, 17, 19]}, "of 11, 12, 17, 18, 19 those that are prime"),
        ({"data": [3, 4, 5, 6]}, "[3, 4, 5, 6] and [3, 4, 5, 7]"),
        ({"pair": [3, 9]}, "3 and 4"),
    ],
)
def test_what_may_well_be_meant_is_not_told(given: JsonValue, said: str) -> None:
    assert misplaced(given, said) == []


def test_a_number_that_was_found_may_stand_twice() -> None:
    assert misplaced({"seats": 3, "people": 3}, "Book 3 places of the 2", {"free": 3}) == []


def test_long_lists_take_no_long_time() -> None:
    numbers = [*range(2, 3000)]
    begun = time.thread_time()
    lists: list[JsonValue] = [[*numbers[start : start + 40]] for start in range(0, 2900, 40)]
    given: JsonValue = {"lists": lists, "all": [*numbers]}
    misplaced(given, " ".join(map(str, reversed(numbers))))
    assert time.thread_time() - begun < 2
