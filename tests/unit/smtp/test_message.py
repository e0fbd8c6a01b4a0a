"""Whatever a subject and a body contain, they are a subject and a body."""

import re
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.smtp.message import Mail, Sender, compose, printable

NAMES = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
]

SENDER = Sender("Errand", "errand@example.com")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PIECES = st.sampled_from(
    ["=?utf-8?q?", "=0D=0A", "Bcc:_eve@evil.test", "?=", "\r", "\n", " ", ".", "ü", "x" * 40, "=20"]
)
NASTY = st.lists(PIECES, max_size=12).map("".join)


def compose_one(subject: str = "hi", body: str = "hello", name: str = "Errand", to: tuple[str, ...] = ()) -> bytes:
    return composed(Mail(Sender(name, "errand@example.com"), to or ("ann@example.com",), subject, body))


def composed(mail: Mail) -> bytes:
    return compose(mail, key="r/1.0", date=datetime(2026, 11, 22, 14, 15, tzinfo=UTC)).content


def parse(content: bytes) -> EmailMessage:
    return BytesParser(policy=policy.default).parsebytes(content)


def lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


def header_lines(content: bytes) -> list[str]:
    """What a reader that knows nothing of encodings takes for headers."""
    head = re.split(rb"\r\n\r\n|\n\n|\r\r", content)[0].decode("ascii")
    return [line.partition(":")[0] for line in re.split(r"\r\n|\r|\n", head) if line[:1] not in (" ", "\t")]


@given(subject=(TEXT | NASTY).filter(printable))
def test_a_subject_is_only_a_subject(subject: str) -> None:
    """Any line of text arrives as the subject that it was, and adds no header."""
    content = compose_one(subject=subject)
    assert header_lines(content) == NAMES
    assert parse(content)["Subject"] == subject


@given(body=TEXT | NASTY)
def test_a_body_is_only_a_body(body: str) -> None:
    """Any text arrives as the body that it was, but for the line breaks, which are the reader's; it adds no header."""
    content = compose_one(body=body)
    assert header_lines(content) == NAMES
    assert lines(parse(content).get_content()) == lines(body)


@given(body=TEXT | NASTY, subject=(TEXT | NASTY).filter(printable))
def test_every_line_can_be_sent_anywhere(body: str, subject: str) -> None:
    """Lines are ASCII, end in CR LF, and are no longer than the 78 of RFC 5322 section 2.1.1."""
    content = compose_one(subject=subject, body=body)
    wire = content.split(b"\r\n")
    assert max(map(len, wire)) <= 78
    assert not re.search(rb"[^ -~\t]", b"".join(wire))


@pytest.mark.parametrize(
    "subject",
    ["=?utf-8?q?hi=0D=0ABcc:_eve@evil.test?=", "=?utf-8?b?aGkNCkJjYzogZXZlQGV2aWwudGVzdA==?=", "=?utf-8?q?plain?="],
)
def test_a_subject_that_is_an_encoded_word_stays_one(subject: str) -> None:
    """CVE-2024-6923: what an encoded word would decode to is not on the wire; the reader sees the word itself."""
    content = compose_one(subject=subject)
    assert b"evil" not in content
    assert parse(content)["Subject"] == subject


@pytest.mark.parametrize(
    "name", ["Errand", "Errand, Inc.", "Bestellung für Ä", "=?utf-8?q?x=0D=0ABcc:_e@e.test?=", 'a"b\\']
)
def test_the_senders_name(name: str) -> None:
    """The operator's name arrives as it is, beside the address."""
    sender = parse(compose_one(name=name))["From"].addresses
    assert [(each.display_name, each.addr_spec) for each in sender] == [(name, "errand@example.com")]


ADDRESS = st.sampled_from(["ann@example.com", "o'neil+x@corp.test", "änn@example.com", "用户@xn--fsqu00a.test"])
ADDRESSES = st.lists(ADDRESS, unique=True, max_size=4).map(tuple)
FILE_NAME = st.sampled_from(["a.csv", "Übersicht März 2026.csv", "ü" * 50 + ".json"])
FILES = st.lists(st.tuples(FILE_NAME, TEXT | NASTY), max_size=3)


@given(
    texts=st.tuples((TEXT | NASTY).filter(printable), TEXT | NASTY, TEXT | NASTY),
    addresses=st.tuples(ADDRESSES, ADDRESSES),
    files=FILES,
    invitation=st.sampled_from([b"", b"BEGIN:VCALENDAR\r\n--=_\r\nEND:VCALENDAR\r\n"]),
)
def test_whatever_is_in_a_mail_stays_where_it_was_put(
    texts: tuple[str, str, str],
    addresses: tuple[tuple[str, ...], tuple[str, ...]],
    files: list[tuple[str, str]],
    invitation: bytes,
) -> None:
    """Copies, HTML, files and an invitation arrive as what they were; none adds a header, or a part."""
    subject, body, html = texts
    cc, reply_to = addresses
    mail = Mail(SENDER, ["ann@example.com"], subject, body, cc, reply_to, html, invitation, files)
    content = composed(mail)
    assert max(map(len, content.split(b"\r\n"))) <= 78
    message = parse(content)
    assert str(message["Subject"]) == subject
    copies = {name: named for name, named in (("Cc", cc), ("Reply-To", reply_to)) if named}
    assert message.keys()[: 5 + len(copies)] == ["From", "To", *copies, "Subject", "Date", "Message-ID"]
    for name, named in copies.items():
        assert "\r\n{}: {}\r\n".format(name, ",\r\n ".join(named)).encode() in content
    parts = [each for each in message.walk() if not each.is_multipart()]
    shown = ["text/plain", *(["text/html"] if html else []), *(["text/calendar"] if invitation else [])]
    assert [each.get_content_type() for each in parts[: len(shown)]] == shown
    attached = [(each.get_filename(), each.get_payload(decode=True)) for each in parts[len(shown) :]]
    assert attached == [(name, text.encode()) for name, text in files]


def test_an_invitation_says_in_its_type_what_it_asks() -> None:
    """RFC 6047 section 2.4: by this parameter a reader's program shows something to answer."""
    [_, part] = parse(composed(Mail(SENDER, ["ann@example.com"], "hi", "hi", invitation=b"BEGIN:"))).iter_parts()
    assert (part.get_content_type(), part.get_param("method"), part.get_param("charset")) == (
        "text/calendar",
        "REQUEST",
        "utf-8",
    )


def test_fifty_recipients_are_folded() -> None:
    """Every recipient is in the header, one a line."""
    to = tuple(f"recipient.number.{number}@example.com" for number in range(50))
    content = compose_one(to=to)
    assert [each.addr_spec for each in parse(content)["To"].addresses] == list(to)
