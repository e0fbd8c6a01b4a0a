"""The mail server's record: a message counts as delivered from the moment at which the server has taken the dot and
decided to accept it, whatever it then says or fails to say."""

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import trustme

from tests.chaos.faults import Faults
from tests.chaos.smtp_session import Ended, Session

NAME = "127.0.0.1"


@dataclass(frozen=True)
class Delivery:
    token: str
    message_id: str
    at: datetime
    recipients: tuple[str, ...]


@dataclass(frozen=True)
class Dot:
    """A whole message that has arrived, accepted or not."""

    token: str
    at: datetime


@dataclass
class SmtpRecord:
    faults: Faults
    port: int = 0
    sessions: int = 0
    deliveries: list[Delivery] = field(default_factory=list[Delivery])
    dots: list[Dot] = field(default_factory=list[Dot])
    in_doubt: set[str] = field(default_factory=set[str])
    """The tokens of messages whose sender waits at this moment for a verdict that does not come."""

    @property
    def reached_dot(self) -> set[str]:
        return {dot.token for dot in self.dots}

    def was_delivered(self, token: str) -> bool:
        return any(each.token == token for each in self.deliveries)

    def arrived(self, message: bytes, recipients: Iterable[str], *, accepted: bool) -> str:
        """Keep it; its token comes back."""
        token, message_id = _header(message, b"Subject"), _header(message, b"Message-ID")
        now = datetime.now(UTC)
        self.dots.append(Dot(token, now))
        if accepted:
            self.deliveries.append(Delivery(token, message_id, now, tuple(recipients)))
        return token


def _header(message: bytes, name: bytes) -> str:
    found = re.search(rb"(?mi)^" + name + rb":[ \t]*(.*?)\r?$", message)
    return found[1].decode() if found else ""


@dataclass(frozen=True)
class Certificates:
    """The server's own, which holds, and a stranger's."""

    authority: trustme.CA = field(default_factory=trustme.CA)
    stranger: trustme.CA = field(default_factory=trustme.CA)

    def write_authority(self, folder: Path) -> Path:
        """What a worker has to trust."""
        path = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(path)
        return path

    def contexts(self) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        return _context(self.authority), _context(self.stranger)


def _context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate = authority.issue_cert(NAME)
    certificate.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  # names pyOpenSSL's type too
    return context


@asynccontextmanager
async def recording(faults: Faults, certificates: Certificates) -> AsyncGenerator[SmtpRecord]:
    """A mail server on a free port of loopback."""
    record = SmtpRecord(faults)
    contexts = certificates.contexts()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        record.sessions += 1
        session = Session(record, faults, contexts, reader, writer)
        with suppress(Ended, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await session.run()
        session.give_back()
        writer.close()
        tasks.discard(task)

    server = await asyncio.start_server(serve, NAME, 0, limit=2**20, backlog=256)
    record.port = server.sockets[0].getsockname()[1]
    try:
        yield record
    finally:
        server.close()
        for task in tasks:
            task.cancel()
