"""A mail as bytes (RFC 5322) whose headers are exactly those written here, whatever is in its texts.

The standard library writes the body. It does not write the headers: up to Python 3.11.9 its generator put the line
breaks that an encoded word hides onto the wire (CVE-2024-6923). Here a text that is not plain is encoded as a whole.
"""

import base64
import binascii
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from email import policy
from email.parser import BytesParser
from email.utils import format_datetime
from typing import NamedTuple

from activities.errors import InvalidArguments

_PLAIN = re.compile(r"(?!.*=\?)[!-~]([ -~]{0,65}[!-~])?")
_ENCODED_BYTES = 39
"""How much text one encoded word carries, so that no line is longer than 76 (RFC 2047 section 2)."""


class Message(NamedTuple):
    message_id: str
    content: bytes


def compose(
    sender_name: str, sender: str, to: Sequence[str], subject: str, body: str, *, key: str, date: datetime
) -> Message:
    """Write the message. `sender` and `to` are addresses in ASCII, already validated.

    Its Message-ID follows from the key, so that a message that arrives twice is one to whoever compares them.

    Raises:
        InvalidArguments: read back, its headers are not the ones that were meant.
    """
    message_id = f"<{hashlib.sha256(key.encode()).hexdigest()[:24]}@{sender.rpartition('@')[2]}>"
    headers = {
        "From": f"{_phrase(sender_name)} <{sender}>" if sender_name else sender,
        "To": ",\r\n ".join(to),
        "Subject": _text(subject),
        "Date": format_datetime(date),
        "Message-ID": message_id,
        "Auto-Submitted": "auto-generated",  # RFC 3834: no out-of-office replies, please
    }
    content = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii") + _body(body)
    _check(content, names=[*headers, "MIME-Version", "Content-Type", "Content-Transfer-Encoding"], subject=subject)
    return Message(message_id, content)


def printable(text: str) -> bool:
    """Whether a header can say it: no line or paragraph separators, no control characters, no lone surrogates."""
    return not any(unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs") for character in text)


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


def _body(text: str) -> bytes:
    """The MIME headers, an empty line, and the text in quoted-printable: short ASCII lines, whatever is in it."""
    lines = b"\n".join(text.encode().splitlines())
    headers = {"MIME-Version": "1.0", "Content-Type": 'text/plain; charset="utf-8"'}
    headers["Content-Transfer-Encoding"] = "quoted-printable"
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode("ascii") + b"\r\n" + binascii.b2a_qp(lines).replace(b"\n", b"\r\n") + b"\r\n"


def _check(content: bytes, *, names: list[str], subject: str) -> None:
    head = content.partition(b"\r\n\r\n")[0]
    written = [line.partition(b":")[0].decode("ascii") for line in re.split(rb"\r\n(?! )", head)]
    parsed = BytesParser(policy=policy.default).parsebytes(content, headersonly=True)
    if not written == parsed.keys() == names or str(parsed["Subject"]) != subject:
        raise InvalidArguments("the message's headers would not arrive as they are written; change the subject")
