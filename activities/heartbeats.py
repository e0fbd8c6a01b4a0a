"""Every running activity says that it is alive, so that a worker that is gone is noticed within seconds."""

import asyncio
from contextlib import suppress

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

INTERVAL = 3.0
"""Seconds between two heartbeats; a worker counts as gone after ten without one."""


class Heartbeats(Interceptor):
    """Beats for every activity, and so lets a cancellation reach it too."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Beating(next)


class _Beating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        beating = asyncio.create_task(_beat())
        try:
            return await super().execute_activity(input)
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating


async def _beat() -> None:
    while True:
        await asyncio.sleep(INTERVAL)
        activity.heartbeat()
