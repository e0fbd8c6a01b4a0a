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
from workflows.budget import RECEIPTS_BYTES, size
from workflows.contract import Effect, FailureDetail, Receipt, ReceiptStatus, Route, ToolCall, ToolResult
from workflows.receipts import Receipts

BEGAN = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
ENDED = datetime(2026, 1, 31, 12, 1, tzinfo=UTC)
CALL = ToolCall(key="r/1.1", tool="act", arguments={"x": 1})

DONE, FAILED, UNKNOWN, CANCELLED = (
    ReceiptStatus.DONE,
    ReceiptStatus.FAILED,
    ReceiptStatus.UNKNOWN,
    ReceiptStatus.CANCELLED,
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


def ended(cause: BaseException | None, effect: Effect, state: RetryState = RetryState.NON_RETRYABLE_FAILURE) -> Receipt:
    """The receipt of a call whose activity ended with `cause`."""
    begun = receipts.begun(CALL, route(effect), None, BEGAN)
    return receipts.not_done(begun, route(effect), activity_error(cause, state), ENDED)


def timed_out(kind: TimeoutType | None) -> TimeoutError:
    return TimeoutError("timed out", type=kind, last_heartbeat_details=[])


def from_tool(kind: str, *, nothing_happened: bool, attempt: int = 1) -> ApplicationError:
    """As it arrives: the detail is a plain object by then."""
    detail = FailureDetail(attempt=attempt, nothing_happened=nothing_happened).model_dump()
    return ApplicationError("no", detail, type=kind)


ABSENT = "Activity function act for workflow r is not registered on this worker, available activities: b"

CAUSES = [
    pytest.param(from_tool("ServiceRefused", nothing_happened=True), FAILED, FAILED, "no", id="refused"),
    pytest.param(from_tool("InvalidArguments", nothing_happened=True), FAILED, FAILED, "no", id="invalid arguments"),
    pytest.param(from_tool("OutcomeUnknown", nothing_happened=False), FAILED, UNKNOWN, "no", id="outcome unknown"),
    pytest.param(ApplicationError("oops", type="KeyError"), FAILED, UNKNOWN, "KeyError: oops", id="a mistake"),
    pytest.param(ApplicationError("oops"), FAILED, UNKNOWN, "oops", id="an error without a type"),
    pytest.param(ApplicationError("oops", "a", 1, type="X"), FAILED, UNKNOWN, "oops", id="somebody else's details"),
    pytest.param(ApplicationError("oops", {"code": 7}, type="X"), FAILED, UNKNOWN, "oops", id="somebody else's object"),
    pytest.param(
        ApplicationError("oops", {"attempt": "?", "nothing_happened": 1}), FAILED, UNKNOWN, "oops", id="ours?"
    ),
    pytest.param(
        ApplicationError(ABSENT, type="NotFoundError"), FAILED, FAILED, "not registered", id="no such activity"
    ),
    pytest.param(ApplicationError(ABSENT, type="KeyError"), FAILED, UNKNOWN, "not registered", id="said by a stranger"),
    pytest.param(
        ApplicationError("file gone", type="NotFoundError"), FAILED, UNKNOWN, "gone", id="another NotFoundError"
    ),
    pytest.param(timed_out(TimeoutType.SCHEDULE_TO_START), FAILED, FAILED, "time limit", id="never started"),
    pytest.param(timed_out(TimeoutType.START_TO_CLOSE), FAILED, UNKNOWN, "time limit", id="start to close"),
    pytest.param(timed_out(TimeoutType.SCHEDULE_TO_CLOSE), FAILED, UNKNOWN, "time limit", id="schedule to close"),
    pytest.param(timed_out(TimeoutType.HEARTBEAT), FAILED, UNKNOWN, "fell silent", id="heartbeat"),
    pytest.param(timed_out(None), FAILED, UNKNOWN, "time limit", id="some time-out"),
    pytest.param(TerminatedError("gone"), FAILED, UNKNOWN, "gone", id="something else"),
    pytest.param(None, FAILED, UNKNOWN, "", id="no cause"),
]


class TestFailures:
    @pytest.mark.parametrize(("cause", "read", "write", "message"), CAUSES)
    def test_what_a_failed_activity_means(
        self, cause: BaseException | None, read: ReceiptStatus, write: ReceiptStatus, message: str
    ) -> None:
        assert (ended(cause, "read").status, ended(cause, "write").status) == (read, write)
        assert message in (ended(cause, "read").error or "")

    @pytest.mark.parametrize(("cause", "read", "write", "message"), CAUSES)
    def test_an_unknown_write_says_that_it_may_have_happened(
        self, cause: BaseException | None, read: ReceiptStatus, write: ReceiptStatus, message: str
    ) -> None:
        error = ended(cause, "write").error or ""
        assert error.startswith("it may have happened: ") is (write is UNKNOWN)

    def test_a_cancelled_read_is_cancelled(self) -> None:
        assert ended(CancelledError(), "read").status is CANCELLED

    def test_every_receipt_of_a_failure_has_its_times(self) -> None:
        receipt = ended(None, "read")
        assert (receipt.started_at, receipt.finished_at) == (BEGAN, ENDED)

    @pytest.mark.parametrize(
        ("cause", "state", "attempts"),
        [
            (from_tool("ServiceUnavailable", nothing_happened=True, attempt=3), RetryState.TIMEOUT, 3),
            (ApplicationError("oops"), RetryState.MAXIMUM_ATTEMPTS_REACHED, 5),
            (ApplicationError("oops"), RetryState.NON_RETRYABLE_FAILURE, 1),
            (timed_out(TimeoutType.START_TO_CLOSE), RetryState.MAXIMUM_ATTEMPTS_REACHED, 5),
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
        receipt = receipts.begun(CALL, route("write"), "ann", BEGAN)
        assert (receipt.status, receipt.approved_by, receipt.started_at) == (UNKNOWN, "ann", BEGAN)

    def test_what_is_done_has_its_result_and_no_error(self) -> None:
        begun = receipts.begun(CALL, route("write"), "ann", BEGAN)
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
