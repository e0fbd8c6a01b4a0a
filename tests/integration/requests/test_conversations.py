"""A request that is kept open takes message after message, and answers each once."""

import asyncio
import uuid

import pytest
from pydantic_core import to_json
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError

from activities.settings import Settings
from tests.conftest import running_worker
from tests.dev_server import dev_server
from tests.integration.requests.asking import Handle, answer, start, state, until, until_it_waits
from tests.integration.requests.deciding import ONCE, Decisions, calls_nothing_that_is_there, looks_up, says
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls
from tests.scripted_model import say as say_so
from workflows.contract.api import REQUEST_WORKFLOW, Approve, Limits, Outcome, Request, RequestStatus, Say
from workflows.contract.internal import Decision, ProposedCall, Route
from workflows.inbox import MOST_WAITING

OPEN = Request(keep_open=True)


async def say(handle: Handle, text: str, id: str | None = None) -> Outcome:
    """Say something as any caller does, and again where the request has moved on to a new run."""
    id = id or uuid.uuid4().hex
    while True:
        try:
            said = handle.execute_update("say", Say(text=text), id=id, result_type=Outcome)  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open
            return await said
        except WorkflowUpdateFailedError as failed:
            if not isinstance(failed.cause, ApplicationError) or failed.cause.type not in ("Moved", "Busy"):
                raise
            await asyncio.sleep(0.2)


async def begins_to_say(handle: Handle, text: str) -> WorkflowUpdateHandle[Outcome]:
    """Say something that has come when this returns, and may be answered later."""
    taken = WorkflowUpdateStage.ACCEPTED
    return await handle.start_update("say", Say(text=text), wait_for_stage=taken, result_type=Outcome)  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open


async def close(handle: Handle) -> Outcome:
    await handle.execute_update("close")  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open
    return await handle.result()


async def test_each_message_has_its_own_outcome_and_the_model_knows_all_that_was_said_before(client: Client) -> None:
    decisions = Decisions(looks_up("tree"), says("A tree."), looks_up("oak"), says("An oak."))
    async with decisions.at_work(client):
        handle = await decisions.start(client, OPEN)
        tree, oak = await say(handle, "What is a tree?"), await say(handle, "And an oak?")
        whole = await close(handle)
    assert (tree.summary, oak.summary, whole.summary) == ("A tree.", "An oak.", "An oak.")
    assert [len(outcome.receipts) for outcome in (tree, oak, whole)] == [1, 1, 2]
    assert [receipt.key.rpartition("/")[2] for receipt in whole.receipts] == ["1.1", "3.1"]
    told = str(decisions.asked[-1].conversation)
    assert all(text in told for text in ("What is a tree?", "A tree.", "And an oak?"))


async def test_a_request_may_begin_with_a_text_and_be_kept_open_for_more(client: Client) -> None:
    decisions = Decisions(says("Hello."), says("Bye."))
    async with decisions.at_work(client):
        handle = await decisions.start(client, Request(text="Hi", keep_open=True))
        await until(handle, lambda now: now.doing == "waiting for a message")
        assert (await state(handle)).status is RequestStatus.RUNNING
        assert (await say(handle, "Bye")).summary == "Bye."
        assert (await close(handle)).status is RequestStatus.COMPLETED


async def test_a_conversation_is_started_together_with_its_first_message(client: Client) -> None:
    decisions = Decisions(says("Hello."))
    async with decisions.at_work(client):
        start: WithStartWorkflowOperation[object, Outcome] = WithStartWorkflowOperation(
            REQUEST_WORKFLOW,
            OPEN,
            id=f"test-{uuid.uuid4().hex[:12]}",
            task_queue=decisions.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            result_type=Outcome,
        )
        said = client.execute_update_with_start_workflow(  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open
            "say", Say(text="Hi"), start_workflow_operation=start, result_type=Outcome
        )
        assert (await said).summary == "Hello."
        await close(await start.workflow_handle())


