"""The functions behind the command line, as a program uses them."""

import asyncio
import uuid
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel
from temporalio import workflow
from temporalio.client import Client, ScheduleActionStartWorkflow
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.errors import ErrandError, NotOpen
from activities.settings import Settings
from client import apply, close, handle_of, open_with, outcome, output_of, submit
from client import say as said_to
from deploy.client.queue import queue_or_set
from deploy.client.schedules import add_schedule
from deploy.client.timetables import Timetable
from tests.integration.cli.conftest import an_id
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import REQUEST_WORKFLOW, Outcome, Request, RequestStatus, Say
from workflows.contract.plans import Plan
from workflows.contract.progress import LimitsUsed, Messages, Progress

OPEN = Request(keep_open=True, requester="ann")


class Word(BaseModel):
    """A word, and how long it is."""

    word: str
    length: int


@workflow.defn(name=REQUEST_WORKFLOW)
class MovesOn:
    """Continues as new in the middle of a message, as a request does whose history has grown long."""

    @workflow.init
    def __init__(self, request: Request) -> None:
        self.moving = request.carried is None
        self.said = False

    @workflow.run
    async def run(self, request: Request) -> Outcome:
        await workflow.wait_condition(lambda: self.said)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if request.carried is None:
            progress = Progress(messages=Messages(), spending=LimitsUsed(deadline=workflow.now()))
            workflow.continue_as_new(request.model_copy(update={"carried": progress}))
        return self.outcome("The end.")

    @workflow.update
    async def say(self, message: Say) -> Outcome:
        self.said = True
        await workflow.sleep(0.1)
        if self.moving:
            raise ApplicationError("it goes on elsewhere", type="Moved", non_retryable=True)
        update = workflow.current_update_info()
        return self.outcome(f"{message.text} {update.id if update else ''}")

    def outcome(self, summary: str) -> Outcome:
        return Outcome(request_id=workflow.info().workflow_id, status=RequestStatus.COMPLETED, summary=summary)


async def test_the_first_message_starts_a_conversation_and_the_same_id_is_the_same_message(
    client: Client, settings: Settings, worker: ScriptedModel, happened: World
) -> None:
    worker.scripts["Write errand."] = [calls(call("write_down", word="errand")), say("It is over."), say("Bye.")]
    request = OPEN.model_copy(update={"approve": ("write_down",)})
    request_id, first, queue = an_id(), str(uuid.uuid4()), settings.worker.task_queue
    both = [
        open_with(client, request, "Write errand.", request_id=request_id, message_id=first, task_queue=queue)
        for _ in range(2)
    ]
    one, two = await asyncio.gather(*both)
    assert one == two
    assert await said_to(client, request_id, "Write errand.", message_id=first) == one
    assert happened.done("write_down") == ["errand"]
    described = await handle_of(client, request_id).describe()
    assert await described.static_summary() == "`Write errand.`"
    last = await said_to(client, request_id, "Goodbye.", by="bob")
    assert (last.summary, last.receipts) == ("Bye.", ())
    await close(handle_of(client, request_id))
    ended = await outcome(handle_of(client, request_id))
    assert (ended.summary, len(ended.receipts)) == ("Bye.", 1)


async def test_a_request_that_has_ended_takes_no_message_and_is_not_started_again(
    client: Client, settings: Settings, worker: ScriptedModel
) -> None:
    worker.scripts["Say hello."] = [say("Hello.")]
    handle = await submit(client, Request(text="Say hello."), task_queue=settings.worker.task_queue)
    await outcome(handle)
    with pytest.raises(NotOpen, match="has ended"):
        await said_to(client, handle.id, "Hello?")
    with pytest.raises(NotOpen, match="has ended"):
        await open_with(client, OPEN, "Hello?", request_id=handle.id, task_queue=settings.worker.task_queue)


async def test_what_a_program_starts_meets_the_workers_on_the_queue_that_is_set_whatever_else_is_set_wrongly(
    client: Client, settings: Settings, worker: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERRAND_TASK_QUEUE", queue := settings.worker.task_queue)
    monkeypatch.setenv("ERRAND_POLLERS", "none")
    monkeypatch.setenv("ERRAND_SMTP_URL", "no URL")
    worker.scripts |= {"Say hello.": [say("Hello.")], "Hello?": [say("Hello.")]}
    asked = await submit(client, Request(text="Say hello."))
    async with asyncio.timeout(20):  # on another queue nobody would answer
        opened = await open_with(client, OPEN, "Hello?")
    plan = Plan(request_id=an_id(), made_at=datetime.now(UTC)).sealed()
    applying = await apply(client, plan, requester="ann")
    for request in (asked, handle_of(client, opened.request_id), applying):
        assert (await request.describe()).task_queue == queue
    await close(handle_of(client, opened.request_id))
    made = await add_schedule(client, Timetable(cron="0 8 1 1 *"), Request(text="Say hello."), schedule_id=an_id())
    schedule = client.get_schedule_handle(made.schedule_id)
    action = (await schedule.describe()).schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    assert action.task_queue == queue
    await schedule.delete()


def test_without_that_setting_the_queue_is_errand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ERRAND_TASK_QUEUE", raising=False)
    assert queue_or_set(None) == "errand"
    assert queue_or_set("mine") == "mine"


async def test_a_request_that_is_not_kept_open_takes_no_message(
    client: Client, settings: Settings, worker: ScriptedModel
) -> None:
    worker.scripts["Write."] = [calls(call("write_down", word="errand")), say("It is over.")]
    handle = await submit(client, Request(text="Write."), task_queue=settings.worker.task_queue)
    with pytest.raises(NotOpen, match="takes no further message"):
        await said_to(client, handle.id, "Hello?")
    await handle.terminate()


async def test_whoever_waits_for_an_answer_can_stop_waiting(client: Client, settings: Settings) -> None:
    request_id = an_id()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await open_with(
                client, OPEN, "Is anybody there?", request_id=request_id, task_queue=settings.worker.task_queue
            )
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await said_to(client, request_id, "Is anybody there?")
    await handle_of(client, request_id).terminate()


async def test_a_message_is_said_again_to_the_run_that_continues_the_request(
    client: Client, settings: Settings
) -> None:
    queue, first, second = settings.worker.task_queue, str(uuid.uuid4()), str(uuid.uuid4())
    async with Worker(client, task_queue=queue, workflows=[MovesOn], workflow_runner=UnsandboxedWorkflowRunner()):
        answer = await open_with(client, OPEN, "Hello,", message_id=first, task_queue=queue)
        assert answer.summary == f"Hello, {first}"
        handle = await submit(client, OPEN, task_queue=queue)
        answer = await said_to(client, handle.id, "Hello,", message_id=second)
        assert answer.summary == f"Hello, {second}"


async def test_an_output_is_asked_for_and_read_as_a_model(
    client: Client, settings: Settings, worker: ScriptedModel
) -> None:
    worker.scripts["How long is errand: 6 letters?"] = [say("Yes."), say('{"word": "errand", "length": 6}')]
    handle = await submit(
        client, Request(text="How long is errand: 6 letters?"), Word, task_queue=settings.worker.task_queue
    )
    assert output_of(await outcome(handle), Word) == Word(word="errand", length=6)


def test_an_outcome_without_an_output_says_why() -> None:
    stopped = Outcome(request_id="r", status=RequestStatus.LIMIT_REACHED, summary="Stopped at the limit of 1 turn.")
    with pytest.raises(ErrandError, match="r has no output; it is limit_reached: Stopped at the limit of 1 turn"):
        output_of(stopped, Word)
