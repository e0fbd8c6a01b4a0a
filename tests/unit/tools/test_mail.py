"""send_email, against a real SMTP server."""

import socket
from collections.abc import Generator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.catalogue import as_activity
from activities.errors import ConfigurationError
from activities.mail import address, send_email
from activities.settings import Settings
from activities.tool import tool_of
from workflows.contract import Arguments, ToolCall, ToolResult


class Inbox:
    """A handler of aiosmtpd that keeps what comes."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        return "250 2.0.0 Ok: queued as 4F2A"

    @property
    def messages(self) -> list[EmailMessage]:
        parser = BytesParser(policy=policy.default)
        return [parser.parsebytes(cast(bytes, each.content)) for each in self.envelopes]


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def settings(inbox: Inbox) -> Generator[Settings]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, ready_timeout=10)
    controller.start()
    try:
        yield Settings(smtp_url=SecretStr(f"smtp+plain://127.0.0.1:{port}"), mail_from="Errand <errand@example.com>")
    finally:
        controller.stop()


async def run(settings: Settings, changes: Arguments | None = None, *, key: str = "r/1.0") -> ToolResult:
    tool = tool_of(send_email)
    assert tool is not None
    filled: Arguments = {"to": ["ann@example.com"], "subject": "hi", "body": "hello"}
    call = ToolCall(key=key, tool="send_email", arguments=filled | (changes or {}))
    return await ActivityEnvironment().run(as_activity(tool, {Settings: settings}), call)


async def test_a_message_arrives(settings: Settings, inbox: Inbox) -> None:
    """What was asked for arrives at everybody it was asked for, and the receipt has the server's word."""
    asked: Arguments = {
        "to": ["ann@example.com", "bob@CORP.test"],
        "subject": "Wetter: schön ☀",
        "body": "Grüße,\n.\nE",
    }
    result = await run(settings, asked)

    message, envelope = inbox.messages[0], inbox.envelopes[0]
    assert envelope.mail_from == "errand@example.com"
    assert envelope.rcpt_tos == ["ann@example.com", "bob@corp.test"]
    assert message["From"] == "Errand <errand@example.com>"
    assert message["To"] == "ann@example.com, bob@corp.test"
    assert message["Subject"] == "Wetter: schön ☀"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().splitlines() == ["Grüße,", ".", "E"]
    assert result.value == {
        "message_id": message["Message-ID"],
        "accepted": ["ann@example.com", "bob@corp.test"],
        "server_reply": "250 2.0.0 Ok: queued as 4F2A",
    }


async def test_one_call_has_one_message_id(settings: Settings, inbox: Inbox) -> None:
    """The Message-ID follows from the call's key: the same call gives the same one, another call another."""
    for key in ("r/1.0", "r/1.0", "r/1.1"):
        await run(settings, key=key)
    first, again, other = (each["Message-ID"] for each in inbox.messages)
    assert first == again != other
    assert first.endswith("@example.com>")


async def test_nobody_gets_it_twice(settings: Settings, inbox: Inbox) -> None:
    """Addresses that differ only in the case of their domain are one; the part before the @ keeps its case."""
    await run(settings, {"to": ["ann@example.com", "ann@EXAMPLE.com", "Ann@example.com"]})
    assert inbox.envelopes[0].rcpt_tos == ["ann@example.com", "Ann@example.com"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"to": []},
        {"to": [f"a{number}@example.com" for number in range(51)]},
        {"to": "ann@example.com"},
        {"to": ["Ann <ann@example.com>"]},
        {"to": ["ann@example.com, eve@evil.test"]},
        {"subject": "hi\r\nBcc: eve@evil.test"},
        {"subject": "hi\u2028there"},
        {"subject": "x" * 501},
        {"body": "x" * 200_001},
    ],
)
async def test_what_cannot_be_sent_goes_back_to_the_model(
    settings: Settings, inbox: Inbox, arguments: Arguments
) -> None:
    """Arguments that do not fit are an error for the model to mend, and nobody is connected to."""
    with pytest.raises(ApplicationError) as error:
        await run(settings, arguments)
    assert error.value.type == "InvalidArguments"
    assert not inbox.envelopes


@pytest.mark.parametrize("sender", ["", "nobody", "Errand <errand at example.com>"])
async def test_a_sender_that_is_none_is_a_setting_to_mend(settings: Settings, sender: str) -> None:
    """A wrong sender is said to be the setting's fault."""
    with pytest.raises(ConfigurationError, match="ERRAND_MAIL_FROM"):
        await send_email(
            ["ann@example.com"],
            "hi",
            "hello",
            settings=settings.model_copy(update={"mail_from": sender}),
            call=ToolCall(key="r/1.0", tool="send_email", arguments={}),
        )


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ann@example.com", "ann@example.com"),
        ("bob@corp.test", "bob@corp.test"),
        ("root@localhost", "root@localhost"),
        ("it@dc1.corp.local", "it@dc1.corp.local"),
        ("a.b+c_d'e@Example.COM", "a.b+c_d'e@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("ann@example。com", "ann@example.com"),
    ],
)
def test_addresses(text: str, kept: str) -> None:
    """An address alone is kept, its domain in lower case and in ASCII; no domain is too special."""
    assert address(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@example.com",
        "ann@",
        "ann@example",
        "ann@example.com.",
        "ann@1.2.3.4",
        "ann@[127.0.0.1]",
        "ann@ex ample.com",
        "ann@-example.com",
        "ann@exa_mple.com",
        " ann@example.com",
        "ann@example.com\n",
        "ann@example.com>\r\nRCPT TO:<eve@evil.test",
        "eve@evil.test,ann@example.com",
        "eve@evil.test ann@example.com",
        "ann..b@example.com",
        ".ann@example.com",
        '"ann b"@example.com',
        "Ann <ann@example.com>",
        "<ann@example.com>",
        "ann(comment)@example.com",
        "änn@example.com",
        "=?utf-8?q?ann=0D=0A?=@example.com ",
        "a" * 65 + "@example.com",
        "ann@" + "a." * 130 + "com",
    ],
)
def test_what_is_no_address(text: str) -> None:
    """A name, a list, a comment, quotes, an IP address, a line break, a letter too many: none is an address."""
    with pytest.raises(ValueError, match="is not an address"):
        address(text)
