"""A mail server (RFC 5321, without TLS and login) that takes every mail at once and remembers its subject."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

REPLIES = {b"EHLO": b"250 mailbox.example\r\n", b"DATA": b"354 Go on\r\n", b"QUIT": b"221 Bye\r\n"}
OK = b"250 2.0.0 Ok\r\n"


@dataclass
class Mailbox:
    port: int = 0
    subjects: list[str] = field(default_factory=list[str])
    """Of all mails, in the order of their arrival."""

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.write(b"220 mailbox.example ESMTP\r\n")
            while line := await reader.readline():
                verb = line[:4].upper()
                writer.write(REPLIES.get(verb, OK))
                if verb == b"DATA":
                    self.subjects.append(_subject(await reader.readuntil(b"\r\n.\r\n")))
                    writer.write(OK)
                if verb == b"QUIT":
                    break
        writer.close()


def _subject(message: bytes) -> str:
    found = re.search(rb"(?mi)^Subject:[ \t]*(.*?)\r?$", message)
    return found[1].decode() if found else ""


@asynccontextmanager
async def mailbox() -> AsyncGenerator[Mailbox]:
    """It takes mail inside the block, on a free port of loopback."""
    box = Mailbox()
    server = await asyncio.start_server(box.converse, "127.0.0.1", 0, limit=2**20, backlog=256)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
