"""A request that is kept open, as one person at a terminal has to do with it."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

from temporalio.service import RPCError, RPCStatusCode

from activities.errors import ErrandError, NotOpen
from deploy.client.conversations import close, open_with, say
from deploy.client.endings import ENDS
from deploy.client.history_steps import follow
from deploy.client.requests import handle_of, request_of
from deploy.client.steps import (
    Answered,
    Asked,
    Crashed,
    Ended,
    Listening,
    MessageCame,
    NotAnswered,
    Replied,
    Step,
)
from deploy.terminal.session import Session
from workflows.contract.api import Outcome, Request

A_MOMENT = 0.05
"""Seconds between two looks for a request that is about to begin."""
A_WHILE = 0.5
"""Seconds in which what has happened already is told."""


@dataclass
class Conversation:
    """Its history has one reader, which rests while nobody waits here: what was missed is shown later."""

    session: Session
    request_id: str
    by: str
    opens: Request | None
    """What the first message starts; None where it was started before."""
    heard: Callable[[Outcome], None]
    """Gets every answer to what was said here."""
    asks: bool
    """Whether the person is asked about calls that wait."""
    draws: bool
    """Whether the steps are shown."""
    busy: bool = False
    """Something was said that may have no answer yet."""
    end: Ended | Crashed | None = None
    _steps: AsyncGenerator[Step] | None = None
    _next: asyncio.Task[Step | None] | None = None
    _saying: dict[str, asyncio.Task[Outcome]] = field(default_factory=dict[str, asyncio.Task[Outcome]])
    """What was said here, by the message's id."""
    _came: set[str] = field(default_factory=set[str])
    """Ids of messages that a worker has taken."""

    def __post_init__(self) -> None:
        self.desk = self.session.desk(self.request_id, by=self.by, asks=self.asks)

    @property
    def begun(self) -> bool:
        return self._steps is not None

    @property
    def is_lost_on_leaving(self) -> bool:
        """Whether something was said that no worker has taken: then nobody but this process knows of it."""
        return any(not saying.done() and id not in self._came for id, saying in self._saying.items())

    async def join(self) -> list[Step]:
        """Go on with a request that was started before; returns what has happened in it.

        Raises:
            NotOpen: it takes no messages.
        """
        client, handle = self.session.client, handle_of(self.session.client, self.request_id)
        now = await handle.describe()
        if now.close_time is not None:
            how = f" ({ENDS[now.status]})" if now.status in ENDS else ""
            raise NotOpen(f"{self.request_id} has ended{how}; see how: uv run client.py result {self.request_id}")
        request = await request_of(client, handle)
        if request is None or not request.keep_open:
            raise NotOpen(f"{self.request_id} is not kept open, so it takes no messages")
        past = [step async for step in follow(client, self.request_id, run_id=now.run_id, to_the_end=False)]
        self._steps = follow(client, self.request_id, run_id=now.run_id)
        for _ in past:
            step = await anext(self._steps)
            self._keep_in_mind(step)
            self.desk.foresee(step)
        return past

    async def exchange(self, text: str) -> None:
        """Say a message, and show what happens until it is answered.

        Raises:
            NotOpen: no message is taken any more.
        """
        message_id = str(uuid.uuid4())
        self._saying[message_id] = saying = asyncio.create_task(self._say(text, message_id))
        if self.draws:
            self.session.screen.sent()
        await self._begin(saying)
        last = await self.listen(lambda step: _ends(step, message_id), saying)
        if isinstance(last, Replied):  # to the model's question; what was said before is still to be answered
            await self.listen(lambda step: isinstance(step, Listening))
        elif not isinstance(last, Answered):
            await saying

    async def listen(self, is_last: Callable[[Step], bool], saying: asyncio.Task[Outcome] | None = None) -> Step:
        """Show what happens up to a step, which is returned. If a message cannot be said, the reason is raised."""
        self.desk.reopen()
        self.session.screen.resume()
        try:
            async with self.session.looking_out(self.request_id):
                while True:
                    step = await self._step(saying)
                    self._show(step)
                    if is_last(step) or self.end:
                        return step
        finally:
            self.desk.close()
            self.session.screen.pause()

    async def catch_up(self) -> None:
        """Show what has happened since, and what happens until everything that was said is answered."""
        while self.begun and not self.end and (self.busy or await self._has_news()):
            await self.listen(lambda step: isinstance(step, Listening))

    async def close(self) -> None:
        """Take no more messages, and show what happens until the end."""
        await close(handle_of(self.session.client, self.request_id))
        await self.listen(lambda step: isinstance(step, Ended | Crashed))

    async def leave(self) -> None:
        """Stop reading and waiting. What a worker has taken goes on."""
        tasks: list[asyncio.Task[Any]] = [*self._saying.values(), *([self._next] if self._next else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._steps:
            await self._steps.aclose()

    # --- behind them ---

    async def _say(self, text: str, message_id: str) -> Outcome:
        client, request_id, by = self.session.client, self.request_id, self.by
        if self.opens is None:
            return await say(client, request_id, text, by=by, message_id=message_id)
        queue = self.session.settings.worker.task_queue
        return await open_with(
            client, self.opens, text, by=by, request_id=request_id, message_id=message_id, task_queue=queue
        )

    async def _begin(self, saying: asyncio.Task[Outcome]) -> None:
        """Wait until there is a history to be read."""
        handle = handle_of(self.session.client, self.request_id)
        while self._steps is None:
            try:
                await handle.describe()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                if saying.done():
                    saying.result()
                await asyncio.sleep(A_MOMENT)
            else:
                self.opens, self._steps = None, follow(self.session.client, self.request_id)

    async def _step(self, saying: asyncio.Task[Outcome] | None) -> Step:
        """The next step. It may come after an interrupted wait, so that waiting for it is nobody's own."""
        upcoming = self._upcoming()
        while not upcoming.done():
            await asyncio.wait({upcoming, saying} if saying else {upcoming}, return_when=asyncio.FIRST_COMPLETED)
            if saying and saying.done() and not upcoming.done():
                saying.result()
                saying = None
        self._next = None
        if step := upcoming.result():
            return step
        raise ErrandError(f"the history of {self.request_id} stops before its end")

    def _upcoming(self) -> asyncio.Task[Step | None]:
        self._next = self._next or asyncio.create_task(self._read())
        return self._next

    async def _has_news(self) -> bool:
        done, _ = await asyncio.wait({self._upcoming()}, timeout=A_WHILE)
        return bool(done)

    async def _read(self) -> Step | None:
        return await anext(self._steps, None) if self._steps else None

    def _show(self, step: Step) -> None:
        self._keep_in_mind(step)
        self.desk.on(step)
        match step:
            case Answered(id, outcome) if id in self._saying:
                self.heard(outcome)
            case MessageCame(message) if message.id in self._saying:
                pass
            case Asked():
                pass
            case _ if self.draws:
                self.session.screen.show(step, self.request_id)
            case _:
                pass

    def _keep_in_mind(self, step: Step) -> None:
        match step:
            case Asked(request):
                self.busy = bool(request.text or request.carried)
            case MessageCame(message):
                self._came.add(message.id)
                self.busy = True
            case Listening():
                self.busy = False
            case Ended() | Crashed():
                self.end = step
            case _:
                pass


def _ends(step: Step, message_id: str) -> bool:
    """Whether a message is answered, cannot be, or was an answer itself."""
    match step:
        case Answered() | NotAnswered():
            return step.message_id == message_id
        case Replied(message):
            return message.id == message_id
        case _:
            return False
