"""Approvals in place: the person who watches a request is asked about each call that waits."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from temporalio.client import Client
from temporalio.exceptions import TemporalError

from activities.errors import ErrandError
from deploy.terminal.screen import Screen
from deploy.terminal.story import CancelAsked, Crashed, Ended, Ruled, Step, Waiting, follow, reason
from workflows.contract import PendingApproval


@dataclass
class Desk:
    """Follows the steps of one request, and asks when a call waits. The question is taken back when it is settled.

    Without `asks`, nobody can answer here: then it says once how to decide elsewhere.
    """

    screen: Screen
    request_id: str
    asks: bool
    pending: Callable[[], Awaitable[Sequence[PendingApproval]]]
    approve: Callable[[PendingApproval], Awaitable[None]]
    reject: Callable[[PendingApproval, str], Awaitable[None]]
    _question: asyncio.Task[None] | None = None
    _asking: bool = False
    _answered: bool = False

    async def watch(self, client: Client) -> Ended | Crashed:
        """Show every step, and return the last."""
        try:
            async with aclosing(follow(client, self.request_id)) as steps:
                async for step in steps:
                    self.on(step)
                    self.screen.show(step, self.request_id)
                    if isinstance(step, Ended | Crashed):
                        return step
        except asyncio.CancelledError:
            self.screen.pause()
            self.screen.note(f"\n{self.request_id} goes on; see how: uv run client.py watch {self.request_id}")
            raise
        finally:
            self.close()
            self.screen.pause()
        raise ErrandError(f"the history of {self.request_id} stops before its end")

    def on(self, step: Step) -> None:
        match step:
            case Waiting(True):
                self.close()
                self._answered = False
                self._question = asyncio.create_task(self._ask())
            case Ruled() | CancelAsked() | Waiting(False) | Ended() | Crashed():
                self.close()
            case _:
                pass

    def close(self) -> None:
        """Take the question back, if one is open. An answer that is on its way is left to arrive."""
        if self._question and not self._answered:
            self._question.cancel()
        if self._asking:
            self._asking = False
            self.screen.say("")

    async def _ask(self) -> None:
        try:
            for call in await self.pending():
                self.screen.pending(call, to_stderr=not self.asks)
                if self.asks:
                    await self._decide(call)
                else:
                    self.screen.how_to_decide(self.request_id)
        except (ErrandError, TemporalError) as error:
            self.screen.note(reason(error))
            self.screen.how_to_decide(self.request_id)

    async def _decide(self, call: PendingApproval) -> None:
        self.screen.question()
        self._asking = True
        answer = await _typed()
        self._asking, self._answered = False, True
        match answer.strip():
            case "" if not answer:
                self.screen.say("")
                self.screen.how_to_decide(self.request_id)
            case "y" | "Y" | "yes":
                await self.approve(call)
            case "" | "n" | "N" | "no":
                await self.reject(call, "")
            case why:
                await self.reject(call, why)


def can_ask() -> bool:
    """Whether a person is there to answer: both ends are a terminal, and one that can be waited on."""
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.platform != "win32"


async def _typed() -> str:
    """One line from the terminal, or nothing at its end; the request's history goes on being read meanwhile."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def ready() -> None:
        if not line.done():
            line.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin.fileno(), ready)
    try:
        return await line
    finally:
        loop.remove_reader(sys.stdin.fileno())
