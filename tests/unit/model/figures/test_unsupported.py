"""Which figures of a text rest on what was said and found, and which do not."""

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from activities.model.figures.grounds import Grounds
from activities.model.figures.unsupported import MOST_TOLD, unsupported_figures
from tests.unit.execution.arbitrary import json_values, quick

TODAY = date(2026, 11, 28)
"""A Saturday."""
WEATHER: JsonValue = {"city": "Paris", "temperature_c": 17.43, "wind_kmh": 12.6, "at": "2026-12-05T15:04:00+01:00"}
INVOICES: JsonValue = [
    {"number": "INV-4711", "total": 1234.5, "status": "open", "quantity": 3},
    {"number": "INV-4712", "total": 99.9, "status": "paid", "quantity": 2},
    {"number": "INV-4713", "total": 250.0, "status": "open", "quantity": 1},
]


def made_up(text: str, *found: JsonValue, said: str = "Go") -> list[str]:
    return [figure.text for figure in unsupported_figures(text, Grounds([said], found, TODAY))]


@pytest.mark.parametrize(
    "text",
    [
        *("17.43 °C", "17.4 °C", "17 °C", "17,4 °C", "63 °F", "١٧٫٤ °C", "१७.४ °C", "１７ °C"),
        *("at 15:04", "at 3:04 pm", "um 15.04 Uhr", "à 15h04"),
        *(
            "on 2026-12-05",
            "5.12.2026",
            "5.12.",
            "12/05/2026",
            "December 5th",
            "5 décembre",
            "2026年12月5日",
            "in 7 days",
        ),
        *("today, 28 November", "tomorrow, 29.11.2026"),
        *("气温17.4度", "1. Paris\n2. nothing else", "12.6 km/h", "7.8 mph"),
    ],
)
def test_a_figure_may_be_rounded_converted_and_written_as_people_do(text: str) -> None:
    assert made_up(text, WEATHER) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("74 °C", ["74"]),
        ("17.5 °C", ["17.5"]),
        ("-17 °C", ["17"]),
        ("at 15:40", ["15:40"]),
        ("on 6 December 2026", ["6 December 2026"]),
        ("on 5 October 2026", ["5 October 2026"]),
        ("١٨ °C", ["١٨"]),
        ("flight PX204", ["PX204"]),
        ("3 of 8 cities", ["3", "8"]),
    ],
)
def test_another_figure_is_made_up(text: str, wrong: list[str]) -> None:
    assert made_up(text, WEATHER) == wrong


@pytest.mark.parametrize(
    "text",
    [
        *("INV-4711", "inv 4711", "INV4713", "invoice 4712"),
        *("€1,234.50", "1.234,50 €", "1 234,50 €", "1'234.50 CHF", "1.2k", "1,23 Tsd.", "about 1,200"),
        *("3 invoices", "2 open and 1 paid", "in all 1,584.40", "the open ones come to 1,484.50"),
        *("984.50 more", "1.234 thousand"),
    ],
)
def test_counts_sums_and_differences_of_what_was_found_follow_from_it(text: str) -> None:
    assert made_up(text, INVOICES) == []


@pytest.mark.parametrize("text", ["INV-4714", "5 invoices", "in all 1,584.50", "€1,243.50", "12 %"])
def test_what_does_not_follow_is_made_up(text: str) -> None:
    assert made_up(text, INVOICES) != []


def test_a_figure_of_the_request_counts_also_in_words() -> None:
    said = "Order two hundred and fifty boxes for next Friday at 3, twenty-five of them blue"
    assert made_up("250 boxes, 25 blue, on 4 December 2026 at 15:00", said=said) == []
    assert made_up("260 boxes", said=said) == ["260"]


def test_percent_and_fraction_are_the_same() -> None:
    assert made_up("19 % VAT", {"rate": 0.19}) == []
    assert made_up("a rate of 0.19", said="with 19 % VAT") == []
    assert made_up("42 % opened it", {"sent": 12840, "opened": 5394}) == []
    assert made_up("47 % opened it", {"sent": 12840, "opened": 5394}) == ["47"]


def test_cents_are_told_as_an_amount() -> None:
    assert made_up("$19.99", {"amount": 1999}) == []
    assert made_up("$19.98", {"amount": 1999}) == ["19.98"]


def test_not_more_than_so_many_are_told() -> None:
    assert len(made_up(" ".join(str(number) for number in range(1000, 9000, 7)))) == MOST_TOLD


@pytest.mark.parametrize(
    "text",
    [
        *("1 " * 65_536, "1.1,1" * 26_214, "a1-" * 43_690, "1" * 131_072, "1:" * 65_536, "1 h " * 32_768),
        *("12.12." * 21_845, "1 jan " * 21_845, "1\u202f111" * 26_214, "(1" * 65_536, "\u0661 " * 65_536),
    ],
    ids=lambda text: repr(text[:6]),
)
@pytest.mark.sampled(3)
def test_no_text_takes_long_however_it_is_made(text: str) -> None:
    for summary, found in ((text, "none"), ("There are 17 of 4,711.", text)):
        begun = time.process_time()
        made_up(summary, found)
        assert time.process_time() - begun < 3


@quick
@given(json_values, st.text(), st.text("0123456789.,:-/ %kh", max_size=30))
def test_whatever_was_said_and_found_there_is_an_answer(found: JsonValue, said: str, text: str) -> None:
    grounds = Grounds([said, text[::-1]], [found, 10**400, 1e300, float("nan")], TODAY)
    assert len(unsupported_figures(f"{text} {said}", grounds)) <= MOST_TOLD
