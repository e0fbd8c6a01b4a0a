"""An SMTP server on loopback that fails where it is told to."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

DROP = "drop"
RESET = "reset"
HANG = "hang"

USUAL = {
    "banner": "220 fake ESMTP",
    "EHLO": "250-fake\r\n250 AUTH PLAIN",
    "AUTH": "235 2.7.0 Welcome",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "RSET": "250 2.0.0 Ok",
    "DATA": "354 Go on",
    "dot": "250 2.0.0 Ok: queued as 4F2A",
    "QUIT": "221 Bye",
}


@dataclass
class FakeSmtp:
    """What happens at a stage is a reply, or DROP, RESET or HANG. Stages are those of `USUAL`, "RCPT <address>" for one
    recipient, "MAIL again" for a command that comes again in a session, and "body", which comes in the middle of a
    message."""

    stages: Mapping[str, str]
    dot_delay: float = 0
    port: int = 0
    commands: list[str] = field(default_factory=list[str])
    sessions: list[list[str]] = field(default_factory=list[list[str]])
    """The verbs of each."""
    connected: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    messages: list[bytes] = field(default_factory=list[bytes])
    """Every message that arrived up to its dot, as it was on the wire."""
    dot_arrived: asyncio.Event = field(default_factory=asyncio.Event)
    gates: dict[str, asyncio.Event] = field(default_factory=dict[str, asyncio.Event])
    """What a stage waits for before it is acted, where a test holds it back."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._converse(reader, writer)
        finally:
            self.connected.discard(writer)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        verbs: list[str] = []
        self.sessions.append(verbs)
        await self._act("banner", writer)
        while line := (await reader.readline()).decode().strip():
            self.commands.append(line)
            verb = line.split()[0].upper()
            special = (f"{verb} again" if verb in verbs else "", f"RCPT {line[9:-1]}")
            verbs.append(verb)
            await self._act(next((each for each in special if each in self.stages), verb), writer)
            if verb == "DATA" and not self.stages.get("DATA"):
                await self._take_message(reader, writer)

    def say(self, text: str) -> None:
        """On every connection, at once and without having been asked."""
        for writer in self.connected:
            with _socket(writer) as connection:
                connection.sendall(text.encode())

    def end(self) -> None:
        """Of what is said on every connection, at once."""
        for writer in self.connected:
            with _socket(writer) as connection:
                connection.shutdown(socket.SHUT_WR)

    async def hang_up(self) -> None:
        for each in list(self.connected):
            each.close()
            await each.wait_closed()

    async def _take_message(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if "body" in self.stages:
            await reader.readline()
            await self._act("body", writer)
        self.messages.append(await reader.readuntil(b"\r\n.\r\n"))
        self.dot_arrived.set()
        await asyncio.sleep(self.dot_delay)
        await self._act("dot", writer)

    async def _act(self, stage: str, writer: asyncio.StreamWriter) -> None:
        if gate := self.gates.get(stage):
            await gate.wait()
        what = self.stages.get(stage) or USUAL.get(stage, "500 What?")
        if what == HANG:
            await asyncio.sleep(3600)
        if what == RESET:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if what in (DROP, RESET):
            writer.close()
            raise ConnectionAbortedError
        writer.write(f"{what}\r\n".encode())
        if what.startswith("421"):
            writer.close()
            raise ConnectionAbortedError


def _socket(writer: asyncio.StreamWriter) -> socket.socket:
    """The same connection, past the event loop, which would write later."""
    return socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno()))


@asynccontextmanager
async def fake_smtp(stages: Mapping[str, str] | None = None, *, dot_delay: float = 0) -> AsyncGenerator[FakeSmtp]:
    smtp = FakeSmtp(stages or {}, dot_delay)
    sessions: set[asyncio.Task[None]] = set()

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        sessions.add(task)
        with suppress(asyncio.CancelledError):
            await smtp.serve(reader, writer)

    server = await asyncio.start_server(session, "127.0.0.1", 0, limit=2**18)
    server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)  # a long message does not fit in buffers
    smtp.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield smtp
        finally:
            for each in sessions:
                each.cancel()
