"""A mail of a tool: composed, announced, and sent once. What every tool that sends mail has in common."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import TypedDict

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from activities.errors import ConfigurationError
from activities.execution.act import Act
from activities.settings.environment import PREFIX
from activities.settings.mail import MailSettings
from activities.smtp.addresses import address
from activities.smtp.connections import MailConnections
from activities.smtp.message import Mail, Sender, compose
from activities.smtp.transaction import SmtpTransaction, Timeouts
from workflows.contract.internal import ToolCall
from workflows.contract.values import Arguments, Effect, texts


class _Sending(TypedDict):
    effect: Effect
    preview: Callable[[Arguments], object]
    timeout: float
    total_timeout: float
    attempts: int
    needs: tuple[str, ...]


def not_sent(arguments: Arguments) -> Arguments:
    """What stands in for a sent mail in a rehearsal."""
    to: list[JsonValue] = [*dict.fromkeys(each for name in ("to", "cc", "bcc") for each in texts(arguments.get(name)))]
    return {"message_id": "", "accepted": to, "server_reply": "planned: it is sent when the plan is applied"}


SENDING: _Sending = {
    "effect": "write",
    "preview": not_sent,
    "timeout": 900,  # the server alone has ten minutes for its verdict
    "total_timeout": 7200,
    "attempts": 12,
    "needs": ("smtp_url", "mail_from"),
}
"""Options of every tool that sends mail."""
SENT = ("sent", "emailed", "mailed", "e-mailed", "delivered")
"""The words that tell of it."""


class SentEmail(BaseModel):
    """A message that the mail server has taken over, and the server's words when it did.

    `refused` are the recipients that the server does not take, with its words; they were not sent anything.
    """

    model_config = ConfigDict(frozen=True)

    message_id: str
    accepted: tuple[str, ...]
    refused: dict[str, str] = Field(default={}, exclude_if=lambda refused: not refused)
    server_reply: str


async def send(
    mail: Mail,
    recipients: Sequence[str],
    *,
    settings: MailSettings,
    connections: MailConnections,
    call: ToolCall,
    act: Act,
) -> SentEmail:
    """Send a mail to recipients, of whom its headers name some, all or none.

    Raises:
        ServiceUnavailable: nothing was sent, and another time it may work.
        ServiceRefused: nothing was sent, and it will not work; also if every recipient is refused.
        OutcomeUnknown: the server had the whole message and gave no answer that says yes or no.
        ConfigurationError: there is no mail server.
    """
    message = compose(mail, key=call.key, date=datetime.now(UTC))
    if settings.smtp_server is None:
        raise ConfigurationError(f"{PREFIX}SMTP_URL is not set")
    timeouts = Timeouts(command=settings.mail_timeout, pause=settings.mail_pause, verdict=settings.mail_verdict)
    async with SmtpTransaction(settings.smtp_server, timeouts, connections) as transaction:
        refused = await transaction.prepare(mail.sender.address, recipients, message.content)
        async with act:
            reply = await transaction.commit()
    accepted = tuple(each for each in recipients if each not in refused)
    return SentEmail(message_id=message.message_id, accepted=accepted, refused=refused, server_reply=reply)


def sender_of(settings: MailSettings) -> Sender:
    """Name and address from `errand@example.com` or `Errand <errand@example.com>`.

    Raises:
        ConfigurationError: there is none, or it is no address.
    """
    name, found = parseaddr(settings.mail_from or "")
    try:
        return Sender(name, address(found))
    except ValueError as error:
        raise ConfigurationError(f"{PREFIX}MAIL_FROM: {error}") from error
