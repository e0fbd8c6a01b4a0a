"""Whatever a tool returns, the workflow can read it, the ledger can store it, and what was fine stays as it was."""

import itertools
import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import pytest
from hypothesis import given
from pydantic import JsonValue
from pydantic_core import to_json, to_jsonable_python
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter

from activities import readable as readable_values
from activities.error_text import message_of
from activities.execution.tool_results import DEEPEST, RESULT_BYTES, capped, tool_result
from activities.readable import LEFT_OUT, NOT_JSON, readable, readable_message
from activities.redaction import REDACTED, SECRETS
from tests.unit.execution.arbitrary import json_values, quick
from tests.unit.execution.strange import (
    BrokenField,
    BrokenModel,
    Colour,
    Model,
    Pair,
    Record,
    Speechless,
    Unrepresentable,
    breaking_off,
    circle,
    nested,
    strange_values,
)
from workflows import receipts
from workflows.contract.api import Outcome, Receipt, ReceiptStatus, RequestStatus, Usage
from workflows.contract.conversation import AssistantEntry, ToolCallRecord, ToolMessage
from workflows.contract.internal import Decision, ModelInput, ProposedCall, ToolResult

T = TypeVar("T")
BEGUN = Receipt(key="r/1.1", tool="fetch", arguments={}, effect="read", status=ReceiptStatus.UNKNOWN)
NOW = datetime(2026, 1, 31, tzinfo=UTC)


def arrived(value: T) -> T:
    """The value at the other end of a journey through Temporal, as bytes."""
    converter = pydantic_data_converter.payload_converter
    sent = converter.to_payloads([value])[0].SerializeToString()
    return converter.from_payload(Payload.FromString(sent), type(value))


