"""Running something until it ends or a signal ends it, in words for the person at the terminal."""

import asyncio
import signal
from collections.abc import Coroutine

from rich.console import Console
from rich.markup import escape

from deploy.local.part import DeploymentError

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

CANNOT_RUN = 2
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def say(text: str) -> None:
    """One line of progress."""
    console.print(f"[dim]  {escape(text)}[/dim]")


def run_until_signal(work: Coroutine[None, None, int], interrupted: int) -> int:
    """The work's exit status, or `interrupted` when a signal ended it, after everything it started has stopped."""
    try:
        return asyncio.run(_cancelled_by_signal(work))
    except asyncio.CancelledError:
        return interrupted
    except DeploymentError as error:
        errors.print(f"[red]error:[/red] {escape(str(error))}")
        return CANNOT_RUN


async def _cancelled_by_signal(work: Coroutine[None, None, int]) -> int:
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for each in SIGNALS:  # asked once is enough: a second signal must not cut the stopping short
            loop.add_signal_handler(each, lambda: None)
        say("stopping")
        task.cancel()

    for each in SIGNALS:
        loop.add_signal_handler(each, stop)
    return await task
