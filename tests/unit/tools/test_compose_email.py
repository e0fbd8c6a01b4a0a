"""compose_email, against a real SMTP server."""

import json

import pytest
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError

from activities.execution.writes import write_of
from activities.ledger.ledger import Ledger
from activities.settings.mail import MailSettings
from activities.smtp.sending import SentEmail
from activities.toolkit.tool import tool_of
from activities.tools.compose_email import compose_email
from activities.tools.mail import send_email
from tests.unit.tools import mailing
from tests.unit.tools.mailing import Inbox, serving
from workflows.contract.internal import ToolCall, ToolResult
from workflows.contract.values import Arguments

ANN, BOB, EVE = "ann@example.com", "bob@corp.test", "eve@example.com"
FOREIGN = "änn@example.com"
FILES = {"Übersicht März.csv": "Ärger;Wert\r\n=1+1;2\n", "data.json": '{"a": "ü"}', "notes.txt": "--=_\n."}


async def run(settings: MailSettings, ledger: Ledger, changes: Arguments | None = None) -> ToolResult:
    filled: Arguments = {"to": [ANN], "subject": "hi", "body": "hello"}
    return await mailing.run(compose_email, filled | (changes or {}), settings, ledger)


def sent(result: ToolResult) -> SentEmail:
    return SentEmail.model_validate_json(json.dumps(result.value))


async def test_without_more_it_is_the_mail_of_send_email(settings: MailSettings, ledger: Ledger, inbox: Inbox) -> None:
    """What is not asked for leaves no trace in the message."""
    await run(settings, ledger)
    [message] = inbox.messages
    assert message.keys() == [
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
        *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    ]
    assert message.get_content_type() == "text/plain"


async def test_copies_arrive(settings: MailSettings, ledger: Ledger, inbox: Inbox) -> None:
    """Copies and blind copies go to whom they are meant for, and replies to whom they should."""
    result = await run(settings, ledger, {"cc": [BOB], "bcc": [EVE], "reply_to": ["desk@example.com"]})
    assert inbox.envelopes[0].rcpt_tos == [ANN, BOB, EVE]
    [message] = inbox.messages
    assert (message["To"], message["Cc"], message["Reply-To"]) == (ANN, BOB, "desk@example.com")
    assert sent(result).accepted == (ANN, BOB, EVE)


async def test_nobody_reads_of_a_blind_copy(settings: MailSettings, ledger: Ledger, inbox: Inbox) -> None:
    """The address of a blind copy is nowhere in the message."""
    await run(settings, ledger, {"bcc": [EVE]})
    assert EVE in inbox.envelopes[0].rcpt_tos
    content = inbox.envelopes[0].content
    assert isinstance(content, bytes)
    assert b"eve" not in content.lower()
    assert b"bcc" not in content.lower()


async def test_whoever_is_named_twice_gets_it_once(settings: MailSettings, ledger: Ledger, inbox: Inbox) -> None:
    await run(settings, ledger, {"cc": [BOB, ANN], "bcc": [BOB, "bob@CORP.test"]})
    assert inbox.envelopes[0].rcpt_tos == [ANN, BOB]


async def test_html_stands_beside_the_text(settings: MailSettings, ledger: Ledger, inbox: Inbox) -> None:
    """A reader's program chooses between the two; what runs or loads is in neither."""
    html = '<h1 style="color:red">Grüße</h1><script>alert(1)</script><img src="https://track.test/x.gif">'
    await run(settings, ledger, {"html": html})
    [message] = inbox.messages
    assert message.get_content_type() == "multipart/alternative"
    text, shown = message.iter_parts()
    assert (text.get_content_type(), text.get_content().strip()) == ("text/plain", "hello")
    assert (shown.get_content_type(), shown.get_content().strip()) == ("text/html", '<h1 style="color:red">Grüße</h1>')


async def test_a_person_is_asked_about_the_html_that_goes_out() -> None:
    """What is taken out is taken out of the arguments, before anybody is asked."""
    tool = tool_of(compose_email)
    assert tool is not None
    given: Arguments = {"to": [ANN], "subject": "hi", "body": "hello", "html": "<p onclick=go()>hi"}
    assert tool.validate(given).given["html"] == "<p>hi</p>"


