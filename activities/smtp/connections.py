"""SMTP connections that have carried a message well, kept for a while in case another message follows.

One is kept only after a clean yes to its message, and only while nothing else is heard from the server: a reply that
nobody asked for could be taken for the answer to the next message. Before that message the server has to say that it
begins anew. Where it does not, the connection is closed and a new one carries the message: nothing was sent by then.
"""

import asyncio
import selectors
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Self

import aiosmtplib

from activities.settings.mail import SmtpServer

RESET_SECONDS = 5
"""For the answer to RSET; a connection that takes longer is not worth waiting for."""


@dataclass(eq=False)
class SmtpConnection:
    """A connection that carries one message after another, never two at once."""

    server: SmtpServer
    smtp: aiosmtplib.SMTP
    messages: int = 0
    """How many it has carried."""
    spoke: bool = False
    """Whether anything was heard from the server while it rested, its end included."""

    @classmethod
    def to(cls, server: SmtpServer, *, timeout: float) -> Self:
        """One that is yet to be opened. `timeout`: seconds for the reply to each command."""
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls,
            start_tls=server.start_tls,
            timeout=timeout,
        )
        return cls(server, smtp)

    @property
    def silent(self) -> bool:
        """Whether it is open, and the server has said nothing that is not read: no reply, no piece of one, no end."""
        protocol = self.smtp.protocol
        if self.spoke or protocol is None or protocol.transport is None or not protocol.is_connected:
            return False
        # What came behind a reply in the same packet has no public name; without it nothing counts as silent.
        if getattr(protocol, "_buffer", b"?"):
            return False
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(protocol.transport.get_extra_info("socket"), selectors.EVENT_READ)
                return not selector.select(0)
        except (OSError, ValueError):  # no file descriptor is left, or the socket is closed
            return False

    async def begins_anew(self) -> bool:
        """Whether the server forgets the message before (RSET, RFC 5321 section 4.1.1.5) and says nothing else."""
        if not self.silent:
            return False
        try:
            reply = await self.smtp.execute_command(b"RSET", timeout=RESET_SECONDS)
        except (aiosmtplib.SMTPException, OSError):
            return False
        return reply.code == aiosmtplib.SMTPStatus.completed and self.silent

    def rest(self, broken: Callable[[], None] = lambda: None) -> None:
        """Until it is woken nothing is asked, and nothing should come. SMTP itself would drop what does come, and take
        the second half of a reply for an answer. `broken` is called as soon as anything is heard, or it has hung up."""

        def heard() -> None:
            self.spoke = True
            broken()

        if self.smtp.protocol and self.smtp.protocol.transport:
            self.smtp.protocol.transport.set_protocol(_Silence(heard))

    def wake(self) -> None:
        """Listen to replies again."""
        if self.smtp.protocol and self.smtp.protocol.transport:
            self.smtp.protocol.transport.set_protocol(self.smtp.protocol)

    def part(self) -> None:
        """Close it with a goodbye. Its reply changes nothing, so nobody waits for it."""
        with suppress(aiosmtplib.SMTPException):
            if self.smtp.protocol:
                self.smtp.protocol.write(b"QUIT\r\n")
        self.close()

    def close(self) -> None:
        self.smtp.close()


class _Silence(asyncio.Protocol):
    """Stands in for SMTP while nothing is asked, so that nothing should come."""

    def __init__(self, broken: Callable[[], None]) -> None:
        self._broken = broken

    def data_received(self, data: bytes) -> None:
        self._broken()

    def connection_lost(self, exc: Exception | None) -> None:
        self._broken()


class MailConnections:
    """The idle connections of a worker."""

    def __init__(self, *, most: int = 4, idle_seconds: float = 30, messages: int = 50) -> None:
        """Keep connections for later mails.

        Args:
            most: how many are kept at once; with 0, none.
            idle_seconds: after which one is closed.
            messages: how many one carries at most.
        """
        self._most = most
        self._idle_seconds = idle_seconds
        self._messages = messages
        self._idle: dict[SmtpConnection, asyncio.TimerHandle] = {}
        """With what closes them in time; the one that was used last is the last."""

    async def ready(self, server: SmtpServer) -> SmtpConnection | None:
        """One that is logged in, with nothing left of an earlier message; None where a new one has to be opened."""
        connection = next((each for each in reversed(self._idle) if each.server == server), None)
        if connection is None:
            return None
        self._idle.pop(connection).cancel()
        connection.wake()
        good = False
        try:
            good = await connection.begins_anew()
        finally:
            if not good:
                connection.close()
        if good:
            return connection
        for each in [each for each in self._idle if each.server == server]:
            self._part(each)  # it has been idle for even longer
        return None

    def keep(self, connection: SmtpConnection) -> None:
        """Have back one whose message the server has taken."""
        connection.messages += 1
        if len(self._idle) >= self._most or connection.messages >= self._messages or not connection.silent:
            connection.part()
            return
        end = partial(self._part, connection)
        self._idle[connection] = asyncio.get_running_loop().call_later(self._idle_seconds, end)
        connection.rest(end)

    async def aclose(self) -> None:
        """Close those that are idle, and from now on every one that is given back."""
        self._most = 0
        for each in list(self._idle):
            self._part(each)

    def _part(self, connection: SmtpConnection) -> None:
        if timer := self._idle.pop(connection, None):
            timer.cancel()
            connection.part()
