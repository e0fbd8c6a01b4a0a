"""The parts of a message (RFC 2045, 2046), each in short ASCII lines, whatever is in it."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

TYPES = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "txt": "text/plain",
    "log": "text/plain",
    "md": "text/markdown",
}
"""Of an attachment, by the end of its name."""
_LONGEST_SEGMENT = 56
"""Characters of a file's name on one line, where it has to be encoded."""


class Part(NamedTuple):
    """Its own headers, in their order, and what stands behind the empty line."""

    headers: dict[str, str]
    content: bytes

    @property
    def written(self) -> bytes:
        return header_lines(self.headers) + b"\r\n" + self.content


def header_lines(headers: dict[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()


def text(content: str, subtype: str = "plain") -> Part:
    """A text, in quoted-printable. Its line breaks become the reader's."""
    lines = b"\n".join(content.encode().splitlines())
    encoded = binascii.b2a_qp(lines).replace(b"\n", b"\r\n") + b"\r\n"
    return Part(_headers(f'text/{subtype}; charset="utf-8"', "quoted-printable"), encoded)


def calendar(content: bytes, method: str) -> Part:
    """An iCalendar object as something to answer: what the method is, its type says too (RFC 6047 section 2.4)."""
    return Part(_headers(f'text/calendar; charset="utf-8"; method={method}', "base64"), _base64(content))


def attachment(name: str, content: str) -> Part:
    """A file, byte for byte. Its name ends in one of `TYPES`, and is fit for a header."""
    kind = TYPES[name.rpartition(".")[2].lower()]
    charset = '; charset="utf-8"' if kind.startswith("text/") else ""
    headers = {"Content-Disposition": f"attachment;\r\n {_file_name(name)}"}
    return Part(_headers(kind + charset, "base64") | headers, _base64(content.encode()))


def multipart(subtype: str, parts: Sequence[Part], boundary: str) -> Part:
    """Several parts as one. A boundary that begins with `=_` is in no part: neither encoding can write that."""
    pieces = (f"--{boundary}\r\n".encode() + part.written for part in parts)
    content = b"".join(pieces) + f"--{boundary}--\r\n".encode()
    return Part({"Content-Type": f'multipart/{subtype};\r\n boundary="{boundary}"'}, content)


def _headers(kind: str, encoding: str) -> dict[str, str]:
    return {"Content-Type": kind, "Content-Transfer-Encoding": encoding}


def _base64(content: bytes) -> bytes:
    return base64.encodebytes(content).replace(b"\n", b"\r\n")


def _file_name(name: str) -> str:
    """As a parameter; in segments, where it is not ASCII (RFC 2231 sections 3 and 4)."""
    if re.fullmatch(r"[A-Za-z0-9 ._()+-]{1,60}", name):
        return f'filename="{name}"'
    segments = [""]
    for character in name:
        encoded = quote(character, safe="")
        if len(segments[-1]) + len(encoded) > _LONGEST_SEGMENT:
            segments.append("")
        segments[-1] += encoded
    segments[0] = f"utf-8''{segments[0]}"
    if len(segments) == 1:
        return f"filename*={segments[0]}"
    return ";\r\n ".join(f"filename*{number}*={segment}" for number, segment in enumerate(segments))
