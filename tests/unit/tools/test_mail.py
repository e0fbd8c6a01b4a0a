"""send_email, against a real SMTP server."""

import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.errors import ConfigurationError, ServiceUnavailable, ToolError, Withdrawn
from activities.execution.act import Act, Fence
from activities.execution.tool_activities import write_activity
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from activities.settings.mail import MailSettings
from activities.smtp.connections import MailConnections
from activities.toolkit.tool import tool_of
from activities.tools.mail import address, send_email
from workflows.contract.internal import AttemptBeat, ToolCall, ToolResult
from workflows.contract.values import Arguments


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
def settings(inbox: Inbox) -> Generator[MailSettings]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, ready_timeout=10)
    controller.start()
    try:
        yield MailSettings(
            smtp_url=SecretStr(f"smtp+plain://127.0.0.1:{port}"), mail_from="Errand <errand@example.com>"
        )
    finally:
        controller.stop()


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncGenerator[Ledger]:
    opened = await Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    await opened.aclose()


async def counts(beat: AttemptBeat) -> None:
    """A fence that lets every attempt pass."""


async def run(
    settings: MailSettings,
    ledger: Ledger,
    changes: Arguments | None = None,
    *,
    key: str = "r/1.0",
    fence: Fence = counts,
) -> ToolResult:
    tool = tool_of(send_email)
    assert tool is not None
    filled: Arguments = {"to": ["ann@example.com"], "subject": "hi", "body": "hello"}
    call = ToolCall(key=key, tool="send_email", arguments=filled | (changes or {}), chain="5eed")
    async with aclosing(MailConnections()) as connections:
        provisions: dict[type, object] = {MailSettings: settings, MailConnections: connections}
        return await ActivityEnvironment().run(write_activity(tool, provisions, ledger, fence=fence), call)


async def test_a_message_arrives(settings: MailSettings, ledger: Ledger, inbox: Inbox) -> None:
    """What was asked for arrives at everybody it was asked for, and the receipt has the server's word."""
    asked: Arguments = {
        "to": ["ann@example.com", "bob@CORP.test"],
        "subject": "Wetter: schön ☀",
        "body": "Grüße,\n.\nE",
    }
    result = await run(settings, ledger, asked)

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


async def test_one_call_has_one_message_id(settings: MailSettings, inbox: Inbox, tmp_path: Path) -> None:
    """The Message-ID follows from the call's key: the same call gives the same one, another call another."""
    for number, key in enumerate(("r/1.0", "r/1.0", "r/1.1")):
        async with aclosing(await Ledger.open(f"sqlite:///{tmp_path}/{number}.db")) as ledger:
            await run(settings, ledger, key=key)
    first, again, other = (each["Message-ID"] for each in inbox.messages)
    assert first == again != other
    assert first.endswith("@example.com>")


async def test_an_attempt_after_it_was_sent_returns_what_the_server_said_then(
    settings: MailSettings, ledger: Ledger, inbox: Inbox
) -> None:
    """A second attempt of the same call sends nothing and has the same result."""
    first = await run(settings, ledger)
    assert await run(settings, ledger) == first
    assert len(inbox.envelopes) == 1


@pytest.mark.parametrize(("error", "kind"), [(Withdrawn, "Withdrawn"), (ServiceUnavailable, "ServiceUnavailable")])
async def test_what_must_not_be_sent_any_more_is_given_up_before_the_last_dot(
    settings: MailSettings, ledger: Ledger, inbox: Inbox, error: type[ToolError], kind: str
) -> None:
    """Where the request was cancelled or the attempt counts no more, the server never has the whole message."""

    async def fence(beat: AttemptBeat) -> None:
        raise error("no")

    with pytest.raises(ApplicationError) as raised:
        await run(settings, ledger, fence=fence)
    assert raised.value.type == kind
    assert not inbox.envelopes
    assert await ledger.find("r/1.0") is None


async def test_the_ledger_knows_what_the_server_said(settings: MailSettings, ledger: Ledger, inbox: Inbox) -> None:
    """The row of a message that was sent has the result that is on the receipt."""
    result = await run(settings, ledger)
    row = await ledger.find("r/1.0")
    assert row is not None
    assert (row.state, row.result) == (State.DONE, result.value)


async def test_nobody_gets_it_twice(settings: MailSettings, ledger: Ledger, inbox: Inbox) -> None:
    """Addresses that differ only in the case of their domain are one; the part before the @ keeps its case."""
    await run(settings, ledger, {"to": ["ann@example.com", "ann@EXAMPLE.com", "Ann@example.com"]})
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
    settings: MailSettings, ledger: Ledger, inbox: Inbox, arguments: Arguments
) -> None:
    """Arguments that do not fit are an error for the model to mend, and nobody is connected to."""
    with pytest.raises(ApplicationError) as error:
        await run(settings, ledger, arguments)
    assert error.value.type == "InvalidArguments"
    assert not inbox.envelopes


@pytest.mark.parametrize("sender", ["", "nobody", "Errand <errand at example.com>"])
async def test_a_sender_that_is_none_is_a_setting_to_mend(settings: MailSettings, ledger: Ledger, sender: str) -> None:
    """A wrong sender is said to be the setting's fault."""
    call = ToolCall(key="r/1.0", tool="send_email", arguments={})
    with pytest.raises(ConfigurationError, match="ERRAND_MAIL_FROM"):
        await send_email(
            ["ann@example.com"],
            "hi",
            "hello",
            settings=settings.model_copy(update={"mail_from": sender}),
            connections=MailConnections(),
            call=call,
            act=Act(ledger, Write(call), attempt=1, seen=None, fence=counts),
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
