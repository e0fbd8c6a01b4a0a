"""Which JSON numbers rest on something."""

from datetime import date

import pytest
from pydantic import JsonValue

from activities.model.figures.grounds import Grounds
from activities.model.figures.numbers import KnownNumbers, numbers_in

TODAY = date(2026, 11, 28)


def unknown(given: JsonValue, said: str, *found: JsonValue) -> list[float]:
    known = KnownNumbers(Grounds([said], found, TODAY))
    return [number.value for number in numbers_in(given) if number not in known]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"total": 1249.5}, "Pay 1,249.50 €"),
        ({"cents": 1999}, "It costs $19.99"),
        ({"cents": 9900}, "Pay 99"),
        ({"rate": 0.19}, "19 % VAT"),
        ({"count": 2}, "two of them"),
        ({"timer_seconds": 180}, "in 3 minutes"),
        ({"timespan": 3600}, "of the past hour"),
        ({"days": 7}, "for the next week"),
        ({"distance_m": 195400}, "195.4 km"),
        ({"points": [[2, 3], [4, 5]]}, "through (2,3),(4,5)"),
        ({"start_day": 5, "start_month": 12, "year": 2026}, "from 5 December 2026"),
        ({"year": 2023}, "three years ago"),
        ({"year": 2019}, "a song of '19"),
        ({"total": 150}, "3 tickets at 50 each"),
        ({"total": 24}, "2 boxes at 12 each"),
        ({"quantity": 24}, "two dozen eggs"),
        ({"most": 4}, "fewer than 5 of them"),
        ({"periods": 12}, "pay it monthly"),
        ({"height": 74}, "I am 6'2\" tall"),
        ({"height": 71}, "5 feet 11 inches"),
        ({"party": 4}, "a table for me and 3 friends"),
        ({"timespan": 10800}, "from midday to 3 pm"),
        ({"hour": 15, "end": 17}, "at 3 pm for 2 hours"),
        ({"permittivity": 8.854e-12}, "8.854 x 10^-12 F/m"),
        ({"tolerance": 1e-07, "most": 2.5e9}, "within 1e-07, and 2.5E+9 at most"),
        ({"account": 4711_0815_4711_0815}, "Pay to 4711 0815 4711 0815"),
        ({"flag": 1, "offset": 0, "on": True}, "Go on"),
    ],
)
def test_a_number_is_known_in_the_forms_that_tools_take(given: JsonValue, said: str) -> None:
    assert unknown(given, said) == []


def test_sums_and_counts_of_what_was_found_are_known() -> None:
    rows: JsonValue = [{"price": 12.5, "kind": "a"}, {"price": 30.25, "kind": "b"}, {"price": 7, "kind": "a"}]
    assert unknown({"total": 49.75, "rows": 3}, "Pay all", rows) == []
    assert unknown({"total": 49.8}, "Pay all", rows) == []
    assert unknown({"total": 49.57}, "Pay all", rows) == [49.57]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"amount": 1200}, "Pay 1234"),
        ({"nights": 3}, "from 5 December for 2 nights"),
        ({"quantity": 12}, "Order 11"),
        ({"amount": 40}, "Pay 20"),
        ({"nights": 5}, "2 rooms for 3 people"),
        ({"end": 16}, "from 1 to 10, and 3 of them"),
        ({"adults": 5}, "from 2026-12-07 to 2026-12-12 for 2 adults"),
        ({"years": 50}, "0.5 % for 10 years"),
        ({"amount": 20_020}, "an income of 20,000"),
        ({"account": 4711_0815_4711_0816}, "Pay to 4711 0815 4711 0815"),
    ],
)
def test_a_number_that_was_not_said_is_noticed(given: dict[str, JsonValue], said: str) -> None:
    assert unknown(given, said) == [*given.values()]
