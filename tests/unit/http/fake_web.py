"""An HTTP server on loopback that answers by path, and remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

DROP = b""
"""An answer: close the connection without one."""


@dataclass(frozen=True)
class Asked:
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    line: str


def reply(body: object, *, status: str = "200 OK", headers: str = "") -> bytes:
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n{headers}\r\n"
    return head.encode() + content


@dataclass
class FakeWeb:
    url: str = ""
    answers: dict[str, bytes] = field(default_factory=dict[str, bytes])
    asked: list[Asked] = field(default_factory=list[Asked])

    def answer(self, path: str, body: object, *, status: str = "200 OK", headers: str = "") -> None:
        """`body` is sent as it is if it is text, and as JSON otherwise."""
        self.answers[path] = reply(body, status=status, headers=headers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *rest = head.splitlines()
        target = urlsplit(line.split()[1])
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest if each)}
        query = dict(parse_qsl(target.query, keep_blank_values=True))
        self.asked.append(Asked(target.path, query, headers, line))
        writer.write(self.reply_to(self.asked[-1]))
        writer.close()

    def reply_to(self, asked: Asked) -> bytes:
        return self.answers.get(asked.path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


@asynccontextmanager
async def fake_web(web: FakeWeb | None = None) -> AsyncGenerator[FakeWeb]:
    web = web or FakeWeb()
    server = await asyncio.start_server(web.serve, "127.0.0.1", 0)
    web.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield web
