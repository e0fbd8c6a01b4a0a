"""A write whose end nobody knows is asked again, where its far end does nothing twice: by an activity of its own, whose
pauses grow. For how long, the worker has said."""

from dataclasses import dataclass
from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import receipts
from workflows.contract.api import Receipt, ReceiptStatus
from workflows.contract.internal import Settlement
from workflows.timeline import count, span

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=10)
"""Between two attempts; shorter where there is little time for them."""


@dataclass(frozen=True)
class AskAgain:
    """How a far end is asked again."""

    window: timedelta
    wanted_pause: timedelta = timedelta()
    """What it has asked for last."""

    @classmethod
    def after(cls, error: ActivityError, settled: Settlement | None) -> "AskAgain | None":
        """None where it must not be asked, or cannot tell: an operator has ended the activity, say."""
        cause, detail = error.cause, receipts.detail_of(error.cause)
        seconds = settled.ask_again if settled else detail.ask_again if detail else 0
        if not seconds or receipts.is_by_hand(cause):
            return None
        pause = cause.next_retry_delay if isinstance(cause, ApplicationError) else None
        return cls(timedelta(seconds=seconds), pause or timedelta())

    @property
    def first_pause(self) -> timedelta:
        """Before it is asked the first time."""
        return min(max(self._shortest, self.wanted_pause), self.window)

    @property
    def retries(self) -> RetryPolicy:
        return RetryPolicy(initial_interval=self._shortest, maximum_interval=min(LONGEST_PAUSE, self.window / 6))

    @property
    def _shortest(self) -> timedelta:
        return min(FIRST_PAUSE, self.window / 20)


def whether(about: str) -> str:
    """What is asked, for people."""
    return f"asking again whether it happened: {about}"


def asked_again(receipt: Receipt, tried_before: int, took: timedelta) -> Receipt:
    """The receipt of a write that was asked again; one that is still unknown says for how long."""
    if receipt.status is not ReceiptStatus.UNKNOWN:
        return receipt
    times = count(max(receipt.attempts - tried_before, 0), "time")
    return receipt.model_copy(update={"error": f"{receipt.error}; it was asked again {times} in {span(took)}"})