async def test_files_arrive_as_they_were(settings: MailSettings, ledger: Ledger, inbox: Inbox) -> None:
    """Byte for byte, under their names, each with the type of what it is; the text stands before them."""
    files: list[JsonValue] = [{"name": name, "content": content} for name, content in FILES.items()]
    await run(settings, ledger, {"attachments": files, "html": "<p>hi</p>"})
    [message] = inbox.messages
    assert message.get_content_type() == "multipart/mixed"
    body, *attached = message.iter_parts()
    assert body.get_content_type() == "multipart/alternative"
    contents = [each.get_payload(decode=True) for each in attached]
    got = [{"name": each.get_filename(), "content": part} for each, part in zip(attached, contents, strict=True)]
    assert got == [{"name": name, "content": content.encode()} for name, content in FILES.items()]
    assert [each.get_content_type() for each in attached] == ["text/csv", "application/json", "text/plain"]
    assert [each.get_content_disposition() for each in attached] == ["attachment"] * 3


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
async def test_a_recipient_that_is_refused_is_not_among_the_accepted(
    settings: MailSettings, ledger: Ledger, inbox: Inbox, field: str
) -> None:
    """Wherever it stands: the receipt names it with the server's words, and the message goes to the others."""
    inbox.refused = {EVE}
    named: Arguments = {"to": [ANN], "cc": [BOB], "bcc": ["dan@example.com"]}
    values = named[field]
    assert isinstance(values, list)
    named[field] = [*values, EVE]
    result = await run(settings, ledger, named)
    assert sent(result).accepted == (ANN, BOB, "dan@example.com")
    assert sent(result).refused == {EVE: "550 5.1.1 No such user"}
    assert inbox.envelopes[0].rcpt_tos == [ANN, BOB, "dan@example.com"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"cc": ["Bob <bob@corp.test>"]},
        {"bcc": ["bob@corp.test\r\nCc: eve@evil.test"]},
        {"reply_to": ["bob"]},
        {"cc": [f"a{number}@example.com" for number in range(26)]},
        {"attachments": [{"name": "run.exe", "content": ""}]},
        {"attachments": [{"name": "page.html", "content": ""}]},
        {"attachments": [{"name": 'a"; x="y.csv', "content": ""}]},
        {"attachments": [{"name": "a\r\nBcc: eve@evil.test.csv", "content": ""}]},
        {"attachments": [{"name": "../a.csv", "content": ""}]},
        {"attachments": [{"name": "vsc\u202egnp.csv", "content": ""}]},
        {"attachments": [{"name": ".csv", "content": ""}]},
        {"attachments": [{"name": "a" * 57 + ".csv", "content": ""}]},
        {"attachments": [{"name": "a.json", "content": "{"}]},
        {"attachments": [{"name": "a.json", "content": '{"a": NaN}'}]},
        {"attachments": [{"name": "a.json", "content": "[-Infinity]"}]},
    ],
)
async def test_what_cannot_be_sent_goes_back_to_the_model(
    settings: MailSettings, ledger: Ledger, inbox: Inbox, arguments: Arguments
) -> None:
    with pytest.raises(ApplicationError) as error:
        await run(settings, ledger, arguments)
    assert error.value.type == "InvalidArguments"
    assert not inbox.envelopes


@pytest.mark.parametrize("field", ["to", "cc", "bcc", "reply_to"])
async def test_an_address_of_any_script_goes_to_a_server_that_takes_it(
    inbox: Inbox, ledger: Ledger, field: str
) -> None:
    """In the envelope and in the header as it is written."""
    with serving(inbox, utf8=True) as settings:
        result = await run(settings, ledger, {field: [FOREIGN]})
    recipients = [] if field == "reply_to" else [FOREIGN]
    assert [each for each in sent(result).accepted if not each.isascii()] == recipients
    assert [each for each in inbox.envelopes[0].rcpt_tos if not each.isascii()] == recipients
    assert "SMTPUTF8" in inbox.envelopes[0].mail_options
    header = {"to": "To", "cc": "Cc", "reply_to": "Reply-To"}.get(field)
    content = inbox.envelopes[0].content
    assert isinstance(content, bytes)
    assert (f"{header}: {FOREIGN}\r\n".encode() in content) == (header is not None)


@pytest.mark.parametrize("function", [compose_email, send_email])
async def test_a_server_that_does_not_take_it_is_said_not_to(
    settings: MailSettings, ledger: Ledger, inbox: Inbox, function: object
) -> None:
    """It is an address, and this server cannot: nobody gets anything, also not those whom it could reach."""
    arguments: Arguments = {"to": [ANN, FOREIGN], "subject": "hi", "body": "hello"}
    with pytest.raises(ApplicationError, match=f"{FOREIGN}.* not supported by this server.*nothing was sent") as error:
        await mailing.run(function, arguments, settings, ledger)
    assert error.value.type == "ServiceRefused"
    assert not inbox.envelopes


async def test_ascii_asks_a_server_for_nothing_more(inbox: Inbox, ledger: Ledger) -> None:
    """A server that could take other addresses is not told of any: whoever it passes the mail on to may not."""
    with serving(inbox, utf8=True) as settings:
        await run(settings, ledger, {"to": ["ann@bücher.example"], "subject": "☀", "body": "ü"})
    assert inbox.envelopes[0].mail_options == []
    assert inbox.envelopes[0].rcpt_tos == ["ann@xn--bcher-kva.example"]


def test_to_the_ledger_it_is_like_a_mail_of_send_email_to_the_same_people() -> None:
    """Whatever else it has; with a copy to somebody it is another mail."""

    def likeness(function: object, **more: JsonValue) -> str:
        made = tool_of(function)
        assert made is not None
        arguments: Arguments = {"to": [ANN], "subject": "hi", "body": "hello"}
        return write_of(ToolCall(key="r/1.0", tool=made.name, arguments=arguments | more), made).likeness

    assert likeness(compose_email, html="<p>hi</p>", reply_to=[BOB], cc=[]) == likeness(send_email)
    assert likeness(compose_email, cc=[BOB]) != likeness(send_email)
