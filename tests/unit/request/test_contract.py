"""The messages that callers and other languages rely on."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from tests.unit.execution.arbitrary import json_values, quick
from workflows.contract.api import Approve, Limits, Outcome, Receipt, ReceiptStatus, Reject, Request, RequestStatus, Say
from workflows.contract.conversation import AssistantEntry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import Route, ToolCall
from workflows.contract.plans import Plan, PlannedWrite
from workflows.contract.progress import LimitsUsed, Messages, Progress, QueuedMessage

CALL = ToolCall(key="r/1.1", tool="send", arguments={"to": ["ann@example.com"], "body": "Hi"})


class TestDigest:
    @pytest.mark.parametrize(
        "change",
        [
            {"tool": "send_all"},
            {"key": "r/1.2"},
            {"arguments": {}},
            {"arguments": {"to": ["ann@example.com"], "body": "Hi "}},
            {"arguments": {"to": "ann@example.com", "body": "Hi"}},
            {"arguments": {"to": ["ann@example.com"], "body": "Hi", "cc": None}},
        ],
    )
    def test_it_changes_with_tool_arguments_and_key(self, change: dict[str, Any]) -> None:
        assert CALL.model_copy(update=change).digest != CALL.digest

    def test_it_changes_with_the_order_of_a_list(self) -> None:
        there, back = (ToolCall(key="k", tool="t", arguments={"to": [*to]}) for to in ("ab", "ba"))
        assert there.digest != back.digest

    def test_it_does_not_change_with_the_order_of_names(self) -> None:
        turned = ToolCall(key="r/1.1", tool="send", arguments={"body": "Hi", "to": ["ann@example.com"]})
        assert turned.digest == CALL.digest

    @quick
    @given(st.dictionaries(st.text(), json_values, max_size=4))
    def test_it_survives_the_journey_to_another_machine(self, arguments: dict[str, Any]) -> None:
        call = ToolCall(key="k", tool="t", arguments=arguments)
        assert ToolCall.model_validate_json(to_json(call)).digest == call.digest
        assert re.fullmatch("[0-9a-f]{64}", call.digest)


class TestWhatCallersWrite:
    @pytest.mark.parametrize(
        ("kind", "value", "place"),
        [
            (Request, {"text": "Go", "limit": {}}, ("limit",)),
            (Request, {"text": "Go", "limits": {"turn": 3}}, ("limits", "turn")),
            (Request, {"text": ""}, ("text",)),
            (Request, {"text": "x" * 100_001}, ("text",)),
            (Request, {"text": "\x01" * 30_000}, ("text",)),
            (Request, {"text": "語" * 50_000}, ("text",)),
            (Request, {}, ("text",)),
            (Request, {"rehearse": True}, ("text",)),
            (Request, {"rehearse": True, "keep_open": True}, ("rehearse",)),
            (Request, {"apply": {"request_id": "r", "digest": "d"}, "rehearse": True}, ("rehearse",)),
            (Request, {"apply": {"request_id": "r", "digest": "d"}, "keep_open": True}, ("apply",)),
            (Request, {"apply": {"request_id": "r", "digest": "d"}, "call": {"tool": "t"}}, ("apply",)),
            (Request, {"apply": {"request_id": "r", "digest": "d"}, "output_schema": {}}, ("output_schema",)),
            (Request, {"apply": {"request_id": "r"}}, ("apply", "digest")),
            (Limits, {"turns": 0}, ("turns",)),
            (Limits, {"calls": 1001}, ("calls",)),
            (Limits, {"seconds": 0}, ("seconds",)),
            (Approve, {"key": "k", "digest": "d", "by": "ann", "reason": "r"}, ("reason",)),
            (Approve, {"key": "k", "digest": "d"}, ("by",)),
            (Reject, {"key": "k", "digest": "d", "by": " "}, ("by",)),
            (Reject, {"key": "k", "by": "ann"}, ("digest",)),
            (Say, {"text": None}, ("text",)),
        ],
    )
    def test_a_misspelt_or_wrong_field_is_an_error_and_is_named(
        self, kind: type[BaseModel], value: Any, place: tuple[str, ...]
    ) -> None:
        with pytest.raises(ValidationError) as raised:
            kind.model_validate(value)
        assert raised.value.errors()[0]["loc"] == place

    def test_a_request_needs_no_more_than_its_text(self) -> None:
        request = Request.model_validate_json('{"text": "Go"}')
        assert (request.requester, request.approve, request.limits, request.carried) == ("", (), Limits(), None)

    def test_null_is_unset_in_every_field_that_may_be_left_out(self) -> None:
        unset: dict[str, Any] = dict.fromkeys(set(Request.model_fields) - {"text"})
        assert Request.model_validate_json(to_json({"text": "Go", **unset})) == Request(text="Go")
        limits = dict.fromkeys(Limits.model_fields)
        assert Request.model_validate({"text": "Go", "limits": limits}) == Request(text="Go")
        assert Request.model_validate({"text": None, "keep_open": True}) == Request(keep_open=True)
        assert Say.model_validate({"text": "Go", "by": None}) == Say(text="Go")
        approve = Approve(key="k", digest="d", by="ann")
        assert Approve.model_validate({**approve.model_dump(), "arguments": None}) == approve
        reject = Reject(key="k", digest="d", by="ann")
        assert Reject.model_validate({**reject.model_dump(), "reason": None}) == reject


class TestPlan:
    PLAN = Plan(
        request_id="r",
        made_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
        writes=(PlannedWrite(key="r/1.1", tool="t", arguments={"x": 1.5}, digest="d", verdict="allowed"),),
    ).sealed()

    def test_its_digest_survives_the_journey_to_another_machine(self) -> None:
        again = Plan.model_validate_json(to_json(self.PLAN))
        assert again.content_digest == again.digest == self.PLAN.digest

    @pytest.mark.parametrize("change", [{"request_id": "s"}, {"writes": ()}, {"problem": "none"}])
    def test_its_digest_changes_with_all_that_is_in_it(self, change: dict[str, Any]) -> None:
        assert self.PLAN.model_copy(update=change).content_digest != self.PLAN.digest


class TestWhatComesBack:
    def test_an_outcome_has_exactly_these_fields(self) -> None:
        outcome = Outcome(request_id="r", status=RequestStatus.COMPLETED, summary="Done.")
        assert outcome.model_dump(mode="json") == {
            "request_id": "r",
            "status": "completed",
            "summary": "Done.",
            "unsupported_claims": [],
            "output": None,
            "receipts": [],
            "usage": {"model_calls": 0, "input_tokens": 0, "output_tokens": 0},
        }

    def test_a_receipt_has_exactly_these_fields(self) -> None:
        at = datetime(2026, 1, 31, 12, tzinfo=UTC)
        receipt = Receipt(
            key="r/1.1", tool="send", arguments={}, effect="write", status=ReceiptStatus.DONE, started_at=at
        )
        assert receipt.model_dump(mode="json") == {
            "key": "r/1.1",
            "tool": "send",
            "arguments": {},
            "effect": "write",
            "status": "done",
            "result": None,
            "error": None,
            "attempts": 0,
            "approved_by": None,
            "started_at": "2026-01-31T12:00:00Z",
            "finished_at": None,
        }

    def test_the_statuses_are_these(self) -> None:
        assert [*ReceiptStatus] == [
            "done",
            "failed",
            "invalid",
            "rejected",
            "refused",
            "cancelled",
            "unknown",
            "planned",
        ]
        assert [*RequestStatus] == ["running", "completed", "failed", "cancelled", "limit_reached"]

    def test_fields_of_a_newer_sender_are_ignored(self) -> None:
        newer = '{"request_id": "r", "status": "completed", "summary": "Done.", "mood": "good"}'
        assert Outcome.model_validate_json(newer).summary == "Done."

    def test_a_message_cannot_be_changed(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            CALL.tool = "other"  # pyright: ignore[reportAttributeAccessIssue]  # that it may not is what is tested


class TestWithin:
    def test_what_a_request_carries_into_its_next_run_arrives_there(self) -> None:
        turn = AssistantEntry(
            turn=1, calls=(ToolCallRecord(tool="t", arguments={}, told=ToolMessage(value="x", failed=True)),)
        )
        progress = Progress(
            messages=Messages(
                waiting=(QueuedMessage(id="u", text="More"),), under_way=QueuedMessage(text="Go"), answered=("a",)
            ),
            spending=LimitsUsed(turn=3, deadline=datetime(2026, 1, 31, 12, tzinfo=UTC)),
            conversation=(UserEntry(text="Go"), turn),
            untrusted=True,
            sent_back=("t",),
        )
        request = Request(text="Go", carried=progress.model_dump(mode="json"))
        assert Request.model_validate_json(to_json(request)) == request

    def test_what_says_nothing_is_left_out_of_history(self) -> None:
        route = Route(effect="read", start_to_close=1, schedule_to_close=2, attempts=3)
        assert set(route.model_dump()) == {"effect", "start_to_close", "schedule_to_close", "attempts"}
        assert Route.model_validate_json(to_json(route)) == route
        assert AssistantEntry(text="Done.").model_dump() == {"role": "assistant", "text": "Done."}
        assert ToolCallRecord(tool="t", arguments={}).model_dump() == {"tool": "t", "arguments": {}}

    @pytest.mark.parametrize("value", [None, "21", 21, {"degrees": 21.0, "of": ["Rome", None]}])
    def test_a_result_stands_in_its_call_as_it_is_and_nothing_beside_it(self, value: Any) -> None:
        entry = AssistantEntry(turn=2, calls=(ToolCallRecord(tool="t", arguments={}, told=ToolMessage(value=value)),))
        call = {"tool": "t", "arguments": {}, "told": {"value": value}}
        assert json.loads(to_json(entry)) == {"role": "assistant", "turn": 2, "calls": [call]}
        assert AssistantEntry.model_validate_json(to_json(entry)) == entry

    def test_a_call_has_its_position_by_its_turn_and_its_place(self) -> None:
        first, second = (ToolCallRecord(tool=tool, arguments={}) for tool in "ab")
        entry = AssistantEntry(turn=12, calls=(first, second))
        assert entry.positioned == [("12.1", first), ("12.2", second)]

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("It is 21 °C.", "It is 21 °C."),
            ('{"degrees": 21}', '{"degrees": 21}'),
            ({"degrees": 21.0, "in": "Zürich"}, '{"degrees":21.0,"in":"Zürich"}'),
            ([1, True], "[1,true]"),
            (None, "null"),
        ],
    )
    def test_the_model_is_told_a_text_as_it_is_and_any_other_value_as_JSON(self, value: Any, text: str) -> None:
        told = ToolMessage.model_validate_json(to_json(ToolMessage(value=value)))
        assert told.text == text
