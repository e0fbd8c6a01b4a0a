"""Schedules, over HTTP."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from deploy.client.keys import Right
from tests.integration.cli.conftest import eventually
from tests.integration.web.conftest import Door, an_id, answered, outcome
from tests.scripted_model import ScriptedModel, say

HOURLY = {"cron": "0 * * * *", "zone": "Europe/Berlin", "words": "every hour"}


MADE = (201, 200)
"""The second, where a busy server was asked twice."""


async def asked(caller: httpx.AsyncClient, schedule: Mapping[str, object]) -> httpx.Response:
    return await answered(lambda: caller.post("/v1/schedules", json=schedule))


async def scheduled(caller: httpx.AsyncClient, text: str = "Look.", **more: object) -> str:
    """The id of a new schedule."""
    schedule_id = an_id()
    body = {"schedule_id": schedule_id, "timetable": HOURLY, "request": {"text": text, **more}}
    answer = await asked(caller, body)
    assert answer.status_code in MADE, answer.text
    return schedule_id


async def test_a_schedule_is_made_shown_paused_resumed_and_deleted(door: Door) -> None:
    async with door.caller("ann") as ann:
        ahead = await ann.post("/v1/schedules/preview", json=HOURLY)
        schedule_id = await scheduled(ann)
        at = f"/v1/schedules/{schedule_id}"
        made = (await answered(lambda: ann.get(at))).json()
        paused = await answered(lambda: ann.post(f"{at}/pause", json={"note": "a holiday"}))
        then = (await answered(lambda: ann.get(at))).json()
        resumed = await answered(lambda: ann.post(f"{at}/resume"))
        again = (await answered(lambda: ann.get(at))).json()
        deleted = await answered(lambda: ann.delete(at))
        gone = await answered(lambda: ann.get(at))
    assert len(ahead.json()["next_times"]) == 3
    assert (made["timetable"]["words"], made["requester"], made["paused"]) == ("every hour", "ann", False)
    assert (then["paused"], then["note"], again["paused"]) == (True, "a holiday", False)
    assert [each.status_code for each in (paused, resumed, deleted, gone)] == [204, 204, 204, 404]


@pytest.mark.long
async def test_a_schedule_runs_now_and_makes_up_for_times_that_have_passed(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Look."] = [say("Looked.")]
    async with door.caller("ann") as ann:
        schedule_id = await scheduled(ann)
        at = f"/v1/schedules/{schedule_id}"
        now = (await answered(lambda: ann.post(f"{at}/run"))).json()["request_id"]
        ended = await outcome(ann, now)
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
        period = {"start": hour.isoformat(), "end": hour.isoformat()}
        made_up = (await answered(lambda: ann.post(f"{at}/backfill", json=period))).json()["request_ids"]
        backwards = await ann.post(f"{at}/backfill", json={**period, "start": datetime.now(UTC).isoformat()})
        numbers = await ann.post(f"{at}/backfill", json={"start": 0, "end": 5})

        async def started() -> bool:
            return (await ann.get(f"/v1/requests/{made_up[0]}")).status_code == 200

        await eventually(started)
        await ann.delete(at)
    assert ended.summary == "Looked."
    assert made_up == [f"{schedule_id}-{hour:%Y-%m-%dT%H:%M:%SZ}"]
    assert backwards.status_code == 422
    assert numbers.status_code == 422
    assert numbers.json()["detail"] == "start: expected a time as text (RFC 3339), such as 2026-01-31T08:00:00Z"


@pytest.mark.long
async def test_a_schedule_of_somebody_else_is_not_there_and_cannot_be_changed(door: Door) -> None:
    async with door.caller("ann") as ann, door.caller("eve") as eve, door.caller("aud", [Right.READ_ALL]) as aud:
        schedule_id = await scheduled(ann)
        at = f"/v1/schedules/{schedule_id}"
        foreign = [
            await answered(lambda: eve.get(at)),
            await answered(lambda: eve.delete(at)),
            await answered(lambda: eve.post(f"{at}/run")),
        ]
        seen = await answered(lambda: aud.get(at))
        changed = await answered(lambda: aud.post(f"{at}/pause", json={}))
        listed = (await answered(lambda: eve.get("/v1/schedules"))).json()["schedules"]
        asked = await eve.get("/v1/schedules?requester=ann")
        await ann.delete(at)
    assert [each.status_code for each in foreign] == [404, 404, 404]
    assert (seen.status_code, changed.status_code, asked.status_code) == (200, 403, 403)
    assert listed == []


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"timetable": {"cron": "every day"}}, 422, "invalid"),
        ({"timetable": {"cron": "0 8 * * *", "zone": "Mars"}}, 422, "invalid"),
        ({"timetable": {"cron": "0 0 8 * * *"}}, 422, "invalid"),
        ({"request": {"text": "Look.", "requester": "ann"}}, 403, "forbidden"),
        ({"request": {"text": "Look.", "approve": ["*"]}}, 403, "forbidden"),
        ({"request": {"keep_open": True}}, 422, "invalid"),
        ({"schedule_id": "ann:mine"}, 403, "forbidden"),
    ],
)
async def test_a_schedule_that_cannot_be_is_refused_in_words(
    door: Door, body: dict[str, object], status: int, kind: str
) -> None:
    new = {"schedule_id": an_id(), "timetable": HOURLY, "request": {"text": "Look."}} | body
    async with door.caller("eve", [Right.SUBMIT]) as eve:
        answer = await eve.post("/v1/schedules", json=new)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:errand:problem:{kind}"), answer.text


@pytest.mark.parametrize(
    ("schedule_id", "words"),
    [
        ("", 'schedule_id: the id "": an id has 1 to 170 letters (A to Z), digits and'),
        ("a b", 'schedule_id: the id "a b": an id has 1 to 170 letters (A to Z), digits and'),
        ("é", 'schedule_id: the id "é": an id has 1 to 170 letters (A to Z), digits and'),
        (
            "a" * 171,
            f'schedule_id: the id "{"a" * 59}… has 171 characters: an id has 1 to 170 letters (A to Z), digits and',
        ),
    ],
)
async def test_an_id_that_cannot_be_a_schedules_is_refused_with_what_is_wrong_with_it(
    door: Door, schedule_id: str, words: str
) -> None:
    new = {"schedule_id": schedule_id, "timetable": HOURLY, "request": {"text": "Look."}}
    async with door.caller("eve", [Right.SUBMIT]) as eve:
        answer = await eve.post("/v1/schedules", json=new)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(words)


@pytest.mark.long
async def test_another_schedule_under_the_same_id_is_refused_and_the_same_is_the_same(door: Door) -> None:
    new = {"schedule_id": an_id(), "timetable": HOURLY, "request": {"text": "Look."}}
    async with door.caller("ann") as ann:
        first, same = await asked(ann, new), await asked(ann, new)
        other = await asked(ann, {**new, "request": {"text": "Look away."}})
        await ann.delete(f"/v1/schedules/{new['schedule_id']}")
    assert first.status_code in MADE
    assert same.status_code == 200
    assert first.json()["schedule_id"] == same.json()["schedule_id"] == new["schedule_id"]
    assert (other.status_code, other.json()["type"]) == (409, "urn:errand:problem:id-taken")
