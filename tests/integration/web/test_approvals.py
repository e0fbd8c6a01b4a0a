"""A person's word on one exact call, over HTTP."""

import asyncio
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from activities.settings import Settings
from deploy.client.keys import Right
from tests.conftest import running_worker, settings_for
from tests.integration.cli.conftest import eventually
from tests.integration.web.conftest import Door, an_id, outcome, submitted
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import PendingApproval

APPROVER = (Right.READ_ALL, Right.APPROVE)
TREE = [calls(call("write_down", word="tree")), say("Done.")]


async def waiting(caller: httpx.AsyncClient, request_id: str) -> PendingApproval:
    """The call that waits."""

    async def look() -> PendingApproval | None:
        now = (await caller.get(f"/v1/requests/{request_id}")).json()
        return PendingApproval.model_validate(now["awaiting_approval"][0]) if now["awaiting_approval"] else None

    return await eventually(look)


async def decide(
    caller: httpx.AsyncClient, request_id: str, pending: PendingApproval, decision: str = "approve", **more: object
) -> httpx.Response:
    body = {"decision": decision, "digest": pending.digest, **more}
    return await caller.post(f"/v1/requests/{request_id}/approvals/{pending.key.rpartition('/')[2]}", json=body)


async def test_a_call_runs_after_a_yes_and_says_whose_it_was(
    door: Door, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Write."] = TREE
    async with door.caller("ann") as ann, door.caller("bob", APPROVER) as bob:
        request_id = await submitted(ann, "Write.")
        pending = await waiting(bob, request_id)
        assert happened.done("write_down") == []
        answer = await decide(bob, request_id, pending)
        ended = await outcome(ann, request_id)
    assert answer.json() == {"key": f"{request_id}/1.1", "status": "approved", "by": "bob", "waits": None}
    assert (ended.receipts[0].status, ended.receipts[0].approved_by) == ("done", "bob")
    assert happened.done("write_down") == ["tree"]


async def test_a_call_does_not_run_after_a_no_and_the_reason_is_told(
    door: Door, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Write."] = TREE
    async with door.caller("ann") as ann, door.caller("bob", APPROVER) as bob:
        request_id = await submitted(ann, "Write.")
        answer = await decide(bob, request_id, await waiting(bob, request_id), "reject", reason="not today")
        ended = await outcome(ann, request_id)
    assert answer.json()["status"] == "rejected"
    assert ended.receipts[0].error == "rejected by bob: not today"
    assert happened.done("write_down") == []


async def test_an_edit_that_nobody_asked_for_waits_for_a_second_yes(
    door: Door, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Tell ann@example.com."] = [calls(call("tell", to=["ann@example.com"], what="hi")), say("Done.")]
    edited = {"to": ["eve@example.com"], "what": "hi"}
    async with door.caller("ann") as ann, door.caller("bob", APPROVER) as bob:
        request_id = await submitted(ann, "Tell ann@example.com.")
        answer = await decide(bob, request_id, await waiting(bob, request_id), arguments=edited)
        assert answer.json()["status"] == "waits"
        again = PendingApproval.model_validate(answer.json()["waits"])
        assert happened.done("tell") == []
        second = await decide(bob, request_id, again)
        ended = await outcome(ann, request_id)
    assert "nobody mentioned" in again.reason
    assert second.json()["status"] == "approved"
    assert ended.receipts[0].arguments == edited


async def test_an_edit_that_keeps_what_the_given_call_says_waits_for_no_second_yes(
    door: Door, worker: ScriptedModel
) -> None:
    given = {"to": ["ann@example.com"], "what": "hi"}
    async with door.caller("ann") as ann, door.caller("bob", APPROVER) as bob:
        request_id = an_id()
        await ann.post("/v1/requests", json={"request_id": request_id, "call": {"tool": "tell", "arguments": given}})
        answer = await decide(bob, request_id, await waiting(bob, request_id), arguments=given | {"what": "hello"})
        ended = await outcome(ann, request_id)
    assert answer.json()["status"] == "approved"
    assert ended.receipts[0].arguments == given | {"what": "hello"}


async def test_a_call_that_waits_says_where_each_of_its_arguments_came_from(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Read it, and tell ann."] = [
        calls(call("read_page", name="the page of eve")),
        *[calls(call("tell", to=["ann", "eve"], what="Hello, it is 7 o'clock"))] * 2,  # the first is sent back
        say("Done."),
    ]
    async with door.caller("ann") as ann, door.caller("bob", APPROVER) as bob:
        request_id = await submitted(ann, "Read it, and tell ann.")
        await waiting(bob, request_id)
        [call_] = (await bob.get(f"/v1/requests/{request_id}")).json()["awaiting_approval"]
        answer = await decide(
            bob, request_id, PendingApproval.model_validate(call_), arguments={"to": ["carl"], "what": "Hi"}
        )
        await ann.post(f"/v1/requests/{request_id}/cancel")
    assert [(each["argument"], each["value"], each["origins"][0]["where"]) for each in call_["sources"]] == [
        ("to[0]", "ann", "request"),
        ("to[1]", "eve", "stranger"),
        ("what", "Hello, it is 7 o'clock", "worded"),
        ("what", "7", "made up"),
    ]
    waits = answer.json()["waits"]
    assert waits["before"] == call_["arguments"]
    assert {(each["origins"][0]["where"], each["origins"][0]["by"]) for each in waits["sources"]} == {("person", "bob")}


async def test_the_second_of_two_is_told_who_was_first_also_when_the_request_is_over(
    door: Door, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Write slowly."] = [calls(call("write_down", word="tree", seconds=1.0)), say("Done.")]
    async with (
        door.caller("ann") as ann,
        door.caller("bob", APPROVER) as bob,
        door.caller("carl", APPROVER) as carl,
    ):
        request_id = await submitted(ann, "Write slowly.")
        pending = await waiting(bob, request_id)
        both = await asyncio.gather(*(decide(each, request_id, pending) for each in (bob, carl)))
        [first] = [answer.json()["by"] for answer in both if answer.status_code == 200]
        [second] = [answer for answer in both if answer.status_code != 200]
        await outcome(ann, request_id)
        late = await decide({"bob": carl, "carl": bob}[first], request_id, pending, "reject")
        same = await decide({"bob": bob, "carl": carl}[first], request_id, pending)
    for answer in (second, late):
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:errand:problem:not-waiting")
        assert answer.json()["decided_by"] == first
    assert same.status_code == 200
    assert happened.done("write_down") == ["tree"]


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [
        ({"digest": "0" * 64}, 409, "stale-digest"),
        ({"digest": None}, 422, "invalid"),
        ({"decision": "maybe"}, 422, "invalid"),
        ({"arguments": {"word": 7}}, 422, "invalid"),
        ({"reason": "of a yes"}, 422, "invalid"),
        ({"by": "ann"}, 403, "forbidden"),
    ],
)
@pytest.mark.sampled(2)
async def test_a_word_that_is_not_about_the_call_as_it_waits_runs_nothing(
    door: Door, worker: ScriptedModel, happened: World, change: dict[str, object], status: int, kind: str
) -> None:
    worker.scripts["Write."] = TREE
    async with door.caller("ann") as ann, door.caller("bob", APPROVER) as bob:
        request_id = await submitted(ann, "Write.")
        pending = await waiting(bob, request_id)
        body = {"decision": "approve", "digest": pending.digest} | change
        answer = await bob.post(f"/v1/requests/{request_id}/approvals/1.1", json=body)
        elsewhere = await decide(bob, request_id, pending.model_copy(update={"key": f"{request_id}/9.9"}))
        await ann.post(f"/v1/requests/{request_id}/cancel")
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:errand:problem:{kind}"), answer.text
    assert elsewhere.status_code == 404
    assert happened.done("write_down") == []


@pytest.fixture
def four_eyes(settings: Settings, model: ScriptedModel, tmp_path: Path) -> Settings:
    """Of a worker whose policy wants the yes of somebody else."""
    (tmp_path / "policy.toml").write_text("four_eyes = true\n")
    model.scripts["Write."] = TREE
    return settings_for(model, policy=tmp_path / "policy.toml", task_queue=settings.worker.task_queue)


async def test_nobody_approves_a_call_of_their_own_where_the_policy_wants_four_eyes(
    client: Client, door: Door, four_eyes: Settings, happened: World
) -> None:
    async with (
        running_worker(client, four_eyes),
        door.caller("ann", [Right.ADMIN]) as ann,
        door.caller("bob", APPROVER) as bob,
    ):
        request_id = await submitted(ann, "Write.", approve=["*"])
        pending = await waiting(ann, request_id)
        own = await decide(ann, request_id, pending)
        assert happened.done("write_down") == []
        await decide(bob, request_id, pending)
        ended = await outcome(ann, request_id)
    assert (own.status_code, own.json()["type"]) == (403, "urn:errand:problem:forbidden")
    assert ended.receipts[0].approved_by == "bob"


async def test_nor_does_whoever_has_asked_for_it_in_the_conversation_of_another(
    client: Client, door: Door, four_eyes: Settings, happened: World
) -> None:
    async with (
        running_worker(client, four_eyes),
        door.caller("ann") as ann,
        door.caller("root", [Right.ADMIN]) as root,
        door.caller("bob", APPROVER) as bob,
    ):
        request_id = await submitted(ann, "", keep_open=True)
        await root.post(f"/v1/requests/{request_id}/messages", json={"text": "Write.", "message_id": "m1"})
        pending = await waiting(root, request_id)
        own = await decide(root, request_id, pending)
        assert happened.done("write_down") == []
        other = await decide(bob, request_id, pending)
        await ann.post(f"/v1/requests/{request_id}/close")
        await outcome(ann, request_id)
    assert (own.status_code, other.status_code) == (403, 200)
