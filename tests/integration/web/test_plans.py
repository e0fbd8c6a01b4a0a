"""Rehearsals and their plans, over HTTP."""

import pytest

from deploy.client.keys import Right
from tests.integration.web.conftest import Door, outcome, submitted
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say

TEXT = "Write tree."
SCRIPT = (calls(call("write_down", word="tree")), say("Done."))


async def test_a_plan_is_rehearsed_and_applied_once(door: Door, worker: ScriptedModel, happened: World) -> None:
    worker.scripts[TEXT] = SCRIPT
    async with door.caller("ann") as ann:
        request_id = await submitted(ann, TEXT, rehearse=True)
        plan = (await outcome(ann, request_id)).plan
        assert plan is not None
        assert happened.done("write_down") == []
        body = {"digest": plan.digest, "approve": True}
        first, second = [await ann.post(f"/v1/requests/{request_id}/apply", json=body) for _ in range(2)]
        ended = await outcome(ann, first.json()["request_id"])
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.headers["Location"] == f"/v1/requests/{request_id}.apply"
    assert (ended.summary, ended.receipts[0].approved_by) == ("Done: write_down.", "requester")
    assert happened.done("write_down") == ["tree"]


@pytest.mark.parametrize(
    ("who", "may", "approve", "status"),
    [("bob", (Right.SUBMIT, Right.READ), False, 404), ("ann", (Right.SUBMIT, Right.READ), True, 403)],
)
async def test_nobody_applies_what_is_not_theirs_or_approves_without_the_right(
    door: Door, worker: ScriptedModel, who: str, may: tuple[Right, ...], approve: bool, status: int
) -> None:
    worker.scripts[TEXT] = SCRIPT
    async with door.caller("ann", may) as ann:
        request_id = await submitted(ann, TEXT, rehearse=True)
        plan = (await outcome(ann, request_id)).plan
        assert plan is not None
        async with door.caller("bob", may) as bob:
            caller = {"ann": ann, "bob": bob}[who]
            body = {"digest": plan.digest, "approve": approve}
            refused = await caller.post(f"/v1/requests/{request_id}/apply", json=body)
    assert refused.status_code == status


async def test_another_digest_is_refused_and_the_plan_can_still_be_applied(door: Door, worker: ScriptedModel) -> None:
    worker.scripts[TEXT] = SCRIPT
    async with door.caller("ann") as ann:
        request_id = await submitted(ann, TEXT, rehearse=True)
        plan = (await outcome(ann, request_id)).plan
        assert plan is not None
        at = f"/v1/requests/{request_id}/apply"
        refused, taken = [
            await ann.post(at, json={"digest": digest, "approve": True}) for digest in ("0" * 64, plan.digest)
        ]
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:errand:problem:stale-digest")
    assert taken.status_code == 201


async def test_a_request_names_no_plan_by_itself(door: Door) -> None:
    async with door.caller("ann") as ann:
        body = {"apply": {"request_id": "r", "digest": "d"}, "request_id": "r.apply"}
        refused = await ann.post("/v1/requests", json=body)
    assert (refused.status_code, refused.json()["detail"].partition(":")[0]) == (422, "apply")
