"""What a receipt says follows from what happened; a write is `unknown` unless it is certain that nothing did."""

from datetime import UTC, datetime

import pytest
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    RetryState,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)

from workflows import receipts
from workflows.contract.api import Receipt, ReceiptStatus
from workflows.contract.internal import AttemptBeat, FailureDetail, Route, Settlement, ToolCall, ToolResult
from workflows.contract.values import Effect
from workflows.receipts import Receipts
from workflows.size_limits import RECEIPTS_BYTES, size

BEGAN = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
ENDED = datetime(2026, 1, 31, 12, 1, tzinfo=UTC)
CALL = ToolCall(key="r/1.1", tool="act", arguments={"x": 1})
APPROVED = CALL.model_copy(update={"approved_by": "ann"})

DONE, FAILED, UNKNOWN, CANCELLED, REFUSED = (
    ReceiptStatus.DONE,
    ReceiptStatus.FAILED,
    ReceiptStatus.UNKNOWN,
    ReceiptStatus.CANCELLED,
    ReceiptStatus.REFUSED,
)


def route(effect: Effect) -> Route:
    return Route(effect=effect, start_to_close=30, schedule_to_close=600, attempts=5 if effect == "read" else 1)


def activity_error(cause: BaseException | None, state: RetryState = RetryState.NON_RETRYABLE_FAILURE) -> ActivityError:
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=5,
        started_event_id=6,
        identity="worker",
        activity_type="act",
        activity_id="1",
        retry_state=state,
    )
    error.__cause__ = cause
    return error


def ended(
    cause: BaseException | None,
    effect: Effect,
    state: RetryState = RetryState.NON_RETRYABLE_FAILURE,
    settled: Settlement | None = None,
) -> Receipt:
    """The receipt of a call whose activity ended with `cause`."""
    begun = receipts.begun(CALL, route(effect), BEGAN)
    return receipts.not_done(begun, route(effect), activity_error(cause, state), settled, ENDED)


def timed_out(kind: TimeoutType | None, *, attempt: int | None = None) -> TimeoutError:
    """After the attempts of which a heartbeat told."""
    beats = [AttemptBeat(stage="started", attempt=attempt).model_dump()] if attempt else []
    return TimeoutError("timed out", type=kind, last_heartbeat_details=beats)


def from_tool(kind: str, *, status: ReceiptStatus, attempt: int = 1, certain: bool = True) -> ApplicationError:
    """As it arrives: the detail is a plain object by then."""
    detail = FailureDetail(attempt=attempt, status=status, certain=certain).model_dump()
    return ApplicationError("no", detail, type=kind)


ABSENT = "Activity function act for workflow r is not registered on this worker, available activities: b"

SAID = [
    pytest.param(from_tool("ServiceRefused", status=FAILED), FAILED, FAILED, "no", id="refused"),
    pytest.param(from_tool("InvalidArguments", status=FAILED), FAILED, FAILED, "no", id="invalid arguments"),
    pytest.param(from_tool("OutcomeUnknown", status=UNKNOWN), FAILED, UNKNOWN, "no", id="outcome unknown"),
    pytest.param(from_tool("Withdrawn", status=CANCELLED), FAILED, CANCELLED, "no", id="withdrawn"),
    pytest.param(from_tool("KeyTaken", status=REFUSED), FAILED, REFUSED, "no", id="key taken"),
]
"""Failures of attempts that lived to say what happened."""

LOST = [
    pytest.param(ApplicationError("oops", type="KeyError"), "KeyError: oops", id="a mistake"),
    pytest.param(from_tool("ServiceUnavailable", status=FAILED, certain=False), "no", id="the ledger did not answer"),
    pytest.param(ApplicationError("oops"), "oops", id="an error without a type"),
    pytest.param(ApplicationError("oops", "a", 1, type="X"), "oops", id="somebody else's details"),
    pytest.param(ApplicationError("oops", {"code": 7}, type="X"), "oops", id="somebody else's object"),
    pytest.param(ApplicationError("oops", {"attempt": "?", "status": 1}), "oops", id="ours?"),
    pytest.param(ApplicationError(ABSENT, type="NotFoundError"), "not registered", id="no such activity"),
    pytest.param(timed_out(TimeoutType.SCHEDULE_TO_START), "time limit", id="never started"),
    pytest.param(timed_out(TimeoutType.START_TO_CLOSE), "time limit", id="start to close"),
    pytest.param(timed_out(TimeoutType.SCHEDULE_TO_CLOSE), "time limit", id="schedule to close"),
    pytest.param(timed_out(TimeoutType.HEARTBEAT), "fell silent", id="heartbeat"),
    pytest.param(timed_out(None), "time limit", id="some time-out"),
    pytest.param(TerminatedError("gone"), "gone", id="something else"),
    pytest.param(CancelledError("cancelled"), "cancelled", id="cancelled"),
    pytest.param(None, "", id="no cause"),
]
"""Failures that leave it open what happened."""


