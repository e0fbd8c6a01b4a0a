"""What a request carries stays within bounds, and what was shortened says so."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from tests.unit.execution.arbitrary import json_values, long_texts, quick
from workflows.size_limits import (
    KEPT_BYTES,
    Bounded,
    beginning,
    shorten,
    shorten_arguments,
    shorten_text,
    size,
)


class TestSize:
    @pytest.mark.parametrize("text", ["", "plain", "ä€😀", "\n\r\t", '"\\', "\x00\x1f"])
    def test_what_is_escaped_counts_as_it_is_sent(self, text: str) -> None:
        assert size({"x": [text]}) == len(json.dumps({"x": [text]}, ensure_ascii=False, separators=(",", ":")).encode())

    @quick
    @given(st.lists(st.text()))
    def test_it_is_never_more_than_what_is_sent(self, texts: list[str]) -> None:
        assert size(texts) <= len(json.dumps(texts).encode())


class TestShortening:
    @quick
    @given(st.text(), st.integers(0, 50))
    def test_a_beginning_is_one_and_fits(self, text: str, limit: int) -> None:
        start = beginning(text, limit)
        assert text.startswith(start)
        assert len(start.encode()) <= limit
        assert start == text or len(start.encode()) > limit - 4

    def test_a_short_text_stays(self) -> None:
        assert shorten_text("x" * 2 * KEPT_BYTES) == "x" * 2 * KEPT_BYTES

    def test_a_long_text_becomes_its_beginning_and_says_so(self) -> None:
        text = "x" * 10_000
        assert shorten_text(text) == f"{'x' * KEPT_BYTES}… [shortened: {KEPT_BYTES} of 10,000 bytes]"

    @quick
    @given(json_values | long_texts)
    def test_shortening_twice_is_shortening_once(self, value: JsonValue) -> None:
        assert shorten(shorten(value)) == shorten(value)

    @quick
    @given(st.dictionaries(st.text(max_size=5), json_values | long_texts, max_size=30))
    def test_arguments_stay_an_object_and_become_short(self, arguments: dict[str, JsonValue]) -> None:
        short = shorten_arguments(arguments)
        assert shorten_arguments(short) == short
        assert size(short) <= 10 * KEPT_BYTES

    def test_a_long_value_that_is_no_text_is_shortened_too(self) -> None:
        rows: JsonValue = [{"day": day, "degrees": 20} for day in range(1000)]
        assert str(shorten(rows)).startswith('[{"day":0,"degrees":20},')
        assert size(shorten(rows)) < 2 * KEPT_BYTES

    def test_of_many_arguments_the_beginning_is_kept(self) -> None:
        many: dict[str, JsonValue] = {f"argument {n}": n for n in range(1000)}
        assert list(shorten_arguments(many)) == ["shortened"]

    def test_long_arguments_are_shortened_one_by_one(self) -> None:
        short = shorten_arguments({"to": ["ann@example.com"], "body": "x" * 10_000})
        assert short["to"] == ["ann@example.com"]
        assert "shortened" in str(short["body"])


BUDGET = 2000


def bounded() -> Bounded[int, str]:
    return Bounded[int, str](BUDGET, size, lambda text, _: shorten_text(text))


Puts = st.lists(st.tuples(st.integers(0, 8), long_texts), max_size=30)


class TestBounded:
    @quick
    @given(Puts)
    def test_the_budget_holds_unless_everything_is_shortened(self, puts: list[tuple[int, str]]) -> None:
        kept = bounded()
        for key, text in puts:
            kept.put(key, text)
            values = kept.values()
            assert sum(map(size, values)) <= BUDGET or all(text == shorten_text(text) for text in values)

    @quick
    @given(Puts)
    def test_the_order_is_that_of_the_first_coming(self, puts: list[tuple[int, str]]) -> None:
        kept = bounded()
        last: dict[int, str] = {}
        for key, text in puts:
            kept.put(key, text)
            last[key] = text
        assert len(kept) == len(last)
        assert [value[: KEPT_BYTES // 4] for value in kept.values()] == [
            text[: KEPT_BYTES // 4] for text in last.values()
        ]

    @quick
    @given(Puts)
    def test_the_newest_stays_whole_where_shortening_the_others_is_enough(self, puts: list[tuple[int, str]]) -> None:
        kept = bounded()
        for key, text in puts:
            kept.put(key, text)
            others = sum(map(size, kept.values())) - size(kept[key])
            if others + size(text) <= BUDGET:
                assert kept[key] == text

    def test_nothing_is_shortened_while_all_fits(self) -> None:
        kept = bounded()
        texts = tuple("x" * 600 for _ in range(3))
        for number, text in enumerate(texts):
            kept.put(number, text)
        assert kept.values() == texts

    def test_the_oldest_is_shortened_first(self) -> None:
        kept = bounded()
        for number in range(4):
            kept.put(number, "x" * 520)
        assert [text == "x" * 520 for text in kept.values()] == [False, True, True, True]

    def test_what_can_be_shortened_by_a_part_loses_no_more_and_may_lose_the_rest_later(self) -> None:
        kept = Bounded[int, str](BUDGET, size, lambda text, by: text[:-by])
        kept.put(0, "x" * 1500)
        kept.put(1, "y" * 1000)
        assert kept.total == BUDGET
        kept.put(2, "z" * 100)
        assert kept.total == BUDGET
        assert [len(text) for text in kept.values()] == [894, 1000, 100]
