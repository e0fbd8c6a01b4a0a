"""What the ledger knows of writes, and what a worker would offer, over HTTP."""

from deploy.client.keys import Right
from tests.integration.web.conftest import Door, outcome, submitted
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say

MAYBE = [calls(call("write_down", word="maybe")), say("I do not know.")]


async def test_an_unknown_write_is_found_and_settled_by_somebody_who_may(
    door: Door, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Write maybe."] = MAYBE
    async with (
        door.caller("ann") as ann,
        door.caller("eve", [Right.READ, Right.RESOLVE]) as eve,
        door.caller("olga", [Right.READ_ALL, Right.RESOLVE]) as olga,
    ):
        request_id = await submitted(ann, "Write maybe.", approve=["*"])
        assert (await outcome(ann, request_id)).receipts[0].status == "unknown"
        own = (await ann.get("/v1/actions", params={"state": "unknown"})).json()["actions"]
        foreign = (await eve.get("/v1/actions")).json()["actions"]
        path = f"/v1/actions/{request_id}/1.1/resolve"
        refused = [await ann.post(path, json={"delivered": True}), await eve.post(path, json={"delivered": True})]
        settled = await olga.post(path, json={"delivered": False})
        again = await olga.post(path, json={"delivered": True})
        number = await olga.get("/v1/actions", params={"since": "0.5"})
        since = (await olga.get("/v1/actions", params={"since": "2100-01-01T00:00:00Z"})).json()["actions"]
    assert [(each["key"], each["state"], each["requester"]) for each in own] == [
        (f"{request_id}/1.1", "unknown", "ann")
    ]
    assert "token" not in own[0]
    assert foreign == since == []
    assert number.status_code == 422
    assert number.json()["detail"] == "since: expected a time as text (RFC 3339), such as 2026-01-31T08:00:00Z"
    assert [answer.status_code for answer in refused] == [403, 404]
    assert (settled.json()["state"], settled.json()["resolved_by"]) == ("not_done", "olga")
    assert (again.status_code, again.json()["type"]) == (409, "urn:errand:problem:not-open")


async def test_the_tools_of_a_worker_are_listed_with_their_schemas(door: Door) -> None:
    async with door.caller("ann") as ann:
        tools = {each["name"]: each for each in (await ann.get("/v1/tools")).json()["tools"]}
    assert tools["get_weather"]["effect"] == "read"
    assert "city" in str(tools["get_weather"]["schema"])
