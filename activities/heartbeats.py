"""Every running activity says that it is alive, so that a worker that is gone is noticed within seconds."""

import asyncio
from contextvars import ContextVar

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

INTERVAL = 3.0
"""Seconds between two heartbeats; a worker counts as gone after ten without one."""

_remembered: ContextVar[list[object]] = ContextVar("remembered")


def remember(*details: object) -> None:
    """Leave details for the next attempt, with the next heartbeat and every one after it.

    The next attempt finds them in `activity.info().heartbeat_details`, also where this one's worker has crashed.
    """
    if (kept := _remembered.get(None)) is not None:
        kept[:] = details


def remembered() -> object | None:
    """The first of the details that every heartbeat has now."""
    kept = _remembered.get(None)
    return kept[0] if kept else None


def send_heartbeat_details(*details: object) -> None:
    """The same, without waiting for the next heartbeat. It costs the server about as much as a whole activity does."""
    activity.heartbeat(*details)
    remember(*details)


class Heartbeats(Interceptor):
    """Beats for every activity, and so lets a cancellation reach it too."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Beating(next)


class _Beating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        kept: list[object] = [*activity.info().heartbeat_details]
        _remembered.set(kept)
        loop = asyncio.get_running_loop()

        def beat() -> None:
            nonlocal following
            activity.heartbeat(*kept)
            following = loop.call_later(INTERVAL, beat)

        # A timer, not a task: most activities are over before it is due.
        following = loop.call_later(INTERVAL, beat)
        try:
            return await super().execute_activity(input)
        finally:
            following.cancel()
