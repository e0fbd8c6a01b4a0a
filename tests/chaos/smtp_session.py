"""One connection of the mail server, which fails as it is told."""

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from tests.chaos.faults import (
    BEFORE_MESSAGES,
    BROKEN_YES,
    REPLIES,
    REPLIES_OF_STAGES,
    Encryption,
    Fault,
    Faults,
    Kind,
    Stage,
)

LONGEST_HANG = 60.0
LATER_IN_SESSION = {*BEFORE_MESSAGES, Stage.RSET}
STAGES = {"STARTTLS": Stage.STARTTLS, "AUTH": Stage.AUTH, "MAIL": Stage.MAIL, "DATA": Stage.DATA, "QUIT": Stage.QUIT}
REPLY = {"STARTTLS": "220 Go on", "AUTH": "235 2.7.0 Ok", "DATA": "354 Go on", "QUIT": "221 Bye"}
OK = "250 2.0.0 Ok"


class Ended(Exception):
    """The session is over."""


class Record(Protocol):
    @property
    def in_doubt(self) -> set[str]: ...
    def arrived(self, message: bytes, recipients: Iterable[str], *, accepted: bool) -> str: ...


@dataclass
class Session:
    record: Record
    faults: Faults
    contexts: tuple[ssl.SSLContext, ssl.SSLContext]
    """With a certificate that holds, and with one that does not."""
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    fault: Fault | None = None
    happened: bool = False
    secure: bool = False
    messages: int = 0
    recipients: list[str] = field(default_factory=list[str])
    """Who has been accepted for the message that is being announced."""
    unlucky: frozenset[int] | None = None
    """Which recipients of several meet the fault."""

    async def run(self) -> None:
        self.fault = self.faults.deal({Stage.RSET})
        if self.faults.encryption is Encryption.TLS:
            await self.shake_hands()
        await self.say(Stage.BANNER, "220 record.example ESMTP")
        while line := (await self.reader.readline()).decode(errors="replace").strip():
            verb = line.split()[0].upper()
            await self.answer(verb, line)
            if verb == "QUIT":
                return

    async def answer(self, verb: str, line: str) -> None:
        match verb:
            case "EHLO" | "HELO":
                offered = "AUTH PLAIN" if self.secure else "STARTTLS"
                stage = Stage.EHLO_INSIDE if self.secure else Stage.EHLO
                await self.say(stage, f"250-record.example\r\n250 {offered}")
            case "RSET" | "NOOP":
                await self.again()
                await self.say(Stage.RSET, OK)
            case "RCPT":
                await self.recipient(line)
            case "STARTTLS" | "AUTH" | "MAIL" | "DATA" | "QUIT":
                if verb == "MAIL":
                    await self.again()
                    self.recipients, self.unlucky = [], None
                if await self.say(STAGES[verb], REPLY.get(verb, OK)):
                    await self.go_on_after(verb)
            case _:
                self.send("502 5.5.1 Not here\r\n")

    async def go_on_after(self, verb: str) -> None:
        if verb == "STARTTLS":
            await self.shake_hands()
        elif verb == "DATA":
            await self.take_message()

    async def again(self) -> None:
        """A later message of the same connection meets a fault of its own."""
        if not self.messages:
            return
        self.messages = 0
        self.faults.reused = True
        if self.fault and self.fault.stage is Stage.QUIT and not self.happened:
            return
        self.give_back()
        self.happened = False
        self.fault = self.faults.deal(BEFORE_MESSAGES)

    def give_back(self) -> None:
        if self.fault and not self.happened:
            self.faults.take_back(self.fault)
        self.fault = None

    async def shake_hands(self) -> None:
        context = self.contexts[0]
        if self.fault and self.meets(Stage.HANDSHAKE):
            if self.fault.kind is not Kind.STRANGER:
                await self.reader.read(1)  # its greeting has come
                await self.say(Stage.HANDSHAKE, "")
                raise Ended
            self.strike()
            context = self.contexts[1]
        await self.writer.start_tls(context)
        self.secure = True

    async def recipient(self, line: str) -> None:
        found = re.search(r"<(.*?)>", line)
        address = found[1] if found else ""
        several = re.search(r"\.(\d+)of(\d+)@", address)
        stage = Stage.RCPT
        if several and self.fault and self.meets(Stage.SOME):
            if self.unlucky is None:
                self.unlucky = self.choose(self.fault.kind, int(several[2]))
            stage = Stage.SOME if int(several[1]) in self.unlucky else Stage.RCPT
        if await self.say(stage, OK):
            self.recipients.append(address)

    def choose(self, kind: Kind, count: int) -> frozenset[int]:
        """Some are refused, but not all; or it breaks between two."""
        random = self.faults.random
        if kind in (Kind.LATER, Kind.NEVER):
            return frozenset(random.sample(range(1, count + 1), random.randint(1, count - 1)))
        return frozenset({random.randint(2, count)})

    async def take_message(self) -> None:
        self.messages += 1
        if self.meets(Stage.BODY):
            await self.reader.readline()
            await self.say(Stage.BODY, "")
            await self.reader.readuntil(b"\r\n.\r\n")  # what it said was its answer: this message is not taken
            return
        message = await self.reader.readuntil(b"\r\n.\r\n")
        accepted = not self.meets(Stage.BEFORE_ACCEPTING)
        token = self.record.arrived(message, self.recipients, accepted=accepted)
        self.record.in_doubt.add(token)
        try:
            if await self.say(Stage.BEFORE_ACCEPTING, ""):
                await self.say(Stage.AFTER_ACCEPTING, f"{OK}: queued")
        finally:
            self.record.in_doubt.discard(token)

    async def say(self, stage: Stage, usual: str) -> bool:
        """Answer as usual, if there is something to say, or else as the fault wants it; whether it was as usual."""
        if not self.meets(stage) or not self.fault:
            if usual:
                self.send(f"{usual}\r\n")
            return True
        self.strike()
        if stage is Stage.AFTER_ACCEPTING and self.fault.kind in BROKEN_YES:
            self.send(BROKEN_YES[self.fault.kind])
            await self.writer.drain()
            raise Ended
        await self.fail(self.fault)
        return False

    async def fail(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.HANG:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LONGEST_HANG):
                        while await self.reader.read(2**16):
                            pass
                raise Ended
            case Kind.RESET:
                linger = struct.pack("ii", 1, 0)
                self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.writer.transport.abort()
                raise Ended
            case Kind.DROP:
                raise Ended
            case kind:
                self.send(f"{REPLIES_OF_STAGES.get((fault.stage, kind), REPLIES[kind])}\r\n")
                if kind is Kind.CLOSING:
                    await self.writer.drain()
                    raise Ended

    def meets(self, stage: Stage) -> bool:
        return self.fault is not None and self.fault.stage is stage

    def strike(self) -> None:
        if self.fault:
            self.faults.struck[self.fault] += not self.happened
            self.happened = True

    def send(self, text: str) -> None:
        self.writer.write(text.encode())
