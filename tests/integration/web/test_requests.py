"""Requests over HTTP: started once, seen by whom they belong to, waited for, said more to, ended."""

import asyncio
import uuid

import httpx
import pytest
from temporalio.client import Client

from activities.settings import Settings
from deploy.client.keys import Right
from tests.integration.cli.conftest import eventually
from tests.integration.web.conftest import Door, an_id, outcome, submitted
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import REQUEST_WORKFLOW, Outcome, Request
from workflows.contract.approvals import VERDICT_ID
from workflows.inbox import MOST_WAITING


async def test_a_request_is_started_and_waited_for(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    async with door.caller("ann") as ann:
        request_id = await submitted(ann, "Say hello.")
        ended = await outcome(ann, request_id)
        view = (await ann.get(f"/v1/requests/{request_id}")).json()
    assert (ended.request_id, ended.status, ended.summary) == (request_id, "completed", "Hello.")
    assert (view["requester"], view["status"], view["text"]) == ("ann", "completed", "Say hello.")
    assert view["closed_at"].endswith("Z")


async def test_the_same_call_under_the_same_key_is_one_request_however_many_come_at_once(
    door: Door, worker: ScriptedModel, happened: World
) -> None:
    text = "Write tree."
    worker.scripts[text] = [calls(call("write_down", word="tree")), say("Done.")]
    key = str(uuid.uuid4())
    body = {"text": text, "approve": ["write_down"], "limits": None}
    async with door.caller("ann") as ann:
        first = [ann.post("/v1/requests", json=body, headers={"Idempotency-Key": key}) for _ in range(20)]
        answers = await asyncio.gather(*first)
        again = await ann.post("/v1/requests", json=body, headers={"Idempotency-Key": f'"{key}"'})
        await outcome(ann, f"ann:{key}")
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert again.status_code == 200
    assert {answer.json()["request_id"] for answer in [*answers, again]} == {f"ann:{key}"}
    assert again.headers["Location"] == f"/v1/requests/ann:{key}"
    assert happened.done("write_down") == ["tree"]


@pytest.mark.parametrize(
    "change", [{"text": "Another."}, {"approve": ["look_up"]}, {"limits": {"turns": 3}}, {"output_schema": {}}]
)
async def test_another_body_under_the_same_key_is_refused_and_so_is_one_under_the_same_id(
    door: Door, change: dict[str, object]
) -> None:
    key, body = str(uuid.uuid4()), {"text": "The first."}
    async with door.caller("ann") as ann:
        await ann.post("/v1/requests", json=body, headers={"Idempotency-Key": key})
        other = await ann.post("/v1/requests", json=body | change, headers={"Idempotency-Key": key})
        by_id = await ann.post("/v1/requests", json=body | change | {"request_id": f"ann:{key}"})
    assert (other.status_code, other.json()["type"]) == (422, "urn:errand:problem:idempotency-key-reused")
    assert (by_id.status_code, by_id.json()["type"]) == (409, "urn:errand:problem:id-taken")
    assert next(iter(change)) in other.json()["detail"]


async def test_two_callers_may_use_the_same_key(door: Door) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    async with door.caller("ann") as ann, door.caller("bob") as bob:
        answers = [await each.post("/v1/requests", json={"text": "Pay."}, headers=key) for each in (ann, bob)]
        squatted = await bob.post("/v1/requests", json={"text": "Pay.", "request_id": "ann:invoice-4712"})
    assert [answer.status_code for answer in answers] == [201, 201]
    assert squatted.status_code == 403


async def test_the_id_of_somebody_elses_request_is_taken_and_no_more_is_said(door: Door) -> None:
    async with door.caller("ann") as ann, door.caller("bob") as bob:
        request_id = await submitted(ann, "Secret.")
        taken = await bob.post("/v1/requests", json={"text": "Mine.", "request_id": request_id})
    assert (taken.status_code, taken.json()["detail"]) == (409, f"{request_id} is taken; use another id")


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        ({"text": "x"}, {}, 400, "say the header Idempotency-Key, or request_id in the body"),
        ({"text": "x", "request_id": "a"}, {"Idempotency-Key": "b"}, 422, "give one of them"),
        ({"text": "x", "request_id": "a/b"}, {}, 422, 'request_id "a/b"'),
        ({"text": "x"}, {"Idempotency-Key": "a b"}, 422, 'the header Idempotency-Key "a b"'),
        ({"text": " ", "request_id": "a"}, {}, 422, "text: it is blank"),
        ({"txt": "x", "request_id": "a"}, {}, 422, "txt: there is no such field; did you mean text?"),
        ({"text": "x", "limits": {"turns": 0}, "request_id": "a"}, {}, 422, "limits.turns: expected 1 or more, not 0"),
        ({"text": "x", "carried": {}, "request_id": "a"}, {}, 422, "carried: only the workflow itself may set it"),
        ({"text": "x", "request_id": "plan.apply"}, {}, 422, "request_id: ids that end in .apply"),
        ([], {}, 422, "the input: expected an object"),
    ],
)
async def test_what_cannot_be_is_refused_in_one_sentence(
    door: Door, body: object, headers: dict[str, str], status: int, words: str
) -> None:
    async with door.caller("ann") as ann:
        answer = await ann.post("/v1/requests", json=body, headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "there is no body"),
        ('{"text": "a", "text": "b"}', "'text' is there twice"),
        ('{"text": NaN}', "line 1"),
        ('{"text": "a", "limits": {"seconds": 1e400}}', "1e400 is no number that can be passed on"),
        ('{"text": "a", "limits": {"turns": ' + "9" * 400 + "}}", "is no number that can be passed on"),
        ('{"text"', "EOF"),
        ("[" * 500, "recursion"),
        ('"\\ud800"', "line 1"),
    ],
)
async def test_a_body_that_does_not_mean_one_thing_is_refused(door: Door, body: str, words: str) -> None:
    async with door.caller("ann") as ann:
        answer = await ann.post("/v1/requests", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:errand:problem:unreadable")
    assert words in answer.json()["detail"]


async def test_an_outcome_that_is_not_there_yet_is_202_and_the_wait_for_it_ends_with_it(
    door: Door, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Write slowly."] = [calls(call("write_down", word="tree", seconds=1)), say("Done.")]
    async with door.caller("ann") as ann:
        request_id = await submitted(ann, "Write slowly.", approve=["write_down"])
        at_once = await ann.get(f"/v1/requests/{request_id}/outcome")
        soon = await ann.get(f"/v1/requests/{request_id}/outcome?wait=0.2")
        ended = await outcome(ann, request_id)
    assert [at_once.status_code, soon.status_code] == [202, 202]
    assert soon.json() == {"request_id": request_id, "status": "running", "message_id": None}
    assert ended.receipts[0].status == "done"


async def test_a_request_that_temporal_has_ended_has_an_outcome_that_says_so(
    client: Client, door: Door, worker: ScriptedModel
) -> None:
    worker.scripts["Write."] = [calls(call("write_down", word="tree")), say("Done.")]
    async with door.caller("ann") as ann:
        request_id = await submitted(ann, "Write.")
        await client.get_workflow_handle(request_id).terminate(reason="it was a drill")
        ended = await outcome(ann, request_id)
    assert (ended.status, ended.summary) == ("failed", "terminated: it was a drill")


async def test_requests_are_listed_page_by_page_with_the_filters_of_the_command_line(
    door: Door, worker: ScriptedModel
) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    name = f"ann-{uuid.uuid4().hex[:6]}"
    async with door.caller(name) as ann, door.caller("auditor", [Right.READ_ALL]) as auditor:
        ids = [await submitted(ann, "Say hello.") for _ in range(3)]
        for each in ids:
            await outcome(ann, each)

        async def indexed() -> bool:
            found = (await auditor.get("/v1/requests", params={"requester": name, "status": "completed"})).json()
            return len(found["requests"]) == 3

        await eventually(indexed)
        first = (await auditor.get("/v1/requests", params={"requester": name, "limit": 2})).json()
        rest = (
            await auditor.get("/v1/requests", params={"requester": name, "limit": 2, "cursor": first["next"]})
        ).json()
        none = (await auditor.get("/v1/requests", params={"requester": name, "status": "running"})).json()
        wrong = [
            await auditor.get("/v1/requests", params={"cursor": each}) for each in ("nonsense!", first["next"][:-4])
        ]
    assert [len(each["requests"]) for each in (first, rest)] == [2, 1]
    assert {each["request_id"] for each in first["requests"] + rest["requests"]} == {*ids}
    assert rest["next"] is None
    assert none["requests"] == []
    assert [each.status_code for each in wrong] == [404, 404]


async def test_a_parameter_that_is_misspelt_is_refused_and_not_passed_over(door: Door) -> None:
    async with door.caller("ann") as ann, door.with_key("nobody's") as nobody:
        wrong = await ann.get("/v1/requests", params={"awaiting_aproval": "true"})
        none = await ann.get("/v1/tools", params={"limit": "3"})
        unknown = await nobody.get("/v1/requests", params={"awaiting_aproval": "true"})
        page = await ann.get("/", params={"utm_source": "mail"})
    assert (wrong.status_code, none.status_code, unknown.status_code, page.status_code) == (422, 422, 401, 200)
    assert wrong.json()["detail"].startswith(
        "awaiting_aproval: there is no such parameter; there are awaiting_answer, "
    )
    assert none.json()["detail"] == "limit: there is no such parameter; this takes none"


async def test_a_conversation_is_opened_talked_in_and_closed(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Hello?"] = [say("Hello."), say("Again.")]
    async with door.caller("ann") as ann:
        request_id = await submitted(ann, "", keep_open=True)
        url = f"/v1/requests/{request_id}/messages"
        first, same = await asyncio.gather(
            *(ann.post(url, params={"wait": 20}, json={"text": "Hello?", "message_id": "m1"}) for _ in range(2))
        )
        other = await ann.post(url, json={"text": "Bye?"}, headers={"Idempotency-Key": "m1"})
        closed = await ann.post(f"/v1/requests/{request_id}/close")
        ended = await outcome(ann, request_id)
        late = await ann.post(url, json={"text": "Still there?", "message_id": "m2"})
    assert first.status_code == 200, first.text
    assert Outcome.model_validate_json(first.content).summary == "Hello."
    assert same.json() == first.json()
    assert (other.status_code, other.json()["type"]) == (422, "urn:errand:problem:idempotency-key-reused")
    assert closed.status_code == 202
    assert ended.summary == "Hello."
    assert (late.status_code, late.json()["type"]) == (409, "urn:errand:problem:not-open")


async def test_a_message_that_is_not_answered_in_time_is_202_and_the_same_again_waits_on(
    door: Door, worker: ScriptedModel
) -> None:
    slow = calls(call("look_up", word="tree", seconds=1.0))
    worker.scripts["Look."] = [slow, say("A tree.")]
    async with door.caller("ann") as ann:
        request_id = await submitted(ann, "", keep_open=True)
        url, body = f"/v1/requests/{request_id}/messages", {"text": "Look.", "message_id": "m1"}
        taken = await ann.post(url, json=body)
        answered = await ann.post(url, params={"wait": 20}, json=body)
        await ann.post(f"/v1/requests/{request_id}/close")
    assert (taken.status_code, taken.json()["message_id"]) == (202, "m1")
    assert answered.json()["summary"] == "A tree."


@pytest.mark.long
async def test_whoever_speaks_to_a_request_that_as_many_wait_for_as_may_is_told_to_come_again(
    door: Door, worker: ScriptedModel
) -> None:
    worker.scripts["Write."] = [calls(call("write_down", word="tree")), say("Done.")]
    async with door.caller("ann") as ann:
        request_id = await submitted(ann, "Write.", keep_open=True)
        url = f"/v1/requests/{request_id}/messages"
        taken = [await ann.post(url, json={"text": "And?", "message_id": f"m{each}"}) for each in range(MOST_WAITING)]
        full = await ann.post(url, json={"text": "And?", "message_id": "m-late"})
        await ann.post(f"/v1/requests/{request_id}/cancel")
    assert [each.status_code for each in taken] == [202] * MOST_WAITING
    assert (full.status_code, full.json()["type"]) == (429, "urn:errand:problem:too-many")
    assert full.headers["Retry-After"] == "1"


async def test_no_message_takes_the_id_of_a_verdict_that_is_to_come(door: Door, worker: ScriptedModel) -> None:
    async with door.caller("ann") as ann:
        request_id = await submitted(ann, "", keep_open=True)
        body = {"text": "Hello?", "message_id": f"{VERDICT_ID}1"}
        refused = await ann.post(f"/v1/requests/{request_id}/messages", json=body)
        await ann.post(f"/v1/requests/{request_id}/close")
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:errand:problem:invalid")


async def test_true_is_another_argument_than_1(door: Door) -> None:
    given = {"tool": "write_down", "arguments": {"word": True}}
    key = {"Idempotency-Key": str(uuid.uuid4())}
    async with door.caller("ann") as ann:
        first = await ann.post("/v1/requests", json={"call": given}, headers=key)
        other = await ann.post("/v1/requests", json={"call": given | {"arguments": {"word": 1}}}, headers=key)
    assert (first.status_code, other.status_code) == (201, 422)


async def test_a_request_is_cancelled_once_and_then_it_is_over(door: Door, worker: ScriptedModel) -> None:
    worker.scripts["Write."] = [calls(call("write_down", word="tree")), say("Done.")]
    async with door.caller("ann") as ann:
        request_id = await submitted(ann, "Write.")
        cancelled = await ann.post(f"/v1/requests/{request_id}/cancel")
        ended = await outcome(ann, request_id)
        again = await ann.post(f"/v1/requests/{request_id}/cancel")
    assert cancelled.status_code == 202
    assert ended.status == "cancelled"
    assert (again.status_code, again.json()["type"]) == (409, "urn:errand:problem:not-open")


async def test_another_workflow_is_no_request(client: Client, door: Door, settings: Settings) -> None:
    other = an_id()
    await client.start_workflow("SomethingElse", id=other, task_queue=settings.worker.task_queue)
    async with door.caller("root", [Right.ADMIN]) as root:
        seen = await root.get(f"/v1/requests/{other}")
        cancelled = await root.post(f"/v1/requests/{other}/cancel")
    assert [seen.status_code, cancelled.status_code] == [404, 404]
    await client.get_workflow_handle(other).terminate()


@pytest.mark.long
async def test_where_no_worker_answers_it_is_503_with_when_to_come_again(client: Client, door: Door) -> None:
    await client.start_workflow(
        REQUEST_WORKFLOW, Request(text="x", requester="ann"), id=(request_id := an_id()), task_queue=an_id()
    )
    async with door.caller("ann") as ann:
        answer = await ann.get(f"/v1/requests/{request_id}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "no worker answers" in answer.json()["detail"]
    await client.get_workflow_handle(request_id).terminate()


async def test_the_door_says_that_it_is_there_and_that_temporal_is(door: Door) -> None:
    async with httpx.AsyncClient(base_url=door.url) as anybody:
        answers = [await anybody.get(path) for path in ("/healthz", "/readyz")]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"status": "ok"})] * 2


async def test_it_says_so_too_where_only_the_head_is_asked_for(door: Door) -> None:
    async with httpx.AsyncClient(base_url=door.url) as anybody:
        answers = [await anybody.head(path) for path in ("/healthz", "/readyz")]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 2
