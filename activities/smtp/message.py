"""A mail as bytes (RFC 5322) whose headers are exactly those written here, whatever is in its texts.

The standard library does not write the headers: up to Python 3.11.9 its generator put the line breaks that an encoded
word hides onto the wire (CVE-2024-6923). Here a text that is not plain is encoded as a whole. Addresses that are not
ASCII stand as they are (RFC 6532): such a message goes only to servers that offer SMTPUTF8.
"""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.parser import BytesParser
from email.utils import format_datetime
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

from activities.errors import InvalidArguments
from activities.smtp import mime

_PLAIN = re.compile(r"(?!.*=\?)[!-~]([ -~]{0,65}[!-~])?")
_ENCODED_BYTES = 39
"""How much text one encoded word carries, so that no line is longer than 76 (RFC 2047 section 2)."""


def _one_line(text: str) -> str:
    if len(text) > 500 or not printable(text):
        raise ValueError("must be one line of at most 500 characters, without control characters")
    return text


def _not_endless(text: str) -> str:
    if len(text) > 200_000:
        raise ValueError("must have at most 200,000 characters")
    return text


Subject = Annotated[str, AfterValidator(_one_line)]
Body = Annotated[str, AfterValidator(_not_endless)]


class Sender(NamedTuple):
    name: str
    address: str


@dataclass(frozen=True)
class Mail:
    """What a message says. Whom it goes to is said elsewhere: a blind copy's address has no place in it.

    Addresses are already validated. `cc`, `reply_to`: more of them. `html`: the same as the text, for readers that show
    it. `invitation`: an iCalendar object of the method REQUEST. `attachments`: name and content of each.
    """

    sender: Sender
    to: Sequence[str]
    subject: str
    text: str
    cc: Sequence[str] = ()
    reply_to: Sequence[str] = ()
    html: str = ""
    invitation: bytes = b""
    attachments: Sequence[tuple[str, str]] = ()


class Message(NamedTuple):
    message_id: str
    content: bytes


def compose(mail: Mail, *, key: str, date: datetime) -> Message:
    """Write the message.

    Its Message-ID follows from the key, so that a message that arrives twice is one to whoever compares them.

    Raises:
        InvalidArguments: read back, its headers are not the ones that were meant.
    """
    own = identity(key)
    message_id = f"<{own}@{mail.sender.address.rpartition('@')[2]}>"
    name, sender = mail.sender
    headers = {
        "From": f"{_phrase(name)} <{sender}>" if name else sender,
        "To": _addresses(mail.to),
        **({"Cc": _addresses(mail.cc)} if mail.cc else {}),
        **({"Reply-To": _addresses(mail.reply_to)} if mail.reply_to else {}),
        "Subject": _text(mail.subject),
        "Date": format_datetime(date),
        "Message-ID": message_id,
        "Auto-Submitted": "auto-generated",  # RFC 3834: no out-of-office replies, please
        "MIME-Version": "1.0",
    }
    body = _body(mail, boundary=f"=_{own}")
    content = mime.header_lines(headers) + body.written
    _check(content, names=[*headers, *body.headers], subject=mail.subject)
    return Message(message_id, content)


def identity(key: str) -> str:
    """What stands for a call in what leaves the house: the same for the same key, and it does not show the key."""
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def printable(text: str) -> bool:
    """Whether a header can say it: no line or paragraph separators, no control characters, no lone surrogates."""
    return not any(unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs") for character in text)


def _addresses(addresses: Sequence[str]) -> str:
    return ",\r\n ".join(addresses)


def _text(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else _encoded_words(text)


def _phrase(name: str) -> str:
    return f'"{name}"' if re.fullmatch(r"[A-Za-z0-9 .,'()&@-]{1,60}", name) else _encoded_words(name)


def _encoded_words(text: str) -> str:
    """As many encoded words as it takes, each with whole characters, one a line (RFC 2047 sections 2 and 5)."""
    chunks = [b""]
    for character in text:
        encoded = character.encode()
        if len(chunks[-1]) + len(encoded) > _ENCODED_BYTES:
            chunks.append(b"")
        chunks[-1] += encoded
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(chunk).decode()}?=" for chunk in chunks)


def _body(mail: Mail, *, boundary: str) -> mime.Part:
    """The text; beside it what says the same in another way (RFC 2046 section 5.1.4); behind both the files."""
    ways = [mime.text(mail.text)]
    if mail.html:
        ways.append(mime.text(mail.html, "html"))
    if mail.invitation:
        ways.append(mime.calendar(mail.invitation, "REQUEST"))
    shown = ways[0] if len(ways) == 1 else mime.multipart("alternative", ways, f"{boundary}.alternative")
    if not mail.attachments:
        return shown
    files = [mime.attachment(name, content) for name, content in mail.attachments]
    return mime.multipart("mixed", [shown, *files], f"{boundary}.mixed")


def _check(content: bytes, *, names: list[str], subject: str) -> None:
    head = content.partition(b"\r\n\r\n")[0]
    written = [line.partition(b":")[0].decode("ascii") for line in re.split(rb"\r\n(?! )", head)]
    parsed = BytesParser(policy=policy.default).parsebytes(content, headersonly=True)
    if not written == parsed.keys() == names or str(parsed["Subject"]) != subject:
        raise InvalidArguments("the message's headers would not arrive as they are written; change the subject")
