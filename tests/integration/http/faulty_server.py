"""An HTTP server on loopback that fails at one stage, and keeps a record of every request that it has read whole."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum


class Stage(StrEnum):
    """Where it fails."""

    HANG_UP_AT_ONCE = "hangs up as soon as there is a connection"
    HANG_UP_IN_REQUEST = "hangs up once it has read the beginning of the request"
    RESET_IN_BODY = "resets the connection in the middle of the request's body"
    HANG_BEFORE_READING = "reads nothing"
    HANG_AFTER_READING = "reads the request and says nothing"
    HANG_UP_AFTER_READING = "reads the request and hangs up"
    CONTINUE_THEN_NOTHING = "says 100 Continue and nothing more"
    HALF_AN_ANSWER = "hangs up in the middle of its answer"
    SLOW_DRIP = "answers byte by byte, for ever"
    ANSWER = "answers"


@dataclass
class FaultyServer:
    stage: Stage = Stage.ANSWER
    answers: list[bytes] = field(default_factory=list[bytes])
    """What it answers, one after the other; the last one again and again."""
    url: str = ""
    taken: list[str] = field(default_factory=list[str])
    """The requests that it has read whole, with head and body."""
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.stage is Stage.HANG_UP_AT_ONCE:
            return
        if self.stage is Stage.HANG_BEFORE_READING:
            await asyncio.sleep(60)
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            if self.stage is Stage.HANG_UP_IN_REQUEST:
                return
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            if self.stage is Stage.RESET_IN_BODY:
                writer.transport.abort()
                return
            body = (await reader.readexactly(int(length[1]) if length else 0)).decode()
            self.taken.append(head + body)
            await self._answer(writer)

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0] if self.answers else answered(200)
        match self.stage:
            case Stage.HANG_AFTER_READING:
                await asyncio.sleep(60)
            case Stage.HANG_UP_AFTER_READING:
                raise ConnectionResetError
            case Stage.CONTINUE_THEN_NOTHING:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                await asyncio.sleep(60)
            case Stage.HALF_AN_ANSWER:
                writer.write(answered(200, '{"id": 1, "all": "well"}')[:-10])
                await writer.drain()
                raise ConnectionResetError
            case Stage.SLOW_DRIP:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while True:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.05)
            case _:
                writer.write(answer)
                await writer.drain()


def answered(status: int, body: str = "{}", headers: Sequence[str] = ()) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", "Content-Type: application/json", f"Content-Length: {len(body.encode())}"]
    return "\r\n".join([*lines, *headers, "", body]).encode()


@asynccontextmanager
async def faulty_server(stage: Stage = Stage.ANSWER, *answers: bytes) -> AsyncGenerator[FaultyServer]:
    server = FaultyServer(stage, [*answers])
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    try:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server
    finally:
        listening.close()