class TestFailures:
    @pytest.mark.parametrize(("cause", "read", "write", "message"), SAID)
    def test_a_failed_activity_means_what_it_says(
        self, cause: ApplicationError, read: ReceiptStatus, write: ReceiptStatus, message: str
    ) -> None:
        assert not receipts.must_be_settled(route("write"), activity_error(cause))
        assert (ended(cause, "read").status, ended(cause, "write").status) == (read, write)
        assert message in (ended(cause, "read").error or "")

    @pytest.mark.parametrize(("cause", "message"), LOST)
    def test_a_write_that_nobody_lived_to_tell_of_must_be_settled_and_a_read_need_not(
        self, cause: BaseException | None, message: str
    ) -> None:
        assert receipts.must_be_settled(route("write"), activity_error(cause))
        assert not receipts.must_be_settled(route("read"), activity_error(cause))
        assert message in (ended(cause, "read").error or "")

    @pytest.mark.parametrize(("cause", "message"), LOST)
    @pytest.mark.parametrize("status", [UNKNOWN, REFUSED])
    def test_a_settled_write_is_what_the_ledger_says(
        self, cause: BaseException | None, message: str, status: ReceiptStatus
    ) -> None:
        receipt = ended(cause, "write", settled=Settlement(status=status, error="the ledger's word"))
        assert receipt.status is status
        assert message in (receipt.error or "")
        assert "the ledger's word" in (receipt.error or "")
        assert (receipt.error or "").startswith("it may have happened: ") is (status is UNKNOWN)

    @pytest.mark.parametrize(("cause", "message"), LOST)
    def test_a_write_that_the_ledger_knows_to_be_done_is_done_with_its_result(
        self, cause: BaseException | None, message: str
    ) -> None:
        receipt = ended(cause, "write", settled=Settlement(status=DONE, result={"id": 7}))
        assert (receipt.status, receipt.result, receipt.error) == (DONE, {"id": 7}, None)

    @pytest.mark.parametrize(
        ("cause", "status"),
        [(timed_out(TimeoutType.HEARTBEAT), FAILED), (CancelledError("cancelled"), CANCELLED)],
    )
    def test_a_write_that_the_ledger_knows_not_to_have_begun_did_not_happen(
        self, cause: BaseException, status: ReceiptStatus
    ) -> None:
        receipt = ended(cause, "write", settled=Settlement(status=FAILED, error="no attempt began"))
        assert receipt.status is status

    def test_a_cancelled_read_is_cancelled(self) -> None:
        assert ended(CancelledError(), "read").status is CANCELLED

    def test_every_receipt_of_a_failure_has_its_times(self) -> None:
        receipt = ended(None, "read")
        assert (receipt.started_at, receipt.finished_at) == (BEGAN, ENDED)

    @pytest.mark.parametrize(
        ("cause", "state", "attempts"),
        [
            (from_tool("ServiceUnavailable", status=FAILED, attempt=3), RetryState.TIMEOUT, 3),
            (ApplicationError("oops"), RetryState.MAXIMUM_ATTEMPTS_REACHED, 5),
            (ApplicationError("oops"), RetryState.NON_RETRYABLE_FAILURE, 1),
            (timed_out(TimeoutType.START_TO_CLOSE), RetryState.MAXIMUM_ATTEMPTS_REACHED, 1),
            (timed_out(TimeoutType.START_TO_CLOSE, attempt=3), RetryState.MAXIMUM_ATTEMPTS_REACHED, 3),
        ],
    )
    def test_the_attempts_are_those_that_the_failure_tells_of(
        self, cause: BaseException, state: RetryState, attempts: int
    ) -> None:
        assert ended(cause, "read", state).attempts == attempts


class TestOthers:
    def test_a_call_that_was_not_run_says_why(self) -> None:
        receipt = receipts.not_run(CALL, None, ReceiptStatus.INVALID, "there is no such function")
        assert receipt == Receipt(
            key="r/1.1",
            tool="act",
            arguments={"x": 1},
            status=ReceiptStatus.INVALID,
            error="there is no such function",
        )

    def test_while_it_runs_nobody_knows(self) -> None:
        receipt = receipts.begun(APPROVED, route("write"), BEGAN)
        assert (receipt.status, receipt.approved_by, receipt.started_at) == (UNKNOWN, "ann", BEGAN)

    def test_what_is_done_has_its_result_and_no_error(self) -> None:
        begun = receipts.begun(APPROVED, route("write"), BEGAN)
        receipt = receipts.done(begun, ToolResult(value={"id": 7}, attempts=2), ENDED)
        assert receipt == Receipt(
            key="r/1.1",
            tool="act",
            arguments={"x": 1},
            effect="write",
            status=DONE,
            result={"id": 7},
            attempts=2,
            approved_by="ann",
            started_at=BEGAN,
            finished_at=ENDED,
        )


def receipt(number: int, status: ReceiptStatus = DONE) -> Receipt:
    return Receipt(
        key=f"r/{number}.1",
        tool="act",
        arguments={"rows": [{"n": n} for n in range(200)]},
        status=status,
        result=[{"n": n} for n in range(200)],
        error="x" * 5000,
    )


class TestReceipts:
    def test_a_call_has_one_receipt_in_the_place_of_its_first(self) -> None:
        kept = Receipts([])
        for number, status in ((1, UNKNOWN), (2, UNKNOWN), (1, DONE)):
            kept.put(receipt(number, status))
        assert [(each.key, each.status) for each in kept.all()] == [("r/1.1", DONE), ("r/2.1", UNKNOWN)]
        assert kept["r/1.1"].status is DONE
        assert len(kept) == 2

    def test_as_many_as_a_request_may_have_fit_into_one_message(self) -> None:
        kept = Receipts(receipt(number) for number in range(1000))
        assert size(kept.all()) < 2 * 1024 * 1024
        assert len(kept) == 1000

    def test_within_the_budget_the_newest_stay_whole(self) -> None:
        kept = Receipts(receipt(number) for number in range(100))
        assert size(kept.all()) <= RECEIPTS_BYTES + 200
        assert kept["r/99.1"] == receipt(99)
        assert "[shortened: " in str(kept["r/0.1"].result)
