"""A conversation with a person at a terminal, or line by line with a script."""

import asyncio
import re
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import typer
from pydantic import ValidationError

from activities.errors import ConfigurationError, NotOpen
from deploy.client.steps import Crashed, Ended
from deploy.terminal.conversation import Conversation
from deploy.terminal.exit_codes import ENDED_OTHERWISE, INTERRUPTED, explain
from deploy.terminal.session import Session
from workflows.contract.api import Outcome, Request, RequestStatus

HELP = """\
  /close   end the conversation, once everything that was said is answered
  /help    this
  Enter    without a message: show what has happened since, and wait on for what was said
  Ctrl-C   stop waiting for an answer; at the prompt: leave
  Ctrl-D   leave. The conversation stays open, and you can come back"""


@dataclass
class Talk:
    """A prompt, and below each message what happens until it is answered."""

    session: Session
    request_id: str
    by: str
    opens: Request | None

    def __post_init__(self) -> None:
        self._screen = self.session.screen
        self._conversation = Conversation(
            self.session, self.request_id, self.by, self.opens, heard=self._screen.answer, asks=True, draws=True
        )

    async def run(self) -> int:
        conversation = self._conversation
        try:
            code = await self._welcome()
            while code is None:
                code = await self._on(typed("> "))
        except KeyboardInterrupt:
            self._screen.say("")
            code = INTERRUPTED
        except NotOpen as error:
            self._screen.error(str(error))
            code = ENDED_OTHERWISE
        if conversation.is_lost_on_leaving:
            self._screen.note("no worker has taken your last message: say it again when you come back")
        if conversation.begun and not conversation.end:
            self._screen.note(stays_open(self.request_id))
        await conversation.leave()
        return code

    async def _welcome(self) -> int | None:
        if self.opens:
            self._screen.titled(self.request_id, "a new conversation, which your first message opens  (/help)")
            return None
        past = await self._conversation.join()
        self._screen.titled(self.request_id, "an open conversation  (/help)")
        self._screen.past(past)
        await self._wait_for(self._conversation.catch_up())
        return await self._end()

    async def _on(self, line: str | None) -> int | None:
        """Do what was typed. The exit code, where that was the last."""
        match line if line is None else line.strip():
            case None:
                self._screen.say("")
                return 0
            case "/close" if not self._conversation.begun:
                return 0
            case "/close":
                await self._wait_for(self._conversation.close())
            case "/help":
                self._screen.say(HELP)
            case "":
                await self._wait_for(self._conversation.catch_up())
            case word if re.fullmatch(r"/\w+", word):
                self._screen.note(f"there is no {word}; /help tells what there is")
            case text:
                await self._wait_for(self._conversation.exchange(text))
        return await self._end()

    async def _wait_for(self, exchange: Coroutine[Any, Any, None]) -> None:
        """Ctrl-C stops the waiting, and nothing else."""
        waiting, loop = asyncio.create_task(exchange), asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, waiting.cancel)
        try:
            await waiting
        except asyncio.CancelledError:
            id, lost = self.request_id, self._conversation.is_lost_on_leaving
            goes_on = f"it goes on; Enter waits on, or elsewhere: uv run client.py watch {id}"
            self._screen.note("\nno worker has taken it yet" if lost else f"\n{goes_on}")
        except ValidationError as unfit:
            self._screen.note(explain(unfit)[1])
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    async def _end(self) -> int | None:
        match self._conversation.end:
            case None:
                return None
            case Crashed() as crash:
                self._screen.crashed(crash, await self.session.link(self.request_id))
                return ENDED_OTHERWISE
            case Ended(outcome):
                id = self.request_id
                self._screen.note(f"{id} is closed; every receipt: uv run client.py result {id}")
                return 0 if outcome.status is RequestStatus.COMPLETED else ENDED_OTHERWISE


@dataclass
class Script:
    """Each line of standard input is a message, and each answer goes to standard output."""

    session: Session
    request_id: str
    by: str
    opens: Request | None
    as_json: bool
    _failed: bool = field(default=False, init=False)

    async def run(self) -> int:
        conversation = Conversation(
            self.session, self.request_id, self.by, self.opens, heard=self._heard, asks=False, draws=False
        )
        try:
            return await self._read(conversation)
        except NotOpen as error:
            self.session.screen.error(str(error))
            return ENDED_OTHERWISE
        finally:
            await conversation.leave()

    async def _read(self, conversation: Conversation) -> int:
        if not self.opens:
            await conversation.join()
        while (line := typed()) is not None:
            match line.strip():
                case "":
                    pass
                case "/close" if not conversation.begun:
                    break
                case "/close":
                    await conversation.close()
                    break
                case text:
                    await conversation.exchange(text)
        if conversation.begun and not conversation.end and not self.as_json:
            self.session.screen.note(stays_open(self.request_id))
        return ENDED_OTHERWISE if self._failed else 0

    def _heard(self, outcome: Outcome) -> None:
        self._failed = self._failed or outcome.status is not RequestStatus.COMPLETED
        if self.as_json:
            typer.echo(outcome.model_dump_json())
        else:
            self.session.screen.answer(outcome)


def stays_open(request_id: str) -> str:
    return f"{request_id} stays open; come back: uv run client.py chat {request_id}"


def typed(prompt: str | None = None) -> str | None:
    """The next line of standard input, edited as in a shell where there is a prompt; None at the end.

    Nothing else goes on meanwhile, and Ctrl-C raises KeyboardInterrupt.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if prompt is None:
            return sys.stdin.readline() or None
        with suppress(ImportError):
            import_module("readline")  # input() has a history with it
        return input(prompt)
    except EOFError:
        return None
    except UnicodeDecodeError as error:
        raise ConfigurationError("standard input is not UTF-8") from error
