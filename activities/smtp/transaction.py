"""One message over SMTP in four stages, because what a failure means depends on where it happens.

    open       connect, TLS, EHLO, AUTH; or a connection that was kept, and RSET
    announce   MAIL, and RCPT for every recipient
    transmit   DATA, and the message up to its last dot
    commit     the dot, and the server's verdict

Up to the dot nothing has taken effect, and a message that is given up there is never delivered. The verdict hands over
the responsibility (RFC 5321 section 6.1); a dot without a verdict leaves it unknown who has it.
"""

import asyncio
import re
import ssl
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Self, cast

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol, normalize_message_line_endings

from activities.errors import OutcomeUnknown, ServiceRefused, ServiceUnavailable, ToolError
from activities.execution.cancellation import to_the_end
from activities.redaction import redacted
from activities.settings.environment import PREFIX
from activities.settings.mail import SmtpServer
from activities.smtp.connections import MailConnections, SmtpConnection
from activities.stages import stage

PIECE = 32 * 1024
"""How many bytes of a message are written before waiting until they are gone."""


@dataclass(frozen=True)
class Timeouts:
    """In seconds."""

    command: float = 30
    """For the reply to each command before the dot."""
    preparation: float = 240
    """For everything before the dot together."""
    pause: float = 300
    """Between two attempts, after a server said "not now"."""
    verdict: float = 600
    """For the reply to the dot: RFC 5321 section 4.5.3.2.6 asks for ten minutes, as giving up early sends twice."""


