"""Approvals and answers in place: the person who watches a request is asked about each call that waits for a yes, and
what the model asks."""

import asyncio
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError, TemporalError

from activities.errors import ConfigurationError, ErrandError, NotOpen
from deploy.client.history_steps import follow
from deploy.client.payloads import reason
from deploy.client.steps import AskedAgain, CancelAsked, Crashed, Ended, Replied, Ruled, Step, Waiting, WaitingForAnswer
from deploy.client.traced_approvals import TracedApproval, TracedState
from deploy.terminal.options import json_object
from deploy.terminal.screen import Screen
from workflows.contract.api import PendingApproval, PendingQuestion
from workflows.contract.plans import is_of_a_plan
from workflows.contract.values import Arguments


@dataclass
class Desk:
    """Follows the steps of one request, and asks when something waits for a person. The question is taken back when it
    is settled.

    Without `asks`, nobody can answer here: then it says once how to decide elsewhere.
    """

    screen: Screen
    request_id: str
    asks: bool
    state: Callable[[], Awaitable[TracedState]]
    approve: Callable[[TracedApproval, Arguments | None], Awaitable[TracedApproval | None]]
    """With other arguments than the call's own, where the person has edited them; returns what needs a second yes."""
    reject: Callable[[PendingApproval, str], Awaitable[None]]
    reply: Callable[[PendingQuestion, str], Awaitable[None]]
    _question: asyncio.Task[None] | None = None
    _asking: bool = False
    _answered: bool = False
    _waiting: bool = False
    _about: str = ""
    """The digest of the call that is asked about, or the key of the model's question."""

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
            case Waiting() | WaitingForAnswer():
                self.foresee(step)
                self.reopen()
            case Replied(_, question):
                if not self._answered and question in ("", self._about):
                    self.reopen()
            case AskedAgain(_, pending):
                # Of an edit made here, the question goes on below it.
                if not self._answered and pending.digest != self._about:
                    self.reopen()
            case Ruled() | CancelAsked() | Ended() | Crashed():
                self.close()
            case _:
                pass

    def foresee(self, step: Step) -> None:
        """Take note of a step that was shown before, without asking."""
        if isinstance(step, Waiting | WaitingForAnswer):
            self._waiting = step.yes

    def reopen(self) -> None:
        """Ask, or ask again, if something waits."""
        self.close()
        if self._waiting:
            self._answered = False
            self._question = asyncio.create_task(self._ask())

    def close(self) -> None:
        """Take the question back, if one is open. An answer that is on its way is left to arrive."""
        if self._question and not self._answered:
            self._question.cancel()
        if self._asking:
            self._asking = False
            self.screen.say("")

    async def _ask(self) -> None:
        try:
            now = await self.state()
            for call in now.awaiting_approval:
                self.screen.pending(call, to_stderr=not self.asks)
                if self.asks:
                    await self._decide(call)
                else:
                    self.screen.how_to_decide(self.request_id)
            for question in now.awaiting_answer:
                self.screen.asked(question, to_stderr=not self.asks)
                if self.asks:
                    await self._reply(question)
                else:
                    self.screen.how_to_answer(self.request_id)
        except (ErrandError, TemporalError) as error:
            self.screen.note(reason(error))
            self.screen.how_to_decide(self.request_id)

    async def _decide(self, call: TracedApproval) -> None:
        edited: Arguments | None = None
        whole_plan, self._about = is_of_a_plan(call.key), call.digest
        choices = "y/N/reason" if whole_plan else "y/N/e=edit/reason"
        while answer := await self._answer(f"approve? [{choices}] "):
            match answer.strip():
                case "e" | "edit" if whole_plan:
                    self.screen.note("a plan is approved as it stands; to have another, reject it and rehearse again")
                    continue
                case "e" | "edit":
                    edited = self._edit(call, edited)
                    continue
                case "y" | "Y" | "yes":
                    if again := await self._approved(call, edited):
                        call, edited = again
                        continue
                case "" | "n" | "N" | "no":
                    await self.reject(call, "")
                case why:
                    await self.reject(call, why)
            return
        self.screen.say("")
        self.screen.how_to_decide(self.request_id)

    async def _reply(self, question: PendingQuestion) -> None:
        self._about = question.key
        answer = (await self._answer("answer: ")).strip()
        if not answer:
            self.screen.how_to_answer(self.request_id)
            return
        try:
            await self.reply(question, answer)
        except NotOpen as late:
            self.screen.note(str(late))

    async def _answer(self, prompt: str) -> str:
        self._answered = False
        # What was typed before the question was seen is no answer to it.
        import termios

        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
        self.screen.prompt(prompt)
        self._asking = True
        answer = await _typed()
        self._asking, self._answered = False, True
        return answer

    def _edit(self, call: TracedApproval, edited: Arguments | None) -> Arguments | None:
        """What the person makes of the arguments in an editor; nothing else is drawn meanwhile."""
        before = json.dumps(call.arguments if edited is None else edited, indent=2, ensure_ascii=False)
        try:
            edited = json_object("the edited arguments", _edited(before))
        except (ConfigurationError, OSError, subprocess.CalledProcessError, ValueError) as error:
            self.screen.note(str(error))
        news = {"arguments": edited, "reason": "as you edited it, not checked yet", "sources": ()}
        self.screen.pending(call if edited is None else call.model_copy(update=news))
        return edited

    async def _approved(
        self, call: TracedApproval, edited: Arguments | None
    ) -> tuple[TracedApproval, Arguments | None] | None:
        """What is to be asked about next, where that does not settle it: edited arguments that cannot be run, or that
        need a second yes."""
        try:
            again = await self.approve(call, edited)
        except WorkflowUpdateFailedError as refused:
            if isinstance(refused.cause, ApplicationError) and refused.cause.type == "InvalidArguments":
                self.screen.note(refused.cause.message)
                return call, edited
            raise
        if again is None:
            return None
        self._about = again.digest
        self.screen.pending(again)
        return again, None


def can_ask() -> bool:
    """Whether a person is there to answer: both ends are a terminal, and one that can be waited on."""
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.platform != "win32"


def _edited(text: str) -> str:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="errand-") as folder:
        file = Path(folder, "arguments.json")
        file.write_text(text, encoding="utf-8")
        subprocess.run([*shlex.split(editor), str(file)], check=True)  # noqa: S603  # it is the person's own
        return file.read_text(encoding="utf-8")


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
