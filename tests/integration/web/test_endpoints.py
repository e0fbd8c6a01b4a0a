"""An endpoint that there is not is refused before anything starts, where the door knows the endpoints."""

from pathlib import Path

import httpx
from temporalio.client import Client

from activities.settings import Settings
from deploy.web.application import application
from deploy.web.settings import WebSettings
from tests.conftest import changed
from tests.integration.web.conftest import Door, an_id, served
from tests.integration.web.test_schedules import HOURLY

ENDPOINTS = """[endpoint.ops]
url = "https://ops.example.com/hook"
secrets = ["NOT_SET_HERE"]

[endpoint.bills]
url = "https://bills.example.com/hook"
secrets = ["NOT_SET_HERE"]
requesters = ["billing-*"]
"""


async def asked(caller: httpx.AsyncClient, *notify: str) -> httpx.Response:
    return await caller.post("/v1/requests", json={"text": "Look.", "request_id": an_id(), "notify": notify})


async def test_a_request_or_a_schedule_that_names_no_endpoint_that_the_caller_may_name_is_refused(
    client: Client, door: Door, settings: Settings, web_settings: WebSettings, tmp_path: Path
) -> None:
    file = tmp_path / "callbacks.toml"
    file.write_text(ENDPOINTS)
    knowing = changed(settings, notification={"callbacks": file})
    async with served(application(client, web_settings, knowing)) as url:
        there = Door(url, door.keys)
        async with there.caller("ann") as ann, there.caller("billing-7") as billing:
            wrong = await asked(ann, "ops", "opps")
            of_others = await asked(ann, "bills")
            request = {"text": "Look.", "notify": ["opps"]}
            schedule = {"schedule_id": an_id(), "timetable": HOURLY, "request": request}
            scheduled = await ann.post("/v1/schedules", json=schedule)
            right = [await asked(ann, "ops"), await asked(billing, "bills", "ops")]
            file.write_text("[endpoint")
            broken = await asked(ann, "ops")
    for refused in (wrong, scheduled):
        assert (refused.status_code, refused.json()["type"]) == (422, "urn:errand:problem:invalid")
        assert refused.json()["detail"].startswith("notify: opps: there is no such endpoint; did you mean ops?")
    assert of_others.json()["detail"] == "notify: bills: there is no such endpoint. The endpoints are ops."
    assert "example.com" not in wrong.text + of_others.text
    assert [each.status_code for each in right] == [201, 201]
    assert broken.status_code == 503


async def test_a_door_that_knows_no_endpoints_leaves_it_to_the_worker(door: Door) -> None:
    async with door.caller("ann") as ann:
        taken = await asked(ann, "opps")
    assert taken.status_code == 201
