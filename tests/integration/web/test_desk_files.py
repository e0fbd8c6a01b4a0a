"""A file that the worker made of a result: whoever approves the mail sees it, and it is what arrives."""

import base64

from pydantic import JsonValue
from temporalio.client import Client

from activities.settings import Settings
from tests.conftest import running_worker, settings_for
from tests.integration.web.conftest import Door, outcome, submitted
from tests.integration.web.desk import at_the_desk
from tests.integration.web.test_approvals import APPROVER, waiting
from tests.scripted_model import ScriptedModel, call, calls, say
from tests.unit.smtp.fake_smtp import fake_smtp

FOUND = '{\n  "word": "tree",\n  "meaning": "the meaning of tree"\n}\n'
FILES: JsonValue = [{"name": "tree.json", "from_result": "look_up"}]


async def test_a_file_made_of_a_result_is_seen_whole_approved_and_arrives_as_it_was_seen(
    client: Client, door: Door, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Mail ann@example.com what a tree is."] = [
        calls(call("look_up", word="tree")),
        calls(call("compose_email", to=["ann@example.com"], subject="A tree", body="See the file.", attachments=FILES)),
        say("Sent."),
    ]
    async with fake_smtp() as smtp, door.caller("ann") as ann, at_the_desk(door, "bob", *APPROVER) as bob:
        mailing = settings_for(
            model,
            smtp_url=f"smtp+plain://127.0.0.1:{smtp.port}",
            mail_from="errand@example.com",
            task_queue=settings.worker.task_queue,
        )
        async with running_worker(client, mailing):
            request_id = await submitted(ann, "Mail ann@example.com what a tree is.")
            pending = await waiting(ann, request_id)
            page = await bob.page(f"/requests/{request_id}")
            await bob.fill(f"/requests/{request_id}/approvals/2.1", decision="approve")
            ended = await outcome(ann, request_id)
    [mail] = smtp.messages
    assert pending.arguments["attachments"] == [{"name": "tree.json", "content": FOUND}]
    assert "<strong>tree.json</strong>" in page
    assert "&#34;meaning&#34;: &#34;the meaning of tree&#34;" in page
    assert base64.encodebytes(FOUND.encode()).replace(b"\n", b"\r\n") in mail
    assert [each.status for each in ended.receipts] == ["done", "done"]
