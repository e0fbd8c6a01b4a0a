"""What a model call has used, over all attempts of its activity: also those that failed, or lost their worker.

An attempt leaves its account in its heartbeat details, where the next one finds it. One that never said how it ended
counts as if the model had written as much as it was allowed to.
"""

from collections.abc import Generator
from contextlib import contextmanager

from pydantic import ValidationError
from temporalio import activity

from activities.errors import ModelError, ModelReplyUnusable
from activities.heartbeats import remember
from activities.model.endpoint import Endpoint
from workflows.contract import Account, Usage


class Spending:
    """Turns the usage of an attempt into that of all so far."""

    def __init__(self, endpoint: Endpoint, before: Usage) -> None:
        self._endpoint = endpoint
        self._before = before

    def with_this(self, usage: Usage) -> Usage:
        """All attempts up to this one, which used so much."""
        return self._before + self._endpoint.priced(usage.model_copy(update={"model_calls": 1}))


@contextmanager
def accounted(endpoint: Endpoint, max_tokens: int | None) -> Generator[Spending]:
    """One attempt of a model call. Errors that leave the block carry the usage of all attempts so far.

    Args:
        endpoint: the one that is asked.
        max_tokens: as in the `Question`.
    """
    at_most = endpoint.priced(Usage(model_calls=1, output_tokens=endpoint.cap(max_tokens) or 0))
    before = _before(at_most)
    attempt = activity.info().attempt
    remember(Account(attempt=attempt, before=before, at_most=at_most))
    spending = Spending(endpoint, before)
    try:
        yield spending
    except ModelError as error:
        # Of a reply that cannot be read nobody knows how long it took to write.
        unknown = at_most if isinstance(error, ModelReplyUnusable) else Usage()
        error.usage = spending.with_this(error.usage or unknown)
        remember(Account(attempt=attempt, before=error.usage))
        raise


def _before(at_most: Usage) -> Usage:
    """What earlier attempts have used. Those that left no account count as this one would at most."""
    info = activity.info()
    found = _account(info.heartbeat_details[0]) if info.heartbeat_details else Account()
    usage = found.before + found.at_most
    for _ in range(found.attempt + 1, info.attempt):
        usage += at_most
    return usage


def _account(details: object) -> Account:
    try:
        return Account.model_validate(details)
    except ValidationError:
        return Account()
