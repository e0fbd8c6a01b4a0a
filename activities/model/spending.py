"""What a model call has used, over all attempts of its activity: also those that failed, or lost their worker.

An attempt leaves its account in its heartbeat details, where the next one finds it. One that never said how it ended
counts as if the model had read all of the question and written as much as it was allowed to. What an attempt may use is
what the earlier ones have left.

The endpoint's counts are taken where it gives any; else the tokens are estimated, from the bytes of what was asked and
answered.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog
from pydantic import ValidationError
from temporalio import activity

from activities.error_text import in_one_line, trace_of
from activities.errors import BadRequest, ErrandError, LimitExhausted, ModelError, ModelReplyUnusable, NoUsableReply
from activities.heartbeats import remember, send_heartbeat_details
from activities.model.cost_budgets import CostAccount
from activities.model.endpoint import Endpoint
from activities.model.question import Question
from workflows.contract.api import Usage
from workflows.contract.internal import UsageSoFar

log = structlog.stdlib.get_logger(__name__)

MOST_UNUSABLE = 3
"""So many replies of no use are no accident: an endpoint that answers, and answers so, is asked no more."""


class Spending:
    """What the attempts of an activity have used, and what is left for this one."""

    def __init__(self, endpoint: Endpoint, cost_left: float | None, account: CostAccount | None = None) -> None:
        """Count what one model call costs, against what is left.

        Raises:
            BadRequest: the cost is limited, and nobody knows what the model costs.
        """
        if cost_left is not None and endpoint.price is None:
            raise BadRequest(
                f"limits.cost: the worker has no price for its model {endpoint.model} (ERRAND_MODEL_PRICES), "
                "so it cannot keep the cost within a limit"
            )
        self._endpoint = endpoint
        self._cost_left = cost_left
        self._account = account
        self._used: Usage | None = None
        self._attempt = activity.info().attempt
        found = _account()
        self._before = found.before + found.at_most
        self._unusable = found.unusable
        self._unaccounted = max(0, self._attempt - 1 - found.attempt)
        self._at_most = Usage(model_calls=1)
        self._has_asked = False
        self._answered: Usage | None = None

    async def within(self, question: Question) -> Question:
        """The question, allowing no longer answer than is left for it. To be asked at once, and only once.

        Raises:
            LimitExhausted: no answer is, or a budget is reached; the error carries the usage of all attempts.
            ModelUnavailable: nobody can write down now what it takes of a budget.
        """
        for _ in range(self._unaccounted):
            self._before += self._of_a_lost(question)
        self._unaccounted = 0
        if self._is_used_up(question):
            raise LimitExhausted("the attempts so far have used up what the request may use", usage=self._before)
        asked = self._left(question)
        self._at_most = self._endpoint.priced(self._endpoint.at_most(asked))
        if self._account:
            await self._account.reserve(self._at_most, self._before)
        # Not at once: most attempts are over before it is needed, and one that leaves no account counts for as much.
        remember(UsageSoFar(attempt=self._attempt, before=self._before, at_most=self._at_most, unusable=self._unusable))
        self._has_asked = True
        return asked

    def answered(self, usage: Usage) -> None:
        """Say what the reply has used, before anything is done with it."""
        self._answered = usage

    def broken_by(self, error: Exception) -> ModelError | None:
        """What a mistake of our own comes to: once the model was asked, that has been used. None, where the error says
        all there is to say."""
        if isinstance(error, ModelError):
            return error
        if not self._has_asked or (isinstance(error, ErrandError) and self._answered is None):
            return None
        log.error("a mistake in code broke on a reply", error=in_one_line(error), exception=trace_of(error))
        what = f"a mistake in the worker's code broke on the reply: {in_one_line(error)}"
        broken = ModelReplyUnusable(what, usage=self._answered)
        broken.trace = trace_of(error)
        return broken

    def with_this(self, usage: Usage) -> Usage:
        """All attempts up to this one, which used so much. What was read is estimated where nobody has counted it."""
        read = usage.input_tokens or self._at_most.input_tokens
        return self._with(usage.model_copy(update={"input_tokens": read}))

    def failed(self, error: ModelError) -> None:
        """Say in the error, and to the next attempt, what all attempts up to this one have used."""
        if error.usage is not None:
            error.usage = self.with_this(error.usage)
        else:
            # Of a reply that cannot be read nobody knows how long it took to write.
            error.usage = self._with(self._at_most if isinstance(error, ModelReplyUnusable) else Usage())
        self._unusable += isinstance(error, ModelReplyUnusable)
        send_heartbeat_details(UsageSoFar(attempt=self._attempt, before=error.usage, unusable=self._unusable))

    async def settle(self) -> None:
        """Give back to budgets what this attempt has not used, where it is known what it has."""
        if self._account and self._used:
            await self._account.settle(self._used)

    @property
    def is_hopeless(self) -> bool:
        """The endpoint has answered so often in a way that is of no use that it always will."""
        return self._unusable >= MOST_UNUSABLE

    def _with(self, usage: Usage) -> Usage:
        self._used = self._endpoint.priced(usage.model_copy(update={"model_calls": 1}))
        return self._before + self._used

    def _of_a_lost(self, question: Question) -> Usage:
        """What an attempt has used at most that left no account."""
        if self._is_used_up(question):
            return Usage(model_calls=1)
        return self._endpoint.priced(self._endpoint.at_most(self._left(question)))

    def _is_used_up(self, question: Question) -> bool:
        left = self._left(question)
        return any(most is not None and most <= 0 for most in (left.max_tokens, left.affordable))

    def _left(self, question: Question) -> Question:
        tokens, price = question.max_tokens, self._endpoint.price
        return replace(
            question,
            max_tokens=None if tokens is None else tokens - self._before.output_tokens,
            affordable=price.affordable(self._cost_left - (self._before.cost or 0))
            if price and self._cost_left is not None
            else None,
        )


@asynccontextmanager
async def usage_tracked(
    endpoint: Endpoint, cost_left: float | None, account: CostAccount | None = None
) -> AsyncGenerator[Spending]:
    """One attempt of a model call. Errors that leave the block carry the usage of all attempts so far; after three
    replies of no use there is no further attempt.

    Args:
        endpoint: the one that is asked.
        cost_left: what all attempts together may cost.
        account: of the budgets that hold for the requester.
    """
    spending = Spending(endpoint, cost_left, account)
    try:
        yield spending
    except LimitExhausted:
        raise
    except Exception as error:
        broken = spending.broken_by(error)
        if broken is None:
            raise
        spending.failed(broken)
        if isinstance(broken, ModelReplyUnusable) and spending.is_hopeless:
            raise _hopeless(broken) from error
        if broken is error:
            raise
        raise broken from error
    finally:
        await spending.settle()


def _hopeless(error: ModelReplyUnusable) -> NoUsableReply:
    hopeless = NoUsableReply(f"{MOST_UNUSABLE} replies were of no use; {error}", usage=error.usage)
    hopeless.trace = error.trace
    return hopeless


def _account() -> UsageSoFar:
    """The one that an earlier attempt has left."""
    details = activity.info().heartbeat_details
    try:
        return UsageSoFar.model_validate(details[0]) if details else UsageSoFar()
    except ValidationError:
        return UsageSoFar()
