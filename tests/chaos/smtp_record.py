"""The mail server. It fails as it is told, and records what it accepted: a message counts as delivered from the moment
at which the server has taken the dot and decided to accept it, whatever it then says or fails to say."""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.chaos.faults import BROKEN_YES, REPLIES, Fault, Faults, Kind, Stage

LONGEST_HANG = 60.0
COMMANDS = {"EHLO": Stage.EHLO, "MAIL": Stage.MAIL, "RCPT": Stage.RCPT, "DATA": Stage.DATA, "QUIT": Stage.QUIT}
REPLY = {"EHLO": "250 record.example", "DATA": "354 Go on", "QUIT": "221 Bye"}


@dataclass(frozen=True)
class Delivery:
    token: str
    message_id: str
    at: datetime


@dataclass
class SmtpRecord:
    faults: Faults
    port: int = 0
    sessions: int = 0
    deliveries: list[Delivery] = field(default_factory=list[Delivery])
    reached_dot: set[str] = field(default_factory=set[str])
    """The tokens of messages of which the server has seen the dot at least once."""
    in_doubt: set[str] = field(default_factory=set[str])
    """Those whose sender waits at this moment for a verdict that does not come."""

    def arrived(self, message: bytes, *, accepted: bool) -> None:
        token, message_id = header(message, b"Subject"), header(message, b"Message-ID")
        self.reached_dot.add(token)
        if accepted:
            self.deliveries.append(Delivery(token, message_id, datetime.now(UTC)))


def header(message: bytes, name: bytes) -> str:
    found = re.search(rb"(?mi)^" + name + rb":[ \t]*(.*?)\r?$", message)
    return found[1].decode() if found else ""


class Ended(Exception):
    """The session is over."""


@dataclass
class Session:
    record: SmtpRecord
    fault: Fault | None
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def run(self) -> None:
        await self.say(Stage.BANNER, "220 record.example ESMTP")
        while line := (await self.reader.readline()).decode(errors="replace").strip():
            verb = line.split()[0].upper()
            if verb not in COMMANDS:
                self.send("502 5.5.1 Not here\r\n")
            elif await self.say(COMMANDS[verb], REPLY.get(verb, "250 2.0.0 Ok")):
                if verb == "QUIT":
                    return
                if verb == "DATA":
                    await self.take_message()

    async def take_message(self) -> None:
        if self.meets(Stage.BODY):
            await self.reader.readline()
            await self.say(Stage.BODY, "")
            await self.reader.readuntil(b"\r\n.\r\n")  # what it said was its answer: this message is not taken
            return
        message = await self.reader.readuntil(b"\r\n.\r\n")
        self.record.arrived(message, accepted=not self.meets(Stage.BEFORE_ACCEPTING))
        token = header(message, b"Subject")
        self.record.in_doubt.add(token)
        try:
            if await self.say(Stage.BEFORE_ACCEPTING, ""):
                await self.say(Stage.AFTER_ACCEPTING, "250 2.0.0 Ok: queued")
        finally:
            self.record.in_doubt.discard(token)

    async def say(self, stage: Stage, usual: str) -> bool:
        """Answer as usual, if there is something to say, or else as the fault wants it; whether it was as usual."""
        if not self.meets(stage) or not self.fault:
            if usual:
                self.send(f"{usual}\r\n")
            return True
        self.record.faults.struck[self.fault] += 1
        if stage is Stage.AFTER_ACCEPTING and self.fault.kind in BROKEN_YES:
            self.send(BROKEN_YES[self.fault.kind])
            await self.writer.drain()
            raise Ended
        await self.fail(self.fault.kind)
        return False

    async def fail(self, kind: Kind) -> None:
        match kind:
            case Kind.HANG:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LONGEST_HANG):
                        while await self.reader.read(2**16):
                            pass
                raise Ended
            case Kind.RESET:
                linger = struct.pack("ii", 1, 0)
                self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                raise Ended
            case Kind.DROP:
                raise Ended
            case _:
                self.send(f"{REPLIES[kind]}\r\n")
                if kind is Kind.CLOSING:
                    await self.writer.drain()
                    raise Ended

    def meets(self, stage: Stage) -> bool:
        return self.fault is not None and self.fault.stage is stage

    def send(self, text: str) -> None:
        self.writer.write(text.encode())


@asynccontextmanager
async def recording(faults: Faults) -> AsyncGenerator[SmtpRecord]:
    """A mail server on a free port of loopback."""
    record = SmtpRecord(faults)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        record.sessions += 1
        with suppress(Ended, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await Session(record, faults.deal(), reader, writer).run()
        writer.close()
        tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20, backlog=256)
    record.port = server.sockets[0].getsockname()[1]
    try:
        yield record
    finally:
        server.close()
        for task in tasks:
            task.cancel()
