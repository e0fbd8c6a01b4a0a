"""Every running activity says that it is alive, so that a worker that is gone is noticed within seconds."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

INTERVAL = 3.0
"""Seconds between two heartbeats; a worker counts as gone after ten without one."""

_beating: ContextVar["_Attempt"] = ContextVar("beating")


def remember(*details: object) -> None:
    """Leave details for the next attempt, with the next heartbeat and every one after it.

    The next attempt finds them in `activity.info().heartbeat_details`, also where this one's worker has crashed.
    """
    if attempt := _beating.get(None):
        attempt.remember(details)


def remembered() -> object | None:
    """The first of the details that every heartbeat has now."""
    attempt = _beating.get(None)
    return attempt.details[0] if attempt and attempt.details else None


def send_heartbeat_details(*details: object) -> None:
    """The same, without waiting for the next heartbeat. It costs the server about as much as a whole activity does."""
    activity.heartbeat(*details)
    if attempt := _beating.get(None):
        attempt.details, attempt.has_beaten = details, True


class Heartbeats(Interceptor):
    """Beats for every activity, and so lets a cancellation reach it too."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Beating(next)


class _Beating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        attempt = _Attempt(activity.info().heartbeat_details)
        _beating.set(attempt)
        attempt.wait()
        try:
            return await super().execute_activity(input)
        finally:
            attempt.stop()


class _Attempt:
    """That beats by a timer, not by a task: most activities are over before it is due."""

    def __init__(self, details: Sequence[object]) -> None:
        self.details = details
        self.has_beaten = False
        self._due: asyncio.TimerHandle | None = None

    def remember(self, details: Sequence[object]) -> None:
        self.details = details
        # The SDK keeps the last one back for seconds, or until the attempt ends: it would hide what was said meanwhile.
        if self.has_beaten:
            activity.heartbeat(*details)

    def wait(self) -> None:
        self._due = asyncio.get_running_loop().call_later(INTERVAL, self._beat)

    def stop(self) -> None:
        if self._due:
            self._due.cancel()

    def _beat(self) -> None:
        self.has_beaten = True
        activity.heartbeat(*self.details)
        self.wait()
