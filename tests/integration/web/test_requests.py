"""Requests over HTTP: started once, seen by whom they belong to, waited for, said more to, ended."""


import httpx

from tests.integration.web.conftest import Door, an_id
from tests.scripted_model import ScriptedModel, say
from workflows.contract.api import Outcome


async def submitted(caller: httpx.AsyncClient, text: str, **more: object) -> str:
    request_id = an_id()
    answer = await caller.post("/v1/requests", json={"text": text, "request_id": request_id, **more})
    assert answer.status_code == 201, answer.text
    return request_id


async def outcome(caller: httpx.AsyncClient, request_id: str) -> Outcome:
    answer = await caller.get(f"/v1/requests/{request_id}/outcome?wait=20")
    assert answer.status_code == 200, answer.text
    return Outcome.model_validate_json(answer.content)


async def test_a_request_is_started_and_waited_for(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    async with door.caller("ann") as ann:
        request_id = await submitted(ann, "Say hello.")
        ended = await outcome(ann, request_id)
        view = (await ann.get(f"/v1/requests/{request_id}")).json()
    assert (ended.request_id, ended.status, ended.summary) == (request_id, "completed", "Hello.")
    assert (view["requester"], view["status"], view["text"]) == ("ann", "completed", "Say hello.")
    assert view["closed_at"].endswith("Z")
