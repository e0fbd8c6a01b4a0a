"""http_get and http_request: only where the settings allow it, once, and with secrets that nobody sees."""

import json

import pytest
from temporalio.client import Client

from tests.conftest import running_worker, settings_for
from tests.integration.http.faulty_server import Stage, answered, faulty_server
from tests.integration.requests.asking import ask
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import ReceiptStatus


async def test_a_write_is_done_once_with_the_header_of_its_host(
    client: Client, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_TOKEN", "Bearer s3cr3t-of-the-crm")
    async with faulty_server(Stage.ANSWER, answered(201, '{"id": 7, "echo": "s3cr3t-of-the-crm"}')) as crm:
        model.scripts[f"Open it at {crm.url}"] = [
            calls(call("http_request", method="POST", url=crm.url, body={"a": 1})),
            say("Done."),
        ]
        settings = settings_for(
            model, http_hosts=("127.0.0.1",), http_private=True, http_headers=("127.0.0.1/Authorization=CRM_TOKEN",)
        )
        async with running_worker(client, settings):
            outcome = await ask(client, settings, f"Open it at {crm.url}", approve=("*",))
    [receipt] = outcome.receipts
    assert (receipt.status, receipt.result) == (
        ReceiptStatus.DONE,
        {"status": 201, "body": {"id": 7, "echo": "[redacted]"}},
    )
    [taken] = crm.taken
    assert "authorization: bearer s3cr3t" in taken.lower()
    assert json.loads(taken.partition("\r\n\r\n")[2]) == {"a": 1}


async def test_an_answer_that_never_came_is_unknown_and_nothing_is_sent_again(
    client: Client, model: ScriptedModel
) -> None:
    async with faulty_server(Stage.HANG_UP_AFTER_READING) as crm:
        model.scripts[f"Open it at {crm.url}"] = [
            calls(call("http_request", method="POST", url=crm.url)),
            say("I do not know."),
        ]
        settings = settings_for(model, http_hosts=("127.0.0.1",), http_private=True)
        async with running_worker(client, settings):
            outcome = await ask(client, settings, f"Open it at {crm.url}", approve=("*",))
    assert [each.status for each in outcome.receipts] == [ReceiptStatus.UNKNOWN]
    assert len(crm.taken) == 1


@pytest.mark.parametrize(
    ("hosts", "private", "why"),
    [(("example.com",), True, "not among the hosts"), (("127.0.0.1",), False, "not allowed|no public address")],
)
async def test_other_hosts_and_private_addresses_are_refused(
    client: Client, model: ScriptedModel, hosts: tuple[str, ...], private: bool, why: str
) -> None:
    async with faulty_server() as inside:
        model.scripts["Look"] = [calls(call("http_get", url=inside.url)), say("It may not be.")]
        settings = settings_for(model, http_hosts=hosts, http_private=private)
        async with running_worker(client, settings):
            outcome = await ask(client, settings, "Look")
    [receipt] = outcome.receipts
    assert receipt.status is ReceiptStatus.FAILED
    assert any(each in (receipt.error or "") for each in why.split("|"))
    assert inside.taken == []
