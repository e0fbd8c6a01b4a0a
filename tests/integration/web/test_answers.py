"""An answer to a question of the model's, over HTTP."""

import httpx

from tests.integration.cli.conftest import eventually
from tests.integration.web.conftest import Door, outcome, submitted
from tests.scripted_model import ScriptedModel, call, calls, say

PARIS = [calls(call("ask_requester", question="Which Paris?")), say("Done.")]


async def asked(caller: httpx.AsyncClient, request_id: str) -> str:
    """The key of the question that waits."""

    async def look() -> str | None:
        waits = (await caller.get(f"/v1/requests/{request_id}")).json().get("awaiting_answer")
        return waits[0]["key"] if waits else None

    return await eventually(look)


async def test_a_request_goes_on_with_the_answer_to_its_question(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Paris?"] = PARIS
    async with door.caller("ann") as ann:
        request_id = await submitted(ann, "Paris?")
        key = await asked(ann, request_id)
        at = f"/v1/requests/{request_id}/answers/{key.rpartition('/')[2]}"
        first = await ann.post(at, json={"text": "The one in Texas."})
        ended = await outcome(ann, request_id)
        same = await ann.post(at, json={"text": "The one in Texas."})
        late = await ann.post(at, json={"text": "The one in France."})
    assert first.json() == {"key": key, "by": "ann"}
    assert ended.receipts[0].result == {"answer": "The one in Texas.", "by": "ann"}
    assert same.status_code == 200
    assert (late.status_code, late.json()["type"]) == (409, "urn:errand:problem:not-open")


async def test_nobody_answers_a_question_of_another_or_in_another_name(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Paris?"] = PARIS
    async with door.caller("ann") as ann, door.caller("eve") as eve:
        request_id = await submitted(ann, "Paris?")
        key = await asked(ann, request_id)
        foreign = await eve.post(f"/v1/requests/{request_id}/answers/{key}", json={"text": "Mine."})
        named = await ann.post(f"/v1/requests/{request_id}/answers/{key}", json={"text": "Mine.", "by": "eve"})
        await ann.post(f"/v1/requests/{request_id}/cancel")
    assert (foreign.status_code, named.status_code) == (404, 403)
