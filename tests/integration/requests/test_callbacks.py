"""What happens in a request is told to the endpoints that it names, signed, whatever becomes of the request."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client

from activities.encryption.key_ring import KeyRing
from activities.errors import NotOpen
from activities.settings import Settings
from activities.temporal import data_converter
from client import approve, outcome, submit
from client import say as client_say
from deploy.client.callbacks import Callback, CallbackStatus, callbacks_of, send_callback_again
from deploy.client.requests import RequestHandle, start
from tests.conftest import running_worker, settings_for
from tests.integration.requests.asking import reset_to_its_beginning, until_it_waits
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from tests.unit.encryption.keys import key_file, new_key
from tests.webhook_receiver import OTHER_SECRET, SECRET, Receiver, receiver
from workflows.contract.api import Request, RequestStatus
from workflows.contract.plans import Apply, applied_id

TELL = calls(call("tell", to=["ann"], what="hello"))


@pytest_asyncio.fixture(loop_scope="session")
async def ops() -> AsyncGenerator[Receiver]:
    async with receiver() as listening:
        yield listening


class Worker:
    """Runs a worker that knows the endpoint `ops`, and whatever `more` says."""

    def __init__(self, client: Client, model: ScriptedModel, ops: Receiver, file: Path) -> None:
        self.client, self.model, self.ops, self.file = client, model, ops, file

    @asynccontextmanager
    async def __call__(self, more: str = "") -> AsyncGenerator[Settings]:
        self.file.write_text(f"pauses = [0.05, 0.05]\n{self.endpoint('ops', 'OPS_SECRET')}{more}")
        link = "https://errand.test/r/{request_id}"
        settings = settings_for(self.model, callbacks=self.file, request_url=link)
        async with running_worker(self.client, settings, sandboxed=True):
            yield settings

    def endpoint(self, name: str, *variables: str, more: str = "") -> str:
        secrets = list(variables)
        return f'[endpoint.{name}]\nurl = "{self.ops.url}"\nsecrets = {secrets}\nprivate = true\n{more}\n'


@pytest.fixture
def worker(
    client: Client, model: ScriptedModel, ops: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Worker:
    monkeypatch.setenv("OPS_SECRET", SECRET)
    monkeypatch.setenv("NEW_SECRET", OTHER_SECRET)
    return Worker(client, model, ops, tmp_path / "callbacks.toml")


async def asked(client: Client, settings: Settings, text: str, *notify: str, **fields: object) -> RequestHandle:
    request = Request.model_validate({"text": text, "notify": notify, **fields})
    return await submit(client, request, task_queue=settings.worker.task_queue)


async def known(client: Client, handle: RequestHandle, number: int = 1) -> list[Callback]:
    """What Temporal knows of the callbacks, as soon as none is being tried."""
    async with asyncio.timeout(20):
        while True:
            found = await callbacks_of(client, handle.id)
            if len(found) >= number and all(each.status is not CallbackStatus.TRYING for each in found):
                return found
            await asyncio.sleep(0.05)


async def test_the_end_of_a_request_is_told_thin_signed_and_with_a_link(
    client: Client, worker: Worker, model: ScriptedModel, ops: Receiver
) -> None:
    model.scripts["Look."] = [calls(call("look_up", word="x")), say("Found.")]
    async with worker() as settings:
        handle = await asked(client, settings, "Look.", "ops")
        ended = await outcome(handle)
        [told] = await ops.until(1)
        [callback] = await known(client, handle)
    body = told.verified()
    assert body["type"] == "request.completed"
    assert body["data"] == {
        "request_id": handle.id,
        "status": "completed",
        "summary": "Found.",
        "unsupported_claims": 0,
        "turn": 2,
        "receipts": [{"key": f"{handle.id}/1.1", "tool": "look_up", "status": "done"}],
        "url": f"https://errand.test/r/{handle.id}",
    }
    assert ended.status is RequestStatus.COMPLETED
    assert (callback.status, callback.endpoint, callback.attempts) == (CallbackStatus.DELIVERED, "ops", 1)
    assert callback.event_id == told.headers["webhook-id"]


async def test_a_call_that_waits_is_told_once_and_then_the_end(
    client: Client, worker: Worker, model: ScriptedModel, ops: Receiver, happened: World
) -> None:
    model.scripts["Tell ann."] = [TELL, say("Told.")]
    async with worker() as settings:
        handle = await asked(client, settings, "Tell ann.", "ops")
        pending = await until_it_waits(handle)
        [told] = await ops.until(1)
        body = told.verified()
        assert body["type"] == "approval.requested"
        assert (body["data"]["key"], body["data"]["digest"]) == (pending.key, pending.digest)
        assert "arguments" not in body["data"]
        await approve(handle, pending, by="carol")
        await outcome(handle)
        await ops.until(2)
        assert [each.verified()["type"] for each in ops.received] == ["approval.requested", "request.completed"]
        assert len({each.headers["webhook-id"] for each in ops.received}) == 2


async def test_a_question_that_waits_is_told_and_answered_by_its_key(
    client: Client, worker: Worker, model: ScriptedModel, ops: Receiver
) -> None:
    model.scripts["Paris?"] = [calls(call("ask_requester", question="Which Paris?")), say("The one in Texas.")]
    async with worker() as settings:
        handle = await asked(client, settings, "Paris?", "ops")
        [told] = await ops.until(1)
        body = told.verified()
        await client_say(client, handle.id, "Texas", question=body["data"]["key"])
        await outcome(handle)
        await ops.until(2)
    assert body["type"] == "question.asked"
    assert (body["data"]["key"], body["data"]["text"]) == (f"{handle.id}/1.1", "Which Paris?")
    assert body["data"]["url"] == f"https://errand.test/r/{handle.id}"
    assert [each.verified()["type"] for each in ops.received] == ["question.asked", "request.completed"]


async def test_an_action_of_unknown_end_is_told(
    client: Client, worker: Worker, model: ScriptedModel, ops: Receiver, happened: World
) -> None:
    model.scripts["Engrave."] = [calls(call("engrave", word="x", held_up="after")), say("It may be engraved.")]
    async with worker() as settings:
        handle = await asked(client, settings, "Engrave.", "ops", approve=("*",))
        await outcome(handle)
        first, _ = await ops.until(2)
    assert first.verified()["type"] == "action.unknown"
    assert first.verified()["data"]["key"] == f"{handle.id}/1.1"


async def test_an_endpoint_that_fails_is_told_again_under_the_same_id_and_delays_nothing(
    client: Client, worker: Worker, model: ScriptedModel, ops: Receiver
) -> None:
    ops.answers = ["500 Oh", "302 Found\r\nLocation: /elsewhere"]
    async with worker() as settings:
        model.scripts["Hello."] = [say("Hello.")]
        handle = await asked(client, settings, "Hello.", "ops")
        assert (await outcome(handle)).summary == "Hello."
        await ops.until(3)
        [callback] = await known(client, handle)
    assert len({each.headers["webhook-id"] for each in ops.received}) == 1
    assert (callback.status, callback.attempts) == (CallbackStatus.DELIVERED, 3)


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (["410 Gone"], "ops answered 410 Gone: it takes no callbacks any more"),
        (["503 Busy"] * 3, "ops answered 503 Busy; given up after 3 attempts"),
    ],
)
@pytest.mark.long
async def test_what_cannot_be_told_is_seen_and_can_be_told_again_by_hand(
    client: Client,
    worker: Worker,
    model: ScriptedModel,
    ops: Receiver,
    answers: list[str],
    why: str,
) -> None:
    ops.answers = answers.copy()
    model.scripts["Hello."] = [say("Hello.")]
    async with worker() as settings:
        handle = await asked(client, settings, "Hello.", "ops")
        assert (await outcome(handle)).status is RequestStatus.COMPLETED
        [failed] = await known(client, handle)
        assert failed.status is CallbackStatus.FAILED
        assert failed.error.startswith(why)
        await send_callback_again(client, failed.callback_id)
        await ops.until(len(answers) + 1)
        assert {each.headers["webhook-id"] for each in ops.received} == {failed.event_id}
        await client.get_workflow_handle(failed.callback_id).result()
        with pytest.raises(NotOpen, match="still being tried, or was delivered"):
            await send_callback_again(client, failed.callback_id)


@pytest.mark.parametrize("encrypts", [False, True])
async def test_what_is_still_tried_says_why_and_when(
    client: Client, worker: Worker, model: ScriptedModel, ops: Receiver, tmp_path: Path, encrypts: bool
) -> None:
    if encrypts:
        config = client.config()
        config["data_converter"] = data_converter(client.namespace, KeyRing.read(key_file(tmp_path, k1=new_key())))
        client = worker.client = Client(**config)
    ops.answers = ["503 Busy\r\nRetry-After: 3600"]
    model.scripts["Hello."] = [say("Hello.")]
    async with worker() as settings:
        handle = await asked(client, settings, "Hello.", "ops")
        ended = await outcome(handle)
        async with asyncio.timeout(20):
            while not (found := await callbacks_of(client, handle.id)) or not found[0].error:
                await asyncio.sleep(0.05)
    [callback] = found
    assert ended.summary == "Hello."
    assert (callback.status, callback.attempts, callback.error) == (CallbackStatus.TRYING, 1, "ops answered 503 Busy")
    assert callback.next_attempt_at is not None
    assert (callback.next_attempt_at - callback.at).total_seconds() > 3500
    await client.get_workflow_handle(callback.callback_id).terminate()


@pytest.mark.parametrize(
    ("notify", "requester", "why"),
    [
        ("opps", "ann", "notify: opps: there is no such endpoint; did you mean ops?"),
        ("bills", "ann", "notify: bills: there is no such endpoint. The endpoints are ops."),
    ],
)
async def test_an_endpoint_that_there_is_not_or_not_for_this_requester_is_refused_before_anything_is_done(
    client: Client,
    worker: Worker,
    model: ScriptedModel,
    ops: Receiver,
    notify: str,
    requester: str,
    why: str,
) -> None:
    more = (
        f'[endpoint.bills]\nurl = "{ops.url}"\nsecrets = ["OPS_SECRET"]\nprivate = true\nrequesters = ["billing-*"]\n'
    )
    async with worker(more) as settings:
        handle = await asked(client, settings, "Hello.", notify, requester=requester)
        ended = await outcome(handle)
        [failed] = await known(client, handle)
    assert ended.status is RequestStatus.FAILED
    assert ended.summary.startswith(f"Nothing was done: {why}")
    assert model.asked == []
    assert (failed.status, ops.received) == (CallbackStatus.FAILED, [])


async def test_an_endpoint_that_there_is_not_is_refused_before_a_given_call_is_made(
    client: Client, worker: Worker, happened: World
) -> None:
    given = {"tool": "write_down", "arguments": {"word": "tree"}}
    async with worker() as settings:
        ended = await outcome(await asked(client, settings, "", "opps", call=given, approve=["*"]))
    assert ended.status is RequestStatus.FAILED
    assert "notify: opps: there is no such endpoint; did you mean ops?" in ended.summary
    assert happened.done("write_down") == []


async def test_an_endpoint_that_there_is_not_is_refused_before_a_plan_is_applied(
    client: Client, worker: Worker
) -> None:
    plan = Apply(request_id="rehearsed", digest="0" * 64)
    request = Request(apply=plan, approve=("*",), notify=("opps",))
    async with worker() as settings:
        queue, id = settings.worker.task_queue, applied_id(plan.request_id)
        handle, _ = await start(client, request, request_id=id, task_queue=queue)
        ended = await outcome(handle)
    assert ended.status is RequestStatus.FAILED
    assert ended.summary.startswith("Nothing was written: notify: opps: there is no such endpoint; did you mean ops?")


async def test_a_request_that_is_cancelled_says_so(
    client: Client, worker: Worker, model: ScriptedModel, ops: Receiver
) -> None:
    model.scripts["Tell ann."] = [TELL, say("Told.")]
    async with worker() as settings:
        handle = await asked(client, settings, "Tell ann.", "ops")
        await until_it_waits(handle)
        await handle.cancel()
        await ops.until(2)
    assert [each.verified()["type"] for each in ops.received] == ["approval.requested", "request.cancelled"]


async def test_a_run_that_does_anothers_work_again_tells_nothing_twice(
    client: Client, worker: Worker, model: ScriptedModel, ops: Receiver
) -> None:
    model.scripts["Hello."] = [say("Hello.")] * 2
    async with worker() as settings:
        handle = await asked(client, settings, "Hello.", "ops")
        await outcome(handle)
        await ops.until(1)
        await known(client, handle)
        run_id = await reset_to_its_beginning(client, handle)
        again = await client.get_workflow_handle(handle.id, run_id=run_id).result()
        assert again["summary"] == "Hello."
        assert len(await known(client, handle)) == 1
    assert len(ops.received) == 1


async def test_while_a_secret_is_changed_a_receiver_may_know_either(
    client: Client, worker: Worker, model: ScriptedModel, ops: Receiver
) -> None:
    more = worker.endpoint("both", "NEW_SECRET", "OPS_SECRET")
    model.scripts["Hello."] = [say("Hello.")]
    async with worker(more) as settings:
        await outcome(await asked(client, settings, "Hello.", "both"))
        [told] = await ops.until(1)
    assert told.verified(SECRET) == told.verified(OTHER_SECRET)
    assert len(told.headers["webhook-signature"].split(" ")) == 2


async def test_a_request_that_names_no_endpoint_records_nothing_of_them(
    client: Client, worker: Worker, model: ScriptedModel, ops: Receiver
) -> None:
    model.scripts["Hello."] = [say("Hello.")]
    async with worker() as settings:
        handle = await asked(client, settings, "Hello.")
        await outcome(handle)
        events = [event async for event in handle.fetch_history_events()]
    assert len(events) == 12
    assert not any(b"notify" in event.SerializeToString() for event in events)
