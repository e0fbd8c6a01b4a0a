"""Where a request stops although the model would go on."""

from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow

from workflows import timeline
from workflows.contract.api import Limits, RequestStatus, Usage
from workflows.contract.progress import LimitsUsed

CALLS_IN_ALL = 500
"""Of a request that is kept open: more receipts would not fit into one message."""
MISTAKES_IN_A_ROW = 5
"""Replies of which nothing could be used, each after the model was told why."""


class Ended(Exception):
    """The message ends here, for another reason than that the model is done."""

    def __init__(self, status: RequestStatus, summary: str) -> None:
        super().__init__(summary)
        self.status = status
        self.summary = summary


class Allowance:
    """What is left of the limits. Tokens and cost count for the whole request, all else for one message."""

    def __init__(self, limits: Limits, spent: LimitsUsed, now: Callable[[], datetime] = workflow.now) -> None:
        self._limits = limits
        self._now = now
        self._turns_before = spent.turns_before
        self.calls_before = spent.calls_before
        """How many calls were made before this message."""
        self.turn = spent.turn
        self.usage = spent.usage
        self.deadline = spent.deadline
        self.mistakes = spent.mistakes

    def begin_message(self, calls: int) -> None:
        """Count anew what counts for one message."""
        self._turns_before = self.turn
        self.calls_before = calls
        self.mistakes = 0
        self.deadline = self._now() + timedelta(seconds=self._limits.seconds)

    def begin_turn(self) -> None:
        """Count one more model call.

        Raises:
            Ended: there is nothing left for another model call.
        """
        if self.turn - self._turns_before >= self._limits.turns:
            raise _reached(timeline.count(self._limits.turns, "turn"))
        if self.mistakes >= MISTAKES_IN_A_ROW:
            raise Ended(RequestStatus.FAILED, f"The model gave no usable answer {self.mistakes} times in a row.")
        self.check()
        self.turn += 1

    def check(self) -> None:
        """End the request where one of its limits is reached.

        Raises:
            Ended: the time, the tokens or the money is used up.
        """
        limits, used = self._limits, self.usage
        self.time_left()
        if limits.input_tokens is not None and used.input_tokens >= limits.input_tokens:
            raise _reached(timeline.count(limits.input_tokens, "input token"))
        if limits.output_tokens is not None and used.output_tokens >= limits.output_tokens:
            raise _reached(timeline.count(limits.output_tokens, "output token"))
        if limits.cost is not None and used.cost is not None and used.cost >= limits.cost:
            raise _reached(f"a cost of {limits.cost:g}")

    def check_calls(self, calls: int) -> None:
        """End the request where a turn's calls are more than may be made.

        Raises:
            Ended: so many calls are more than may be made.
        """
        if calls > CALLS_IN_ALL:
            raise _reached(f"{CALLS_IN_ALL} tool calls in one request; start another")
        if calls - self.calls_before > self._limits.calls:
            raise _reached(timeline.count(self._limits.calls, "tool call"))

    def use(self, usage: Usage) -> None:
        """Count what a model call used.

        Raises:
            Ended: the cost is limited, and nobody knows what the model costs.
        """
        self.usage += usage
        if self._limits.cost is not None and usage.cost is None and usage.input_tokens + usage.output_tokens:
            raise Ended(
                RequestStatus.FAILED,
                "The request limits its cost, and the worker has no price for its model (ERRAND_MODEL_PRICES).",
            )

    def output_tokens_left(self) -> int | None:
        limit = self._limits.output_tokens
        return None if limit is None else limit - self.usage.output_tokens

    def cost_left(self) -> float | None:
        limit = self._limits.cost
        return None if limit is None else limit - (self.usage.cost or 0)

    def time_left(self) -> timedelta:
        """The time that is left.

        Raises:
            Ended: none is left.
        """
        left = self.deadline - self._now()
        if left <= timedelta():
            allowed = timedelta(seconds=self._limits.seconds)
            raise Ended(RequestStatus.LIMIT_REACHED, f"Stopped at the time limit of {timeline.span(allowed)}.")
        return left

    def spent(self) -> LimitsUsed:
        return LimitsUsed(
            usage=self.usage,
            turn=self.turn,
            turns_before=self._turns_before,
            calls_before=self.calls_before,
            deadline=self.deadline,
            mistakes=self.mistakes,
        )


def _reached(limit: str) -> Ended:
    return Ended(RequestStatus.LIMIT_REACHED, f"Stopped at the limit of {limit}.")
