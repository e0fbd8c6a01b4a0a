"""The receipt of every call of a request, written from what happened to the call."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from pydantic import ValidationError
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, TimeoutType
from temporalio.exceptions import CancelledError as ActivityCancelled
from temporalio.exceptions import TimeoutError as ActivityTimedOut

from workflows.contract.api import Receipt, ReceiptStatus
from workflows.contract.internal import AttemptBeat, FailureDetail, Route, Settlement, ToolCall, ToolResult
from workflows.size_limits import RECEIPTS_BYTES, Bounded, shorten, shorten_arguments, shorten_text, size


class Receipts:
    """Receipts by key, in the order in which the model made the calls."""

    def __init__(self, receipts: Iterable[Receipt]) -> None:
        self._open = set[str]()
        self._receipts = Bounded[str, Receipt](RECEIPTS_BYTES, size, lambda receipt, _: shortened(receipt))
        for receipt in receipts:
            self.put(receipt)

    def put(self, receipt: Receipt) -> Receipt:
        self._open.discard(receipt.key)
        self._receipts.put(receipt.key, receipt)
        return receipt

    def put_open(self, receipt: Receipt) -> Receipt:
        """The receipt that a call will have if the request ends now; until then it has none."""
        self.put(receipt)
        self._open.add(receipt.key)
        return receipt

    def all(self) -> tuple[Receipt, ...]:
        """Those of a request that ends."""
        return self._receipts.values()

    def since(self, calls: int) -> tuple[Receipt, ...]:
        """Those of all calls but the first so many."""
        return self.all()[calls:]

    def settled(self) -> tuple[Receipt, ...]:
        """Those of a request that goes on."""
        return tuple(receipt for receipt in self.all() if receipt.key not in self._open)

    def running(self) -> tuple[str, ...]:
        """The keys of the calls that have begun."""
        return tuple(key for key in sorted(self._open) if self[key].started_at is not None)

    def __contains__(self, key: str) -> bool:
        return key in self._receipts

    def __getitem__(self, key: str) -> Receipt:
        return self._receipts[key]

    def __len__(self) -> int:
        return len(self._receipts)


def not_run(call: ToolCall, route: Route | None, status: ReceiptStatus, error: str) -> Receipt:
    """The receipt of a call that no activity was started for."""
    effect = route.effect if route else None
    return Receipt(key=call.key, tool=call.tool, arguments=call.arguments, effect=effect, status=status, error=error)


def begun(call: ToolCall, route: Route, at: datetime) -> Receipt:
    """What the receipt says while nobody knows yet how the call ends."""
    return not_run(call, route, ReceiptStatus.UNKNOWN, error="the request ended while it ran").model_copy(
        update={"approved_by": call.approved_by or None, "started_at": at}
    )


def asked(call: ToolCall, route: Route, at: datetime) -> Receipt:
    """What the receipt of a question says while nobody has answered it."""
    unanswered = not_run(call, route, ReceiptStatus.CANCELLED, "the request ended before anybody answered")
    return unanswered.model_copy(update={"started_at": at})


def done(receipt: Receipt, result: ToolResult, at: datetime) -> Receipt:
    return receipt.model_copy(
        update={
            "status": ReceiptStatus.DONE,
            "result": result.value,
            "error": None,
            "attempts": result.attempts,
            "finished_at": at,
            "ledger_key": result.ledger_key,
            "settled": result.settled,
        }
    )


def must_be_settled(route: Route, error: ActivityError) -> bool:
    """Whether a failure leaves it open what became of a write: no attempt lived to say so, or could ask the ledger."""
    detail = detail_of(error.cause)
    return route.effect == "write" and (detail is None or not detail.certain)


def is_by_hand(cause: BaseException | None) -> bool:
    """Whether an operator has put an end to an activity, and none of its attempts."""
    # The Python SDK names no source; Temporal's command line and other SDKs give their own name.
    return isinstance(cause, ApplicationError) and cause.failure is not None and bool(cause.failure.source)


def not_done(receipt: Receipt, route: Route, error: ActivityError, settled: Settlement | None, at: datetime) -> Receipt:
    """What a failed activity means; for a write that had to be settled, what the ledger knows is what counts."""
    cause = error.cause
    detail, beat = detail_of(cause), last_beat(cause)
    cancelled = isinstance(cause, ActivityCancelled)
    message = "cancelled" if cancelled else reason(error)
    status = detail.status if detail and detail.certain and route.effect == "write" else ReceiptStatus.FAILED
    if settled is not None and settled.status is not ReceiptStatus.FAILED:
        status, message = settled.status, f"{message}: {settled.error}" if settled.error else message
    elif cancelled:
        status = ReceiptStatus.CANCELLED
    # Attempts that fail without a word of ours (no such activity on the worker) are as many as there could be.
    exhausted = error.retry_state is RetryState.MAXIMUM_ATTEMPTS_REACHED and isinstance(cause, ApplicationError)
    said = detail.attempt if detail else route.attempts if exhausted else 1
    tried = [said, beat.attempt if beat else 1, settled.attempts if settled else 1]
    key = settled.ledger_key if settled else detail.ledger_key if detail else None
    return _ended(receipt, status, message, settled, at).model_copy(update={"attempts": max(tried), "ledger_key": key})


def unusable(receipt: Receipt, why: str, settled: Settlement | None, at: datetime) -> Receipt:
    """What it means that an activity was completed with what is no result of it: of a write only the ledger knows."""
    if settled is None:
        return _ended(receipt, ReceiptStatus.FAILED, why, None, at)
    known = settled.status in (ReceiptStatus.DONE, ReceiptStatus.FAILED)
    status = settled.status if known else ReceiptStatus.UNKNOWN
    known = {"attempts": max(1, settled.attempts), "ledger_key": settled.ledger_key}
    return _ended(receipt, status, why, settled, at).model_copy(update=known)


def _ended(receipt: Receipt, status: ReceiptStatus, message: str, settled: Settlement | None, at: datetime) -> Receipt:
    news = {
        "status": status,
        "result": settled.result if settled else None,
        "error": _said(status, message),
        "attempts": 1,
        "finished_at": at,
    }
    return receipt.model_copy(update=news)


def told(receipts: Iterable[Receipt]) -> str:
    """What became of the calls, in a sentence or two: "Done: get_weather (2), send_email. Failed: get_quote."."""
    by_status: dict[ReceiptStatus, list[str]] = {}
    for receipt in receipts:
        by_status.setdefault(receipt.status, []).append(receipt.tool)
    return " ".join(
        f"{status.value.capitalize()}: {', '.join(_counted(by_status[status]))}."
        for status in ReceiptStatus
        if status in by_status
    )


def _counted(tools: list[str]) -> list[str]:
    return [f"{tool} ({times})" if times > 1 else tool for tool, times in Counter(tools).items()]


def _said(status: ReceiptStatus, message: str) -> str | None:
    match status:
        case ReceiptStatus.DONE:
            return None
        case ReceiptStatus.UNKNOWN:
            return f"it may have happened: {message}"
        case _:
            return message


def detail_of(cause: BaseException | None) -> FailureDetail | None:
    """What an activity's failure says beside its message, if it is one of Errand's own."""
    if not isinstance(cause, ApplicationError) or not cause.details or not isinstance(cause.details[0], dict):
        return None
    if is_by_hand(cause):
        return None
    try:
        return FailureDetail.model_validate(cause.details[0])
    except ValidationError:  # the detail of somebody else's error
        return None


def last_beat(cause: BaseException | None) -> AttemptBeat | None:
    """The last heartbeat of an activity that timed out, if it was a tool's."""
    if not isinstance(cause, ActivityTimedOut) or not cause.last_heartbeat_details:
        return None
    try:
        return AttemptBeat.model_validate(cause.last_heartbeat_details[0])
    except ValidationError:  # of another release
        return None


def reason(error: ActivityError) -> str:
    """Why an activity failed, in words for people and the model."""
    cause = error.cause
    match cause:
        case ActivityTimedOut(type=TimeoutType.HEARTBEAT):
            return "the worker that ran it fell silent"
        case ActivityTimedOut():
            return "no answer within its time limit"
        case ApplicationError(type=None):
            return cause.message
        case ApplicationError(details=[_, *_]):
            return cause.message
        case ApplicationError():
            return f"{cause.type}: {cause.message}"
        case _:
            return str(cause)


def shortened(receipt: Receipt) -> Receipt:
    """The same receipt with the beginnings of what is long on it."""
    return receipt.model_copy(
        update={
            "result": shorten(receipt.result),
            "arguments": shorten_arguments(receipt.arguments),
            "error": receipt.error and shorten_text(receipt.error),
        }
    )