class TestArrival:
    @quick
    @given(strange_values)
    def test_whatever_a_tool_returns_arrives_at_the_workflow_and_goes_on_from_there(self, value: object) -> None:
        result = tool_result(value, attempt=2)
        assert arrived(result) == result
        assert len(to_json(result)) <= 2 * RESULT_BYTES + 200
        told = AssistantEntry(
            turn=1, calls=(ToolCallRecord(tool="fetch", arguments={}, told=ToolMessage(value=result.value)),)
        )
        situation = ModelInput(conversation=(told,))
        assert arrived(situation) == situation
        ended = receipts.done(BEGUN, result, NOW)
        outcome = Outcome(request_id="r", status=RequestStatus.COMPLETED, summary="", receipts=(ended,))
        assert arrived(outcome) == outcome

    @quick
    @given(strange_values)
    def test_whatever_a_write_returns_can_be_stored_in_the_ledger(self, value: object) -> None:
        plain = tool_result(value, attempt=1).value
        assert json.loads(json.dumps(plain)) == plain

    @quick
    @given(json_values)
    def test_what_is_JSON_stays_what_it_is(self, value: JsonValue) -> None:
        assert to_json(readable(value)) == to_json(value)

    @pytest.mark.parametrize(
        "value",
        [
            Record("tree", (1, 2.5, None)),
            Model.model_validate({"name": Record("tree", {3}), "value": b"abc", "beside": Decimal("1.50")}),
            Pair({"a": frozenset({1})}, Path("x/y")),
            {1: "one", None: 2, 2.5: 3, False: 4, (1, 2): 5, Colour.RED: 6, UUID(int=7): 7, b"b": 8, NOW: 9},
            [NOW, NOW.date(), NOW - NOW, Colour.RED, 1 + 2j, range(3), object, len, ..., ValueError("x"), UUID(int=1)],
            [float("nan"), float("-inf"), -0.0, 1e300, 10**4299, 2**64, "\x00\x1f\u2028\N{GRINNING FACE}"],
            {"deep": nested("x", 150)},
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_what_pydantic_can_keep_is_kept_as_pydantic_has_it(self, value: object) -> None:
        assert to_json(readable(value)) == to_json(to_jsonable_python(value, fallback=str, inf_nan_mode="null"))


class TestRepair:
    """One part that cannot be kept does not cost the others."""

    @pytest.mark.parametrize(
        ("value", "kept"),
        [
            ({"n": 10**5000, "unit": "m"}, {"n": "(a whole number of about 5,001 digits)", "unit": "m"}),
            ({10**5000: 1, "\ud800": 2}, {"(a whole number of about 5,001 digits)": 1, "\N{REPLACEMENT CHARACTER}": 2}),
            ("a\ud83d\ude00b\ude00", "a\N{GRINNING FACE}b\N{REPLACEMENT CHARACTER}"),
            ([1, Speechless(OSError()), Speechless(SystemExit()), Unrepresentable()], [1, *[NOT_JSON] * 3]),
            (Record("a", b"\xff"), {"name": "a", "value": NOT_JSON}),
            ([b"\xff\xfe", b"abc"], ["(2 bytes that are no text)", "abc"]),
            (Model(name="a", value=b"\xff"), {"name": "a", "value": NOT_JSON}),
            (Model(name={"n": 10**5000}), {"name": {"n": "(a whole number of about 5,001 digits)"}, "value": None}),
            (BrokenField(), {"name": "ann", "age": NOT_JSON, "older": NOT_JSON}),
            ([BrokenModel(), 1], [{"name": NOT_JSON}, 1]),
            (Colour.HUGE, "(a whole number of about 5,001 digits)"),
            (circle([1]), [1, {"again": "(refers to itself)"}]),
            (breaking_off([1, 2], OSError()), [1, 2, NOT_JSON]),
            ({frozenset({1}): 2}, {"frozenset({1})": 2}),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_only_what_cannot_be_kept_is_replaced(self, value: object, kept: JsonValue) -> None:
        assert readable(value) == kept

    def test_what_is_not_to_be_shown_is_not_shown_either_where_the_rest_is_repaired(self) -> None:
        assert "hush" not in str(readable(Model(name=b"\xff", hidden="hush")))

    def test_the_same_value_twice_is_no_circle(self) -> None:
        twice = [1]
        assert readable({"a": twice, "b": [twice]}) == {"a": [1], "b": [[1]]}

    def test_what_is_nested_more_deeply_than_can_be_read_ends_where_it_can(self) -> None:
        assert str(tool_result(nested("x", 5_000), attempt=1).value).startswith("[[[[")

    def test_what_yields_its_parts_without_end_is_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(readable_values, "MOST_PARTS", 1000)
        kept = readable({"all": itertools.count(), "rest": 1})
        assert isinstance(kept, dict)
        assert kept["all"] == [*range(998), LEFT_OUT]


class TestCapping:
    @pytest.mark.parametrize("value", [None, True, 3, "text", "ä" * (RESULT_BYTES // 2), [1, {"a": None}], {}])
    def test_a_result_that_fits_stays_as_it_is(self, value: JsonValue) -> None:
        assert capped(value) == value

    @pytest.mark.parametrize(
        ("value", "start"),
        [
            ("ä" * RESULT_BYTES, "äääää"),
            ("x" + "😀" * RESULT_BYTES, "x😀😀"),
            ([{"day": day} for day in range(10_000)], '[{"day":0},{"day":1},'),
        ],
    )
    def test_a_longer_one_becomes_the_beginning_of_its_text_and_says_so(self, value: JsonValue, start: str) -> None:
        short = capped(value)
        assert isinstance(short, str)
        assert short.startswith(start)
        assert short.endswith(" bytes]")
        assert len(short.encode()) < RESULT_BYTES + 100

    @pytest.mark.parametrize("text", ['"' * RESULT_BYTES, "\n" * RESULT_BYTES, "x" * RESULT_BYTES])
    def test_what_JSON_writes_with_a_backslash_is_not_counted_twice(self, text: str) -> None:
        assert capped(text) == text

    def test_a_text_of_control_characters_takes_no_more_than_twice_as_much_in_JSON(self) -> None:
        short = capped("\0" * RESULT_BYTES)
        assert len(to_json(short)) < 2 * RESULT_BYTES + 100
        assert str(short).endswith("[shortened: the first 5,461 of 16,384 bytes]")

    def test_one_of_many_levels_becomes_its_text(self) -> None:
        value: JsonValue = []
        for _ in range(DEEPEST):
            assert capped(value) == value
            value = [value]
        assert capped({"a": value}) == '{"a":' + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1) + "}"


class TestSecrets:
    """A result is as free of them as it is short."""

    SECRET = "hush-hush-results"

    @pytest.mark.parametrize("before", [0, RESULT_BYTES - 5, 64 * 1024 - 5, 3_000_000])
    @pytest.mark.parametrize("as_text", [True, False], ids=["a text", "a list"])
    def test_none_is_left_wherever_it_stands(self, before: int, as_text: bool) -> None:
        SECRETS.add(self.SECRET)
        text = "x" * before + self.SECRET
        kept = to_json(tool_result(text if as_text else [text, self.SECRET], attempt=1)).decode()
        assert "hush" not in kept
        assert len(kept) < RESULT_BYTES + 200

    @pytest.mark.parametrize("times", [10, 1_000, 100_000])
    def test_one_of_nothing_else_is_still_short(self, times: int) -> None:
        SECRETS.add(self.SECRET)
        kept = to_json(tool_result([self.SECRET] * times, attempt=1)).decode()
        assert "hush" not in kept
        assert REDACTED in kept
        assert len(kept) < 2 * RESULT_BYTES

    def test_megabytes_take_no_longer_although_there_are_many_secrets(self) -> None:
        SECRETS.add(*(f"hush-{number}-results" for number in range(50)))
        begun = time.process_time()
        assert message_of(ValueError("x" * 3_000_000)).endswith("[shortened]")
        assert tool_result(["x" * 3_000_000], attempt=1)
        assert time.process_time() - begun < 2


class TestMessages:
    """What other activities return."""

    def test_a_message_that_can_be_read_is_passed_on_as_it_is(self) -> None:
        decision = Decision(text="Done.", usage=Usage(model_calls=1))
        assert readable_message(decision)[0] is decision

    @pytest.mark.parametrize(
        "strange", ["\ud800", {"a": ["\ud800", 10**5000]}, 10**5000], ids=lambda v: type(v).__name__
    )
    def test_one_that_cannot_is_repaired(self, strange: JsonValue) -> None:
        call = ProposedCall(tool="fetch", arguments={"what": strange}, about="\ud800")
        decision = Decision(calls=(call,), problem="You wrote: \ud800", usage=Usage(model_calls=1))
        repaired, _ = readable_message(decision)
        assert arrived(repaired) == repaired
        assert repaired.problem == "You wrote: \N{REPLACEMENT CHARACTER}"
        assert (repaired.usage, repaired.calls[0].tool) == (decision.usage, "fetch")

    def test_one_that_cannot_be_repaired_is_left_to_fail(self) -> None:
        result = ToolResult(value=None).model_copy(update={"attempts": 10**5000})
        assert readable_message(result)[0] is result