async def test_messages_that_wait_for_no_answer_are_answered_in_the_order_they_came(client: Client) -> None:
    decisions = Decisions(*(says(f"answer {number}") for number in range(5)))
    async with decisions.at_work(client):
        handle = await decisions.start(client, OPEN)
        said = [await begins_to_say(handle, f"message {number}") for number in range(5)]
        assert [(await each.result()).summary for each in said] == [f"answer {number}" for number in range(5)]
        await close(handle)


async def test_the_same_message_id_is_one_message(client: Client) -> None:
    decisions = Decisions(says("Once."))
    async with decisions.at_work(client):
        handle = await decisions.start(client, OPEN)
        first, second = await asyncio.gather(say(handle, "Hi", "one"), say(handle, "Hi", "one"))
        assert first == second == await say(handle, "Hi", "one")
        await close(handle)
    assert len(decisions.asked) == 1


async def test_a_message_that_fails_or_reaches_a_limit_leaves_the_conversation_open(client: Client) -> None:
    mistakes = [calls_nothing_that_is_there()] * 5
    decisions = Decisions(*mistakes, looks_up("a"), looks_up("b"), looks_up("c"), says("Fine."))
    async with decisions.at_work(client):
        request = Request(keep_open=True, limits=Limits(turns=5, calls=2))
        handle = await decisions.start(client, request)
        assert (await say(handle, "One")).status is RequestStatus.LIMIT_REACHED
        assert len(decisions.asked) == 3
        await close(handle)


async def test_turns_and_calls_count_anew_for_each_message_and_tokens_do_not(client: Client) -> None:
    decisions = Decisions(*(says("Fine.") for _ in range(4)))
    async with decisions.at_work(client):
        handle = await decisions.start(client, Request(keep_open=True, limits=Limits(turns=1, output_tokens=20)))
        statuses = [(await say(handle, f"message {number}")).status for number in range(3)]
        await close(handle)
    assert statuses == [RequestStatus.COMPLETED, RequestStatus.COMPLETED, RequestStatus.LIMIT_REACHED]


async def test_nobody_saying_anything_for_long_closes_the_conversation(client: Client) -> None:
    decisions = Decisions(says("Hello."))
    async with decisions.at_work(client):
        handle = await decisions.start(client, Request(text="Hi", keep_open=True, limits=Limits(idle_seconds=1)))
        outcome = await handle.result()
    assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "Hello.")


async def test_nothing_can_be_said_to_a_request_that_is_not_open(client: Client) -> None:
    decisions = Decisions(looks_up("slow"), says("Hello."))
    async with decisions.at_work(client):
        handle = await decisions.start(client, Request(text="Hi"))
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await say(handle, "More")
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == "NotOpen"


async def test_cancelling_a_conversation_that_waits_ends_it(client: Client) -> None:
    decisions = Decisions(says("Hello."))
    async with decisions.at_work(client):
        handle = await decisions.start(client, OPEN)
        await say(handle, "Hi")
        await handle.cancel()
        assert (await handle.result()).status is RequestStatus.CANCELLED


async def test_a_message_that_ends_at_once_does_not_take_the_outcome_of_the_one_before_from_its_caller(
    client: Client,
) -> None:
    decisions = Decisions(looks_up("a"), says("One."))
    async with decisions.at_work(client):
        handle = await decisions.start(client, Request(keep_open=True, limits=Limits(output_tokens=20)))
        first, second = await asyncio.gather(say(handle, "One"), say(handle, "Two"))
        await close(handle)
    assert {first.status, second.status} == {RequestStatus.COMPLETED, RequestStatus.LIMIT_REACHED}


