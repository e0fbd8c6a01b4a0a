"""The first object in a text is found whole, wherever it stands."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.model.wire.json_in_text import json_within, without_fence
from tests.unit.execution.arbitrary import quick

OBJECT = '{"a": [{"b": "}"}, "\\"{", {}]}'


@pytest.mark.parametrize(
    "text",
    [
        OBJECT,
        f"```json\n{OBJECT}\n```",
        f"Here you are: {OBJECT} I hope it helps {{really}}.",
        f"{OBJECT}\n{OBJECT}",
        f"{{city}} and {{1, 2}} and [1] come first, then {OBJECT}",
    ],
)
def test_the_first_object_is_found_whole(text: str) -> None:
    assert json_within(text) == OBJECT


def test_a_list_of_objects_is_found_as_a_list() -> None:
    assert json_within('The calls: [{"a": 1}, {"a": 2}].') == '[{"a": 1}, {"a": 2}]'


@pytest.mark.parametrize("text", ["", "Done.", "Dear {name}, it is [1, 2].", "a } b { c"])
def test_in_prose_there_is_none(text: str) -> None:
    assert json_within(text) is None


@pytest.mark.parametrize("text", ['{"a": ', '{"a": "b', '{"a": "b\\', '{"a": [1}'])
def test_what_has_no_end_is_found_to_the_end_of_the_text(text: str) -> None:
    assert json_within(text) == text


@given(
    value=st.dictionaries(st.text(), st.recursive(st.none() | st.text(), st.lists), min_size=1),
    before=st.text(alphabet="ab \n`.}]"),
    after=st.text(),
)
@quick
def test_whatever_is_in_an_object_and_around_it_the_object_is_found(value: object, before: str, after: str) -> None:
    written = json.dumps(value)
    assert json_within(before + written + after) == written


@pytest.mark.parametrize("text", ['{"' * 200_000, '{"' + "\\" * 400_000, "{ " * 200_000, '{"a": "\\"' + '"' * 300_001])
def test_a_long_text_takes_no_long_time(text: str) -> None:
    begun = time.thread_time()
    json_within(text)
    assert time.thread_time() - begun < 2


@pytest.mark.parametrize(
    ("text", "within"),
    [
        (f" {OBJECT}\n", OBJECT),
        (f"```json\n{OBJECT}\n```\n", OBJECT),
        (f"```{OBJECT}", OBJECT),
        (f"It is ```{OBJECT}```", f"It is ```{OBJECT}```"),
        (f"```\n{OBJECT}\n```\nand more", f"{OBJECT}\n```\nand more"),
    ],
)
def test_the_fence_around_a_whole_text_is_left_out(text: str, within: str) -> None:
    assert without_fence(text) == within
