"""A receiver of Standard Webhooks on loopback, which answers as it is told to."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

SECRET = "whsec_" + "c2VjcmV0LW9mLXR3ZW50eS1mb3VyLWJ5dGVz"
OTHER_SECRET = "whsec_" + "YW5vdGhlci1zZWNyZXQtb2YtMjQtYnl0ZXM="


@dataclass(frozen=True)
class Received:
    headers: dict[str, str]
    body: str

    def verified(self, secret: str = SECRET) -> dict[str, Any]:
        """The body, if the public verifier takes its signature."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """`answers` are status lines, with headers, for what comes next; then it is 204."""

    url: str = ""
    answers: list[str] = field(default_factory=list[str])
    received: list[Received] = field(default_factory=list[Received])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.splitlines()[1:] if line)
        }
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        body = await reader.readexactly(int(length[1]) if length else 0)
        self.received.append(Received(headers, body.decode()))
        answer = self.answers.pop(0) if self.answers else "204 No Content"
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()

    async def until(self, number: int) -> list[Received]:
        """What was received, as soon as there are so many."""
        async with asyncio.timeout(20):
            while len(self.received) < number:
                await asyncio.sleep(0.02)
        return self.received


@asynccontextmanager
async def receiver() -> AsyncGenerator[Receiver]:
    listening = Receiver()
    server = await asyncio.start_server(listening.serve, "127.0.0.1", 0)
    listening.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    async with server:
        yield listening