async def test_a_call_can_be_decided_about_however_many_messages_wait(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["first"] = [calls(call("write_down", word="a")), *(say_so("Done.") for _ in range(20))]
    async with running_worker(client, settings, sandboxed=True):
        handle = await start(client, settings, "", keep_open=True)
        said = [asyncio.create_task(say(handle, "first"))]
        pending = await until_it_waits(handle)
        said += [asyncio.create_task(say(handle, f"message {number}")) for number in range(8)]
        await until(handle, lambda now: now.messages_waiting == MOST_WAITING)
        async with asyncio.timeout(10):
            await answer(handle, Approve(key=pending.key, digest=pending.digest, by="ann"))
        assert {(await each).status for each in said} == {RequestStatus.COMPLETED}
        await close(handle)


async def test_when_a_conversation_is_cancelled_a_message_that_was_not_begun_has_no_receipts(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["first"] = [calls(call("write_down", word="a"))]
    async with running_worker(client, settings, sandboxed=True):
        handle = await start(client, settings, "", keep_open=True)
        first = asyncio.create_task(say(handle, "first"))
        await until_it_waits(handle)
        second = asyncio.create_task(say(handle, "second"))
        await until(handle, lambda now: now.messages_waiting == 1)
        await handle.cancel()
        assert len((await first).receipts) == 1
        assert (await second).receipts == ()
        assert (await handle.result()).status is RequestStatus.CANCELLED


@pytest.mark.long
async def test_a_conversation_of_any_length_stays_small_enough_to_go_on(client: Client) -> None:
    decisions = Decisions(*(says("Fine.") for _ in range(45)))
    async with decisions.at_work(client):
        handle = await decisions.start(client, OPEN)
        for number in range(45):
            await say(handle, "€" * 19_990 + str(number))
        await close(handle)
    last = decisions.asked[-1].conversation
    assert len(to_json(last)) < 250_000
    assert "left out" in str(last[0])
    assert str(last[-1]).count("€") > 19_000


async def test_a_conversation_goes_on_through_new_runs_and_forgets_nothing() -> None:
    turns = [decision for word in "abcdefgh" for decision in (looks_up(word), says(f"It is {word}."))]
    decisions = Decisions(*turns)
    async with dev_server("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=30") as environment:
        client = environment.client
        async with decisions.at_work(client):
            handle = await decisions.start(client, OPEN)
            outcomes = [await say(handle, f"What is {word}?", f"id-{word}") for word in "abcdefgh"]
            again = await say(handle, "What is h?", "id-h")
            with pytest.raises(WorkflowUpdateFailedError):
                await say(handle, "What is a?", "id-a")  # its outcome is two runs old
            whole = await close(handle)
        runs = [run async for run in client.list_workflows(f"WorkflowId = '{handle.id}'")]
    assert len(runs) >= 3
    assert [outcome.summary for outcome in outcomes] == [f"It is {word}." for word in "abcdefgh"]
    assert again == outcomes[-1]
    assert len(whole.receipts) == 8
    assert len(decisions.asked) == 16
    assert "What is a?" in str(decisions.asked[-1].conversation)


@pytest.mark.long
async def test_an_answer_that_is_said_again_in_a_new_run_is_no_message_there() -> None:
    route = Route(effect="read", asks="question")
    asks = ProposedCall(tool="ask_requester", arguments={"question": "Which?"}, route=route)
    turns = [Decision(calls=(asks,), usage=ONCE), *(looks_up(word) for word in "abcdef"), says("That was long.")]
    decisions = Decisions(*turns)
    short = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=20")
    async with dev_server(*short) as environment, decisions.at_work(environment.client):
        handle = await decisions.start(environment.client, OPEN)
        saying = asyncio.create_task(say(handle, "Look up a lot"))
        await until(handle, lambda now: bool(now.awaiting_answer))
        assert (await say(handle, "This one", "an-answer")).status is RequestStatus.RUNNING
        outcome = await saying
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await say(handle, "This one", "an-answer")
        await close(handle)
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "AnsweredBefore"
    assert outcome.receipts[0].result == {"answer": "This one"}
    assert len(decisions.asked) == 8


@pytest.mark.long
async def test_a_message_that_a_new_run_finds_under_way_is_answered_there_to_whoever_asks_again() -> None:
    decisions = Decisions(*(looks_up(word) for word in "abcdefgh"), says("That was long."))
    short = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=30")
    async with dev_server(*short) as environment, decisions.at_work(environment.client):
        handle = await decisions.start(environment.client, OPEN)
        outcome = await say(handle, "Look up a lot")
        await close(handle)
    assert (outcome.summary, len(outcome.receipts)) == ("That was long.", 8)
    assert len(decisions.asked) == 9
