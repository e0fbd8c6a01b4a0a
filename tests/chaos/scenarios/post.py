"""A mail server that takes every message, and holds back what it says of those that a scenario has named.

A message counts as delivered from the moment at which the server has it whole, whatever it says or fails to say then.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.chaos.smtp_record import Delivery

USUAL = {"EHLO": "250 post.example", "DATA": "354 Go on", "QUIT": "221 Bye"}
ADDRESS = re.compile(r"<(.+)@example\.com>")


@dataclass
class Post:
    """Messages are known by their token: the recipient's name, which is the subject too."""

    port: int = 0
    deliveries: list[Delivery] = field(default_factory=list[Delivery])
    _before: dict[str, asyncio.Event] = field(default_factory=dict[str, asyncio.Event])
    _after: dict[str, asyncio.Event] = field(default_factory=dict[str, asyncio.Event])
    _waiting: set[str] = field(default_factory=set[str])

    def hold_before(self, token: str) -> None:
        """Say nothing of the recipient until it may go on: the act has not begun."""
        self._before[token] = asyncio.Event()

    def hold_yes(self, token: str) -> None:
        """Take the message, and do not say so until it may go on: the sender is in the act."""
        self._after[token] = asyncio.Event()

    def go_on(self, token: str) -> None:
        """It may come to the act."""
        self._before[token].set()

    def let_go(self, token: str) -> None:
        """From now on it is answered at once."""
        for events in (self._before, self._after):
            if token in events:
                events[token].set()

    def has(self, token: str) -> bool:
        return any(each.token == token for each in self.deliveries)

    async def reached(self, token: str) -> None:
        """Until somebody waits for what is held back."""
        while token not in self._waiting:
            await asyncio.sleep(0.05)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        token = ""
        writer.write(b"220 post.example ESMTP\r\n")
        while line := (await reader.readline()).decode().strip():
            verb = line.split()[0].upper()
            if verb == "RCPT" and (found := ADDRESS.search(line)):
                token = found[1]
                await self._go_on(self._before, token)
            writer.write(f"{USUAL.get(verb, '250 2.0.0 Ok')}\r\n".encode())
            if verb == "DATA":
                message = await reader.readuntil(b"\r\n.\r\n")
                self.deliveries.append(Delivery(token, _message_id(message), datetime.now(UTC), (token,)))
                await self._go_on(self._after, token)
                writer.write(b"250 2.0.0 Ok: queued\r\n")
            if verb == "QUIT":
                return

    async def _go_on(self, events: dict[str, asyncio.Event], token: str) -> None:
        event = events.get(token)
        if event is None or event.is_set():
            return
        self._waiting.add(token)
        try:
            await event.wait()
        finally:
            self._waiting.discard(token)


def _message_id(message: bytes) -> str:
    found = re.search(rb"(?mi)^Message-ID:[ \t]*(.*?)\r?$", message)
    return found[1].decode() if found else ""


@asynccontextmanager
async def post_office() -> AsyncGenerator[Post]:
    """On a free port of loopback."""
    post = Post()
    sessions: set[asyncio.Task[None]] = set()

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        sessions.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await post.serve(reader, writer)
        writer.close()
        sessions.discard(task)

    server = await asyncio.start_server(session, "127.0.0.1", 0, limit=2**20, backlog=256)
    post.port = server.sockets[0].getsockname()[1]
    try:
        yield post
    finally:
        server.close()
        for task in sessions:
            task.cancel()