class SmtpTransaction:
    """One message. Leaving the context gives the connection back where the server has taken the message, and closes it
    where it has not."""

    def __init__(
        self, server: SmtpServer, timeouts: Timeouts | None = None, connections: MailConnections | None = None
    ) -> None:
        self._server = server
        self._name = f"mail server {server.host}:{server.port}"
        self._timeouts = timeouts or Timeouts()
        self._connections = connections or MailConnections(most=0)
        self._connection = self._new_connection()
        self._taken = False
        """Whether the server has said yes to the message."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        if self._taken and kind is None:
            self._connections.keep(self._connection)
        else:
            self._connection.close()

    @stage("smtp prepare")
    async def prepare(self, sender: str, recipients: Sequence[str], message: bytes) -> dict[str, str]:
        """Everything that can still be undone: `open`, `announce` and `transmit`, within one time limit.

        Returns:
            The recipients that the server does not take, with its words; the message is for the others.

        Raises:
            ServiceUnavailable: nothing was sent, and another time it may work: 4yz, a lost connection, a time-out.
            ServiceRefused: nothing was sent, and it will not work: 5yz, no TLS, a certificate that does not hold.
        """
        with self._nothing_sent("preparing a message"):
            async with asyncio.timeout(self._timeouts.preparation):
                await self.open()
                if self._connection.messages:
                    # What goes wrong here may be the fault of the old connection: only a new one's word counts.
                    with suppress(ToolError):
                        return await self._up_to_the_dot(sender, recipients, message)
                    self._connection.close()
                    await self._connect()
                return await self._up_to_the_dot(sender, recipients, message)

    async def _up_to_the_dot(self, sender: str, recipients: Sequence[str], message: bytes) -> dict[str, str]:
        plain = all(part.isascii() for part in (message, sender, *recipients))
        refused = await self.announce(sender, recipients, plain=plain)
        await self.transmit(message)
        return refused

    async def open(self) -> None:
        """Take a connection that was kept and still answers, or connect."""
        if kept := await self._connections.ready(self._server):
            self._connection = kept
        else:
            await self._connect()

    async def _connect(self) -> None:
        self._connection = self._new_connection()
        with self._nothing_sent("connecting"):
            await self._smtp.connect()
            await self._smtp.ehlo()
        if self._server.username is not None:
            await self._log_in(self._server.username)

    async def announce(self, sender: str, recipients: Sequence[str], *, plain: bool = True) -> dict[str, str]:
        """Name the sender and the recipients. Those that are refused are returned; all of them would be an error.

        Args:
            sender: an address.
            recipients: addresses.
            plain: whether these and the message are ASCII; otherwise the server has to offer SMTPUTF8 (RFC 6531).
        """
        options = [] if plain else self._for_utf8([sender, *recipients])
        encoding = "ascii" if plain else "utf-8"
        with self._nothing_sent(f"naming the sender {sender}"):
            await self._smtp.mail(sender, options=options, encoding=encoding)
        refused: list[aiosmtplib.SMTPRecipientRefused] = []
        for recipient in recipients:
            with self._nothing_sent(f"naming the recipient {recipient}"):
                try:
                    await self._smtp.rcpt(recipient, encoding=encoding)
                except aiosmtplib.SMTPRecipientRefused as error:
                    refused.append(error)
                    if error.code == aiosmtplib.SMTPStatus.domain_unavailable:
                        raise self._recipients_refused(refused) from error  # 421: it has closed the connection
        if len(refused) == len(recipients):
            raise self._recipients_refused(refused)
        return {each.recipient: _one_line(each.code, each.message) for each in refused}

    def _for_utf8(self, addresses: Sequence[str]) -> list[str]:
        """What MAIL says beside the sender, where an address or a header is not ASCII."""
        if not self._smtp.supports_extension("smtputf8"):
            foreign = ", ".join(each for each in addresses if not each.isascii()) or "those in the message's headers"
            why = f"addresses that are not ASCII ({foreign}) are not supported by this server: it offers no SMTPUTF8"
            raise ServiceRefused(f"{self._name}: {why}; nothing was sent to anybody")
        return ["SMTPUTF8", *(["BODY=8BITMIME"] if self._smtp.supports_extension("8bitmime") else [])]

    async def transmit(self, message: bytes) -> None:
        with self._nothing_sent("asked to take the message"):
            reply = await self._smtp.execute_command(b"DATA")
            if reply.code != aiosmtplib.SMTPStatus.start_input:
                raise aiosmtplib.SMTPDataError(reply.code, reply.message)
        with self._nothing_sent("taking the message"):
            protocol = self._protocol()
            self._connection.rest()
            stuffed = re.sub(rb"(?m)^\.", b"..", normalize_message_line_endings(message))
            for start in range(0, len(stuffed), PIECE):
                protocol.write(stuffed[start : start + PIECE])
                await _drained(protocol)

    @stage("smtp commit")
    async def commit(self) -> str:
        """Send the dot and return the server's verdict, for example "250 2.0.0 Ok: queued as 4F2A".

        A cancellation does not cut the waiting short: the verdict, when it comes, is what is returned or raised.

        Raises:
            ServiceUnavailable: 4yz, or the connection was lost or not silent before the dot; nothing was sent.
            ServiceRefused: 5yz; nothing was sent.
            OutcomeUnknown: no reply, or none that says yes or no; the message may have been sent.
        """
        code, text = await to_the_end(self._dot())
        if not 200 <= code < 300:
            raise self._refused("having the whole message", code, text)
        self._taken = True
        return _one_line(code, text)

    async def _dot(self) -> tuple[int, str]:
        with self._nothing_sent("waiting for the end of the message"):
            protocol = self._protocol()
            self._connection.wake()
            if not self._connection.silent:
                # It would be read as the verdict.
                why = "it said something unasked, or hung up, before the end of the message"
                raise ServiceUnavailable(f"{self._name}: {why}; nothing was sent")
            protocol.write(b".\r\n")
        try:
            code, text = await protocol.read_response(timeout=self._timeouts.verdict)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise self._unknown(type(error).__name__) from error
        if not (200 <= code < 300 or 400 <= code < 600):
            raise self._unknown(f'the answer "{_one_line(code, text)}"')
        return code, text

    async def _log_in(self, username: str) -> None:
        password = self._server.password.get_secret_value() if self._server.password else ""
        with self._nothing_sent("logging in"):
            try:
                await self._smtp.login(username, password)
            except aiosmtplib.SMTPResponseException as error:
                # Without the server's words and the cause: some servers quote the line that they refuse.
                hint = f"check the user and password in {PREFIX}SMTP_URL"
                raise self._refused("logging in", error.code, hint) from None

    @property
    def _smtp(self) -> aiosmtplib.SMTP:
        return self._connection.smtp

    def _new_connection(self) -> SmtpConnection:
        return SmtpConnection.to(self._server, timeout=self._timeouts.command)

    def _protocol(self) -> SMTPProtocol:
        protocol = self._smtp.protocol
        if protocol is None or not protocol.is_connected:
            raise aiosmtplib.SMTPServerDisconnected("the connection was lost")
        return protocol

    @contextmanager
    def _nothing_sent(self, stage: str) -> Generator[None]:
        """What goes wrong in here goes wrong before the dot."""
        try:
            yield
        except aiosmtplib.SMTPResponseException as error:
            raise self._refused(stage, error.code, error.message) from error
        except (ssl.SSLCertVerificationError, aiosmtplib.SMTPConnectError) as error:
            certificate = error if isinstance(error, ssl.SSLError) else error.__cause__
            if isinstance(certificate, ssl.SSLCertVerificationError):
                why = f"its certificate does not hold: {certificate.verify_message}"
                raise ServiceRefused(f"{self._name} {why}; nothing was sent") from error
            raise self._lost(stage, error) from error
        except OSError as error:  # which a lost connection and a time-out are, in asyncio and in aiosmtplib
            raise self._lost(stage, error) from error
        except aiosmtplib.SMTPException as error:  # what is left: the server does not offer STARTTLS or AUTH
            raise ServiceRefused(f"{self._name}, {stage}: {error.message}; nothing was sent") from error

    def _lost(self, stage: str, error: Exception) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"{self._name}, {stage}: no connection or no answer ({type(error).__name__}); nothing was sent"
        )

    def _refused(self, stage: str, code: int, text: str) -> ToolError:
        """By the class of the reply (RFC 5321 section 4.2.1); a reply that makes no sense here is as good as none."""
        message = f"{self._name}, {stage}: {_one_line(code, text)}; nothing was sent"
        return ServiceRefused(message) if 500 <= code < 600 else self._later(message)

    def _later(self, message: str) -> ServiceUnavailable:
        """A server that says "not now" means minutes (RFC 5321 section 4.5.4.1)."""
        return ServiceUnavailable(message, retry_after=timedelta(seconds=self._timeouts.pause))

    def _recipients_refused(self, refused: Sequence[aiosmtplib.SMTPRecipientRefused]) -> ToolError:
        words = ", ".join(f"{each.recipient} ({_one_line(each.code, each.message)})" for each in refused)
        # Section 4.5.3.1.10: 552 on RCPT means "too many", which another time may not be.
        permanent = any(500 <= each.code < 600 and each.code != 552 for each in refused)
        message = f"{self._name} does not take mail for {words}; nothing was sent to anybody"
        return ServiceRefused(message) if permanent else self._later(message)

    def _unknown(self, what: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"{self._name} had the whole message, then came {what} instead of a yes or no; it may have been sent: "
            "look for it at the recipient's before sending it again"
        )


async def _drained(protocol: SMTPProtocol) -> None:
    """Wait until the operating system has taken what was written."""
    await asyncio.sleep(0)
    while protocol.is_connected:
        transport = cast(asyncio.WriteTransport, protocol.transport)
        if not transport.get_write_buffer_size():
            return
        await asyncio.sleep(0.01)
    raise aiosmtplib.SMTPServerDisconnected("the connection was lost")


def _one_line(code: int, text: str) -> str:
    words = " ".join(redacted(text.encode(errors="surrogateescape").decode(errors="replace")).split())
    return f"{code} {words}"[:300].strip()
