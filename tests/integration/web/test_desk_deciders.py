"""The desk shows nobody a button that would be refused: it says why instead."""

from pathlib import Path
from urllib.parse import unquote

import pytest
from temporalio.client import Client

from activities.settings import Settings
from deploy.client.keys import Right
from tests.conftest import running_worker, settings_for
from tests.integration.web.conftest import Door, outcome, submitted
from tests.integration.web.desk import at_the_desk
from tests.integration.web.test_approvals import APPROVER, TREE, waiting
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel

POLICY = """four_eyes = true

[approvals]
approvers = ["*@example.com"]
"""
APPROVE, REJECT = 'value="approve"', 'value="reject"'


@pytest.fixture(autouse=True)
def _sample_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERRAND_TOOLS", "tests.sample_tools")


@pytest.fixture
def strict(settings: Settings, model: ScriptedModel, tmp_path: Path) -> Settings:
    (tmp_path / "policy.toml").write_text(POLICY)
    return settings_for(model, policy=tmp_path / "policy.toml", task_queue=settings.worker.task_queue)


async def test_who_may_not_decide_sees_the_reason_and_no_buttons(
    client: Client, door: Door, strict: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write."] = TREE
    async with (
        running_worker(client, strict),
        door.caller("ann@example.com", [Right.ADMIN]) as ann,
        at_the_desk(door, "carl", *APPROVER) as stranger,
        at_the_desk(door, "dan@example.com", Right.READ_ALL) as reader,
        at_the_desk(door, "bob@example.com", *APPROVER) as bob,
    ):
        request_id = await submitted(ann, "Write.")
        await waiting(ann, request_id)
        at, key = f"/requests/{request_id}", f"/requests/{request_id}/approvals/1.1"
        seen = [await desk.page(at) for desk in (stranger, reader, bob)]
        refused = await stranger.page(f"{key}/edit", status=403)
        await bob.fill(key, at, decision="approve")
        ended = await outcome(ann, request_id)
    assert [(APPROVE in page, REJECT in page) for page in seen] == [(False, False), (False, False), (True, True)]
    assert "You cannot approve it: the policy lets *@example.com decide about it, and not carl." in seen[0]
    assert "You cannot approve it: dan@example.com has no right to approve." in seen[1]
    assert "the policy lets *@example.com decide about it, and not carl" in refused
    assert ended.receipts[0].approved_by == "bob@example.com"


async def test_who_asked_may_reject_their_own_call_where_they_cannot_approve_it(
    client: Client, door: Door, strict: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write."] = TREE
    async with (
        running_worker(client, strict),
        at_the_desk(door, "ann@example.com", Right.ADMIN) as ann,
        door.caller("bob", [Right.READ_ALL]) as bob,
    ):
        at = (await ann.fill("/requests", text="Write.")).headers["Location"]
        request_id = unquote(at.removeprefix("/requests/"))
        await waiting(bob, request_id)
        page = await ann.page(at)
        await ann.fill(f"{at}/approvals/1.1", at, decision="reject", reason="not today")
        ended = await outcome(bob, request_id)
    assert (APPROVE in page, REJECT in page) == (False, True)
    assert "ann@example.com asked for it, and the policy wants the yes of somebody else." in page
    assert ended.receipts[0].error == "rejected by ann@example.com: not today"
    assert happened.done("write_down") == []
