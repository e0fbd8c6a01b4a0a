"""A far end over HTTP that fails at every stage, and records what it has done."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    NONE = "answers"
    HANG_UP_AT_ONCE = "hangs up at once"
    HANG_UP_IN_REQUEST = "hangs up in the request"
    RESET_IN_BODY = "resets in the body"
    HANG_BEFORE = "hangs before it reads"
    HANG_AFTER = "hangs after it has read"
    HANG_UP_AFTER = "hangs up after it has read"
    CONTINUE = "says 100 and nothing more"
    HALF = "half an answer"
    DRIP = "drips"
    REFUSES = "400"
    CONFLICT = "409"
    TOO_EARLY = "425"
    TOO_MANY = "429"
    TIMEOUT = "408"
    BROKEN = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "504"
    REDIRECT = "302"


BEFORE_READING = {Fault.HANG_UP_AT_ONCE, Fault.HANG_UP_IN_REQUEST, Fault.RESET_IN_BODY, Fault.HANG_BEFORE}
SAYS_NO = {Fault.REFUSES, Fault.CONFLICT, Fault.TOO_EARLY, Fault.TOO_MANY}
"""Where it has done nothing; of every other answer that is no success, nobody can tell."""
SILENCE = 30.0
"""Seconds; longer than anybody waits here."""


@dataclass
class FarEnd:
    random: Random
    share: float
    """Of the requests that meet a fault."""
    url: str = ""
    done: Counter[str] = field(default_factory=Counter[str])
    """How often it has done what was asked for under a number."""
    met: Counter[Fault] = field(default_factory=Counter[Fault])
    calm: bool = False
    _keys: dict[str, str] = field(default_factory=dict[str, str])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, ValueError, asyncio.CancelledError):
            await self._answer(reader, writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self._fault()
        self.met[fault] += 1
        if fault is Fault.HANG_UP_AT_ONCE:
            return
        if fault is Fault.HANG_BEFORE:
            await asyncio.sleep(SILENCE)
            return
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if fault is Fault.HANG_UP_IN_REQUEST:
            return
        if fault is Fault.RESET_IN_BODY:
            writer.transport.abort()
            return
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        body = json.loads(await reader.readexactly(int(length[1]) if length else 0))
        if fault not in SAYS_NO and (fault in (Fault.NONE, Fault.HALF, Fault.DRIP) or self.random.random() < 0.5):
            self._do(head, body["number"])
        await self._say(fault, writer)

    def _fault(self) -> Fault:
        if self.calm or self.random.random() > self.share:
            return Fault.NONE
        return self.random.choice([each for each in Fault if each is not Fault.NONE])

    def _do(self, head: str, number: str) -> None:
        key = re.search(r"idempotency-key: (\S+)", head, re.IGNORECASE)
        if key is None or self._keys.setdefault(key[1], number) != number or self.done[number] == 0:
            self.done[number] += 1

    async def _say(self, fault: Fault, writer: asyncio.StreamWriter) -> None:
        answer = _reply(200)
        match fault:
            case Fault.HANG_AFTER:
                await asyncio.sleep(SILENCE)
            case Fault.HANG_UP_AFTER:
                return
            case Fault.CONTINUE:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                await asyncio.sleep(SILENCE)
            case Fault.HALF:
                writer.write(answer[:-3])
            case Fault.DRIP:
                for byte in answer:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.2)
            case Fault.NONE:
                writer.write(answer)
            case _:
                writer.write(_reply(int(fault.value)))
        await writer.drain()


def _reply(status: int) -> bytes:
    pause = "Retry-After: 1\r\n" if status in (429, 503) else ""
    where = "Location: /elsewhere\r\n" if status == 302 else ""
    body = '{"ticket": "open"}'
    return (
        f"HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nConnection: close\r\n{pause}{where}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


@asynccontextmanager
async def far_end(random: Random, share: float) -> AsyncGenerator[FarEnd]:
    server = FarEnd(random, share)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    try:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server
    finally:
        listening.close()
