"""Mail, over SMTP (RFC 5321)."""

import re
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Annotated

import idna
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from activities.errors import ConfigurationError
from activities.execution.act import Act
from activities.settings.environment import PREFIX
from activities.settings.mail import MailSettings
from activities.smtp.connections import MailConnections
from activities.smtp.message import compose, printable
from activities.smtp.transaction import SmtpTransaction, Timeouts
from activities.toolkit.tool import tool
from workflows.contract.internal import ToolCall

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([a-z0-9-]+\.)+[a-z0-9-]*[a-z][a-z0-9-]*|localhost")


def address(text: str) -> str:
    """Hold `text` to what mail is sent to here: `local@domain`, without a name, a comment, quotes or an IP address.

    The part before the @ is ASCII (RFC 5322 section 3.2.3, dot-atom). The domain comes back in lower case, and in the
    ASCII form of IDNA 2008 if it was not ASCII. No domain is looked up, and none is special: `.test` and `.local` pass.

    Raises:
        ValueError: it is something else.
    """
    local, _, domain = text.rpartition("@")
    try:
        domain = idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        domain = ""
    if _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain) and len(local) <= 64 and len(local) + len(domain) < 254:
        return f"{local}@{domain}"
    raise ValueError(f'"{text[:100]}" is not an address; give it alone and in full, for example "ann@example.com"')


def _once_each(addresses: list[str]) -> list[str]:
    return list(dict.fromkeys(addresses))


def _one_line(text: str) -> str:
    if len(text) > 500 or not printable(text):
        raise ValueError("must be one line of at most 500 characters, without control characters")
    return text


def _not_endless(text: str) -> str:
    if len(text) > 200_000:
        raise ValueError("must have at most 200,000 characters")
    return text


Address = Annotated[str, AfterValidator(address), WithJsonSchema({"type": "string", "format": "email"})]
Recipients = Annotated[list[Address], Field(min_length=1, max_length=50), AfterValidator(_once_each)]


class SentEmail(BaseModel):
    """A message that the mail server has taken over, and the server's words when it did.

    `refused` are the recipients that the server does not take, with its words; they were not sent anything.
    """

    model_config = ConfigDict(frozen=True)

    message_id: str
    accepted: tuple[str, ...]
    refused: dict[str, str] = Field(default={}, exclude_if=lambda refused: not refused)
    server_reply: str


@tool(
    effect="write",
    about="to {to}",
    timeout=900,
    total_timeout=7200,
    attempts=12,
    needs=("smtp_url", "mail_from"),
    grounded=("to",),
    claim_verbs=("sent", "emailed", "mailed", "e-mailed", "delivered"),
    confirmed={"to": "accepted"},
)
async def send_email(
    to: Recipients,
    subject: Annotated[str, AfterValidator(_one_line)],
    body: Annotated[str, AfterValidator(_not_endless)],
    *,
    settings: MailSettings,
    connections: MailConnections,
    call: ToolCall,
    act: Act,
) -> SentEmail:
    """Send an email.

    Args:
        to: Email addresses of the recipients.
        subject: Subject line.
        body: Text of the message.

    Raises:
        ServiceUnavailable: nothing was sent, and another time it may work.
        ServiceRefused: nothing was sent, and it will not work; also if every recipient is refused.
        OutcomeUnknown: the server had the whole message and gave no answer that says yes or no.
    """
    sender_name, sender = _sender(settings)
    message = compose(sender_name, sender, to, subject, body, key=call.key, date=datetime.now(UTC))
    if settings.smtp_server is None:
        raise ConfigurationError(f"{PREFIX}SMTP_URL is not set")
    async with SmtpTransaction(settings.smtp_server, _timeouts(settings), connections) as transaction:
        refused = await transaction.prepare(sender, to, message.content)
        async with act:
            reply = await transaction.commit()
    accepted = tuple(each for each in to if each not in refused)
    return SentEmail(message_id=message.message_id, accepted=accepted, refused=refused, server_reply=reply)


def _timeouts(settings: MailSettings) -> Timeouts:
    return Timeouts(command=settings.mail_timeout, pause=settings.mail_pause, verdict=settings.mail_verdict)


def _sender(settings: MailSettings) -> tuple[str, str]:
    """Name and address from `errand@example.com` or `Errand <errand@example.com>`."""
    name, found = parseaddr(settings.mail_from or "")
    try:
        return name, address(found)
    except ValueError as error:
        raise ConfigurationError(f"{PREFIX}MAIL_FROM: {error}") from error
