"""An act that has begun is awaited, whatever becomes of its attempt: what it came to belongs in the ledger."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

from temporalio import activity
from temporalio.activity import ActivityCancellationDetails

from activities.errors import OutcomeUnknown, ServiceUnavailable, ToolError, Withdrawn
from activities.execution.act import Act

GRACE = timedelta(seconds=30)
"""How long running activities may take to finish when their worker is told to stop, unless a setting says otherwise."""
LAST_WORDS = 2.0
"""Seconds that a write has, once it is stopped, to say what it came to."""


async def to_its_end(act: Act, write: Awaitable[object], *, longest: float, grace: timedelta = GRACE) -> object:
    """Await a write although its attempt is cancelled, paused, reset, timed out or settled by an operator meanwhile.

    Args:
        act: of the write.
        write: the whole of the tool's run.
        longest: seconds that an act which has begun is awaited from then on.
        grace: how long its worker lets it go on once it is told to stop.

    Raises:
        OutcomeUnknown, ServiceUnavailable: the worker stops, or the act takes too long.
        ServiceUnavailable: the attempt does not count any more, and nothing has happened.
    """
    running = asyncio.ensure_future(write)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        if running.done() or details is None or details.worker_shutdown:
            return await _last_words(act, running, "the worker stopped")
    act.withdrawn = withdrawn(details)
    if not act.begun and not details.cancel_requested:
        return await _last_words(act, running, _why(details))
    stopping = asyncio.ensure_future(_is_over(grace))
    try:
        # The server does not say a second time that it wants an end, so a worker that stops has to look by itself.
        await asyncio.wait([running, stopping], timeout=longest, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    return running.result() if running.done() else await _last_words(act, running, "the worker stopped")


def withdrawn(details: ActivityCancellationDetails | None) -> ToolError:
    """Why an attempt that has not acted must not act any more."""
    if details is None or details.cancel_requested:
        return Withdrawn("the request was cancelled before it happened")
    return ServiceUnavailable(f"{_why(details)} before it happened")


def _why(details: ActivityCancellationDetails) -> str:
    if details.paused or details.reset:
        return f"an operator {'paused' if details.paused else 'reset'} the activity"
    return "its time was over" if details.timed_out else "this attempt did not count any more"


async def _is_over(grace: timedelta) -> None:
    await activity.wait_for_worker_shutdown()
    await asyncio.sleep(grace.total_seconds() - 2 * LAST_WORDS)


async def _last_words(act: Act, running: asyncio.Future[object], why: str) -> object:
    """Stop a write that cannot be awaited any longer. If it comes to an end all the same, that end stands."""
    running.cancel()
    await asyncio.wait([running], timeout=LAST_WORDS)
    if running.done() and not running.cancelled():
        return running.result()
    if act.begun and not act.came_to_nothing:
        raise OutcomeUnknown(f"{why} before it knew the result") from None
    raise ServiceUnavailable(f"{why} before it happened") from None
