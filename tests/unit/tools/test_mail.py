"""send_email, against a real SMTP server."""

from contextlib import aclosing

import pytest
from temporalio.exceptions import ApplicationError

from activities.errors import ConfigurationError, ServiceUnavailable, ToolError, Withdrawn
from activities.execution.act import Act, Fence
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from activities.settings.mail import MailSettings
from activities.smtp.connections import MailConnections
from activities.tools.mail import send_email
from tests.conftest import new_ledger
from tests.unit.tools import mailing
from tests.unit.tools.mailing import Inbox, counts
from workflows.contract.internal import AttemptBeat, ToolCall, ToolResult
from workflows.contract.values import Arguments


async def run(
    settings: MailSettings,
    ledger: Ledger,
    changes: Arguments | None = None,
    *,
    key: str = "r/1.0",
    fence: Fence = counts,
) -> ToolResult:
    filled: Arguments = {"to": ["ann@example.com"], "subject": "hi", "body": "hello"}
    return await mailing.run(send_email, filled | (changes or {}), settings, ledger, key=key, fence=fence)


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


async def test_one_call_has_one_message_id(settings: MailSettings, inbox: Inbox) -> None:
    """The Message-ID follows from the call's key: the same call gives the same one, another call another."""
    for key in ("r/1.0", "r/1.0", "r/1.1"):
        async with aclosing(await Ledger.open(new_ledger())) as ledger:
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
