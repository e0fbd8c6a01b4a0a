"""The steps of a request, as server-sent events."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from activities.settings import Settings
from deploy.client.keys import Right, add_key, remove_key
from deploy.web import events
from deploy.web.application import application
from deploy.web.settings import WebSettings
from tests.integration.cli.conftest import eventually
from tests.integration.web.conftest import Door, an_id, outcome, served, submitted
from tests.integration.web.test_approvals import APPROVER, TREE, decide
from tests.scripted_model import ScriptedModel, say
from workflows.contract.api import REQUEST_WORKFLOW, PendingApproval, Request


@dataclass(frozen=True)
class Seen:
    name: str
    id: str
    data: dict[str, Any]


async def stream(caller: httpx.AsyncClient, request_id: str, after: str = "") -> AsyncGenerator[Seen]:
    """The events, as a browser reads them."""
    headers = {"Last-Event-ID": after} if after else {}
    async with caller.stream("GET", f"/v1/requests/{request_id}/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["X-Accel-Buffering"] == "no"
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                yield Seen(fields["event"], fields.get("id", ""), json.loads(fields["data"]))
                fields = {}


async def test_the_steps_are_told_as_they_happen_with_the_call_that_waits_and_go_on_where_they_were_left(
    door: Door, worker: ScriptedModel
) -> None:
    worker.scripts["Write."] = TREE
    async with door.caller("ann") as ann, door.caller("bob", APPROVER) as bob:
        request_id = await submitted(ann, "Write.")
        before: list[Seen] = []
        waiting: list[Any] = []
        async for each in stream(ann, request_id):  # the state that says so comes before that step, or after it
            before.append(each)
            waiting = each.data["awaiting_approval"] if each.name == "state" else waiting
            if waiting and any(seen.name == "waiting" for seen in before):
                break
        await decide(bob, request_id, PendingApproval.model_validate(waiting[0]))
        last = [each.id for each in before if each.id][-1]
        behind = [each async for each in stream(ann, request_id, after=last)]
        everything = [each async for each in stream(ann, request_id)]
    assert before[0].name == behind[0].name == everything[0].name == "state"
    told = [each for each in [*before, *behind] if each.id]
    assert told == [each for each in everything if each.id]
    names = [each.name for each in told]
    assert names[:5] == ["started", "thinking", "decided", "waiting", "approved"] or names[:4] == [
        "started",
        "thinking",
        "decided",
        "waiting",
    ]
    assert {"approved", "calling", "returned"} <= {*names}
    assert told[-1].name == "ended"
    assert told[-1].data["outcome"]["receipts"][0]["approved_by"] == "bob"
    assert "carried" not in told[0].data["request"]


async def test_whoever_was_told_the_end_is_told_not_to_come_again(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    async with door.caller("ann") as ann:
        request_id = await submitted(ann, "Say hello.")
        told = [each async for each in stream(ann, request_id)]
        again = await ann.get(f"/v1/requests/{request_id}/events", headers={"Last-Event-ID": told[-1].id})
        from_nonsense = [each async for each in stream(ann, request_id, after="nonsense")]
    assert again.status_code == 204
    assert [each.name for each in from_nonsense if each.id] == [each.name for each in told if each.id]


@pytest.mark.long
async def test_something_is_said_in_silence_and_a_closed_stream_ends_nothing(
    client: Client, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "PING_EVERY", 0.2)
    request_id, nobody = an_id(), an_id()
    await client.start_workflow(REQUEST_WORKFLOW, Request(text="x", requester="ann"), id=request_id, task_queue=nobody)
    async with (
        door.caller("ann", [Right.READ]) as ann,
        ann.stream("GET", f"/v1/requests/{request_id}/events") as answer,
    ):
        async for line in answer.aiter_lines():
            if line == ": ping":
                break
    handle = client.get_workflow_handle(request_id)
    assert (await handle.describe()).close_time is None
    await handle.terminate()
    async with door.caller("auditor", [Right.READ_ALL]) as auditor:
        told = [each async for each in stream(auditor, request_id)]
        ended = await outcome(auditor, request_id)
    assert (told[-1].name, told[-1].data["status"]) == ("ended", "failed")
    assert ended.status == "failed"


async def test_a_stream_ends_when_the_key_of_its_reader_is_removed(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Write."] = TREE
    async with door.caller("ann") as ann, door.caller("bob", APPROVER) as bob:
        request_id = await submitted(ann, "Write.")
        told: list[Seen] = []
        async for each in stream(ann, request_id):
            told.append(each)
            if each.name == "state" and each.data["awaiting_approval"]:
                remove_key(door.keys, "ann")
                await decide(bob, request_id, PendingApproval.model_validate(each.data["awaiting_approval"][0]))
        assert (await outcome(bob, request_id)).status == "completed"
    assert {"approved", "calling", "ended"} & {each.name for each in told} == set()


async def test_a_stream_too_many_is_refused_and_one_that_is_closed_makes_room(
    client: Client, settings: Settings, web_settings: WebSettings, worker: ScriptedModel
) -> None:
    worker.scripts["Write."] = TREE
    ann = add_key(web_settings.keys, "ann", [Right.SUBMIT, Right.READ])
    few = application(client, web_settings.model_copy(update={"event_streams": 1}), settings)
    async with served(few) as url, Door(url, web_settings.keys).with_key(ann) as caller:
        request_id = await submitted(caller, "Write.")
        at = f"/v1/requests/{request_id}/events"
        async with caller.stream("GET", at) as first:
            refused = await caller.get(at)
        again = await eventually(lambda: status_of(caller, at))
        await caller.post(f"/v1/requests/{request_id}/cancel")
    assert first.status_code == 200
    assert (refused.status_code, refused.json()["type"]) == (429, "urn:errand:problem:too-many")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["detail"].startswith("ann has 1 streams of events open")
    assert refused.headers["Retry-After"] == "15"
    assert again == 200


async def status_of(caller: httpx.AsyncClient, path: str) -> int | None:
    """Of a stream; None where there is no room for it yet."""
    async with caller.stream("GET", path) as answer:
        return None if answer.status_code == 429 else answer.status_code
