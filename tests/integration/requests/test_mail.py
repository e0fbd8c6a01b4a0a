"""Requests that find somebody and write to them, over a real mail server."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import JsonValue
from temporalio.client import Client

from tests.conftest import running_worker, settings_for
from tests.integration.requests.asking import ask
from tests.scripted_model import ScriptedModel, call, calls, say
from tests.unit.tools.mailing import Inbox, serving
from workflows.contract.api import ReceiptStatus
from workflows.contract.values import Arguments

ANN, BOB, TYPO = "ann@example.com", "bob@corp.test", "bob@crop.test"
YEAR = datetime.now(UTC).year + 1


async def test_mail_goes_to_whom_the_contacts_name_and_to_nobody_else(
    client: Client, model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A yes in advance is for addresses that were found: a blind copy with a slip of the model's does not go out."""
    (tmp_path / "contacts.csv").write_text(f"name,email\nAnn,{ANN}\nBob,{BOB}\n")
    monkeypatch.setenv("ERRAND_CONTACTS", str(tmp_path / "contacts.csv"))
    file: JsonValue = {"name": "prices.csv", "content": "a;b\n1;2\n"}
    mail: Arguments = {"to": [ANN], "subject": "Prices", "body": "See the file.", "attachments": [file]}
    start = f"{YEAR}-07-01T14:00:00"
    appointment: Arguments = {"to": [ANN, BOB], "title": "Prices", "start": start, "zone": "Europe/Paris"}
    text = f"Send Ann the prices, Bob a blind copy, and invite both for {start}"
    model.scripts[text] = [
        calls(call("find_contact", name="ann"), call("find_contact", name="bob")),
        calls(call("compose_email", **mail, bcc=[TYPO])),
        calls(call("compose_email", **mail, bcc=[BOB])),
        calls(call("send_invitation", **appointment)),
        say("I emailed Ann and invited her; the server does not take mail for Bob."),
    ]
    inbox = Inbox()
    inbox.refused = {BOB}
    with serving(inbox) as server:
        settings = settings_for(model, smtp_url=server.smtp_url, mail_from=server.mail_from)
        async with running_worker(client, settings):
            outcome = await ask(client, settings, text, approve=("compose_email", "send_invitation"))

    sent = [receipt for receipt in outcome.receipts if receipt.effect == "write" and receipt.status == "done"]
    assert [receipt.tool for receipt in sent] == ["compose_email", "send_invitation"]
    for receipt in sent:
        assert isinstance(receipt.result, dict)
        assert receipt.result["accepted"] == [ANN]
        assert receipt.result["refused"] == {BOB: "550 5.1.1 No such user"}
    assert all(TYPO not in str(each.arguments) for each in sent)
    assert [each.rcpt_tos for each in inbox.envelopes] == [[ANN], [ANN]]
    prices, invitation = inbox.messages
    assert [each.get_filename() for each in prices.iter_attachments()] == ["prices.csv"]
    assert invitation.get_content_type() == "multipart/alternative"
    assert outcome.unsupported_claims == ()
    assert {receipt.status for receipt in outcome.receipts} <= {ReceiptStatus.DONE, ReceiptStatus.INVALID}


async def test_the_same_mail_by_another_tool_is_the_same_mail(client: Client, model: ScriptedModel) -> None:
    """What a model has sent, or may have, it does not send again another way without being asked back."""
    text = f"Mail {ANN} the news"
    mail: Arguments = {"to": [ANN], "subject": "News", "body": "None."}
    model.scripts[text] = [calls(call("send_email", **mail)), calls(call("compose_email", **mail)), say("Sent.")]
    inbox = Inbox()
    with serving(inbox) as server:
        settings = settings_for(model, smtp_url=server.smtp_url, mail_from=server.mail_from)
        async with running_worker(client, settings):
            outcome = await ask(client, settings, text, approve=("*",))
    first, second = outcome.receipts
    assert (first.status, second.status) == (ReceiptStatus.DONE, ReceiptStatus.INVALID)
    assert "call it again if that is asked for" in (second.error or "")
    assert len(inbox.envelopes) == 1
