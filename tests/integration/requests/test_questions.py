"""ask_requester: the request waits until somebody answers by `say`, and the model gets the answer."""

import asyncio
import json
import uuid

import pytest
from pydantic import JsonValue
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from activities.settings import Settings
from tests.conftest import running_worker
from tests.integration.requests.asking import Handle, ask, last_told, reset_to_its_beginning, start, state, until
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls
from tests.scripted_model import say as says
from workflows.contract.api import Limits, Outcome, PendingQuestion, ReceiptStatus, RequestStatus, Say


async def until_asked(handle: Handle, questions: int = 1) -> tuple[PendingQuestion, ...]:
    return (await until(handle, lambda now: len(now.awaiting_answer) == questions)).awaiting_answer


async def say(handle: Handle, text: str, id: str | None = None, **more: str) -> Outcome:
    said = Say.model_validate({"text": text, **more})
    updated = handle.execute_update("say", said, id=id or uuid.uuid4().hex, result_type=Outcome)  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open
    return await updated


async def refused(handle: Handle, text: str, **more: str) -> str | None:
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await say(handle, text, **more)
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause.type


def results(outcome: Outcome) -> list[JsonValue]:
    return [receipt.result for receipt in outcome.receipts]


async def test_the_answer_is_the_result_with_the_name_of_who_gave_it(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Tell Ann"] = [calls(call("ask_requester", question="Which Ann?")), says("Done.")]
    async with running_worker(client, settings, sandboxed=True):
        handle = await start(client, settings, "Tell Ann")
        [question] = await until_asked(handle)
        assert (question.key, question.text) == (f"{handle.id}/1.1", "Which Ann?")
        answered = await say(handle, "The one with the hat", by="bob")
        assert (answered.status, answered.summary) == (RequestStatus.RUNNING, f"This answers {handle.id}/1.1.")
        outcome = await handle.result()
    assert outcome.status is RequestStatus.COMPLETED
    [receipt] = outcome.receipts
    assert (receipt.status, receipt.effect) == (ReceiptStatus.DONE, "read")
    assert receipt.result == {"answer": "The one with the hat", "by": "bob"}
    assert last_told(model) == [("ask_requester", "{answer:The one with the hat,by:bob}")]


async def test_that_nobody_answers_in_time_is_told_to_the_model_and_the_request_goes_on(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Ask"] = [calls(call("ask_requester", question="Which Ann?")), says("I do not know which Ann.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Ask", limits=Limits(approval_seconds=1))
    assert outcome.status is RequestStatus.COMPLETED
    [receipt] = outcome.receipts
    assert receipt.status is ReceiptStatus.DONE
    assert receipt.result == {"answer": None, "reason": "nobody answered within 1 s"}


async def test_two_questions_at_once_are_answered_in_their_order_or_by_their_keys(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    three = [call("ask_requester", question=each) for each in ("One?", "Two?", "Three?")]
    model.scripts["Three"] = [calls(*three), says("Done.")]
    async with running_worker(client, settings, sandboxed=True):
        handle = await start(client, settings, "Three")
        asked = await until_asked(handle, 3)
        assert [question.text for question in asked] == ["One?", "Two?", "Three?"]
        await say(handle, "two", question=asked[1].key)
        await say(handle, "one")
        assert await refused(handle, "two again", question=asked[1].key) == "NotWaiting"
        await say(handle, "three")
        assert results(await handle.result()) == [{"answer": "one"}, {"answer": "two"}, {"answer": "three"}]


async def test_a_question_outlives_its_worker(client: Client, settings: Settings, model: ScriptedModel) -> None:
    model.scripts["Ask"] = [calls(call("ask_requester", question="Which Ann?")), says("Done.")]
    async with running_worker(client, settings, sandboxed=True):
        handle = await start(client, settings, "Ask")
        await until_asked(handle)
    async with running_worker(client, settings, sandboxed=True):
        assert len((await state(handle)).awaiting_answer) == 1
        await say(handle, "the first")
        assert results(await handle.result()) == [{"answer": "the first"}]


async def test_after_a_reset_the_question_is_asked_again_and_an_old_answer_answers_no_other(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Ask"] = [calls(call("ask_requester", question="Which Ann?")), says("Done.")]
    async with running_worker(client, settings, sandboxed=True):
        handle = await start(client, settings, "Ask", keep_open=True)
        [question] = await until_asked(handle)
        await say(handle, "the first", question=question.key)
        await until(handle, lambda now: now.doing == "waiting for a message")
        run_id = await reset_to_its_beginning(client, handle)
        again: WorkflowHandle[object, Outcome] = client.get_workflow_handle(
            handle.id, run_id=run_id, result_type=Outcome
        )
        await until_asked(again)
        await say(again, "the second", question=question.key)
        done = await until(again, lambda now: now.doing == "waiting for a message")
        assert [receipt.result for receipt in done.receipts] == [{"answer": "the second"}]
        await again.execute_update("close")  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open
        await again.result()


async def test_in_a_conversation_what_is_said_while_a_question_waits_is_its_answer(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    asks = calls(call("ask_requester", question="Which Ann?"))
    model.scripts["Hello"] = [asks, says("Done."), says("Bye.")]
    async with running_worker(client, settings, sandboxed=True):
        handle = await start(client, settings, "", keep_open=True)
        hello = asyncio.create_task(say(handle, "Hello"))
        await until_asked(handle)
        assert (await say(handle, "the first", "an answer")).status is RequestStatus.RUNNING
        assert results(await hello) == [{"answer": "the first"}]
        again = await say(handle, "the first", "an answer")
        assert again.status is RequestStatus.RUNNING, "the same id twice is one message"
        assert (await say(handle, "Bye")).summary == "Bye."
        await handle.execute_update("close")  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open
        assert len((await handle.result()).receipts) == 1


async def test_an_answer_to_no_question_is_refused(client: Client, settings: Settings, model: ScriptedModel) -> None:
    model.scripts["Ask"] = [calls(call("ask_requester", question="Which Ann?")), says("Done.")]
    model.held_turn = 0
    async with running_worker(client, settings, sandboxed=True):
        handle = await start(client, settings, "Ask")
        await until(handle, lambda now: "asking the model" in now.doing)
        assert await refused(handle, "too early") == "NotOpen"
        assert await refused(handle, "too early", question=f"{handle.id}/1.1") == "NotWaiting"
        model.go.set()
        await until_asked(handle)
        await say(handle, "now")
        await handle.result()


async def test_an_answer_grounds_what_it_mentions(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    asks = calls(call("ask_requester", question="Whom?"))
    model.scripts["Tell her"] = [asks, calls(call("tell", to=["ann"], what="it")), says("Done.")]
    async with running_worker(client, settings, sandboxed=True):
        handle = await start(client, settings, "Tell her", approve=("tell",))
        await until_asked(handle)
        await say(handle, "Tell ann, please")
        assert [receipt.status for receipt in (await handle.result()).receipts] == [ReceiptStatus.DONE] * 2
    assert happened.done("tell") == ["ann"]


async def test_a_request_that_is_cancelled_does_not_wait_for_an_answer(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Ask"] = [calls(call("ask_requester", question="Which Ann?"))]
    async with running_worker(client, settings, sandboxed=True):
        handle = await start(client, settings, "Ask")
        await until_asked(handle)
        await handle.cancel()
        outcome = await handle.result()
    assert outcome.status is RequestStatus.CANCELLED
    [receipt] = outcome.receipts
    assert (receipt.status, receipt.error) == (ReceiptStatus.CANCELLED, "the request ended before anybody answered")


async def test_current_details_show_the_question_and_how_to_answer_it(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Ask"] = [calls(call("ask_requester", question="Which Ann?")), says("Done.")]
    async with running_worker(client, settings, sandboxed=True):
        handle = await start(client, settings, "Ask")
        await until_asked(handle)
        shown = (await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)).current_details
        assert "### Waits for an answer" in shown
        assert "question: Which Ann?" in shown
        assert f"uv run client.py say {handle.id}" in shown
        update = next(line for line in shown.splitlines() if line.startswith("    {"))
        await handle.execute_update("say", json.loads(update))  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open
        assert results(await handle.result()) == [{"answer": "your answer", "by": "your name"}]
