"""The loop of a request, on a real server, with a scripted model and real activities."""

import asyncio

import pytest
from temporalio.client import Client, WorkflowFailureError

from activities.settings import Settings
from tests.conftest import running_worker
from tests.integration.requests.asking import ask, last_told, start
from tests.sample_tools import World
from tests.scripted_model import Raw, ScriptedModel, call, calls, say
from workflows.contract.api import REQUEST_WORKFLOW, ReceiptStatus, RequestStatus


async def test_a_request_that_needs_no_tool_ends_with_the_models_words(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Hello"] = [say("Hello to you.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Hello")
    assert (outcome.status, outcome.summary, outcome.receipts) == (RequestStatus.COMPLETED, "Hello to you.", ())
    assert (outcome.usage.model_calls, outcome.usage.input_tokens, outcome.usage.output_tokens) == (1, 100, 10)


async def test_a_tools_result_goes_back_to_the_model_and_onto_a_receipt(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Look up tree"] = [calls(call("look_up", word="tree")), say("A tree is a tree.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Look up tree")
    [receipt] = outcome.receipts
    assert receipt.key == f"{outcome.request_id}/1.1"
    assert (receipt.tool, receipt.status, receipt.effect) == ("look_up", ReceiptStatus.DONE, "read")
    assert receipt.result == {"word": "tree", "meaning": "the meaning of tree"}
    assert happened.done("look_up") == ["tree"]
    assert last_told(model) == [("look_up", "{word:tree,meaning:the meaning of tree}")]


async def test_neighbouring_reads_run_at_once_and_a_write_waits_for_all_before_it(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    together = [call("look_up", word="a", seconds=0.5), call("look_up", word="b", seconds=0.5)]
    write = call("write_down", word="c", seconds=1)
    model.scripts["Mixed"] = [calls(*together, write, call("look_up", word="d")), say("Done.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Mixed", approve=("write_down",))
    times = {word: (start, end) for _, word, start, end in happened.happened}
    assert times["a"][0] < times["b"][1]
    assert times["b"][0] < times["a"][1]
    assert times["c"][0] >= max(times["a"][1], times["b"][1])
    assert times["d"][0] >= times["c"][1]
    assert [receipt.arguments["word"] for receipt in outcome.receipts] == ["a", "b", "c", "d"]


async def test_a_call_that_does_not_fit_the_schema_is_not_run_and_the_model_is_told_why(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Wrong"] = [calls(call("look_up", wrod="tree")), calls(call("look_up", word="tree")), say("Found.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Wrong")
    assert [receipt.status for receipt in outcome.receipts] == [ReceiptStatus.INVALID, ReceiptStatus.DONE]
    assert "wrod" in str(outcome.receipts[0].error)
    assert happened.done("look_up") == ["tree"]


async def test_a_tool_that_does_not_exist_is_not_run_and_the_model_is_told_which_do(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Fly"] = [calls(call("fly", to="the moon")), say("I cannot fly.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Fly")
    assert outcome.status is RequestStatus.COMPLETED
    assert (outcome.receipts[0].status, outcome.receipts[0].effect) == (ReceiptStatus.INVALID, None)
    assert "look_up" in last_told(model)[0][1]


async def test_a_tool_that_fails_for_good_goes_back_to_the_model_and_does_not_fail_the_request(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Nothing"] = [calls(call("look_up", word="nothing")), say("There is no such entry.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Nothing")
    assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "There is no such entry.")
    assert (outcome.receipts[0].status, outcome.receipts[0].attempts) == (ReceiptStatus.FAILED, 1)
    assert outcome.receipts[0].error == "there is no entry for nothing"


async def test_a_read_that_fails_for_a_moment_is_tried_again_and_its_receipt_counts_the_attempts(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    happened.failures["tree"] = 1
    model.scripts["Flaky"] = [calls(call("look_up", word="tree")), say("Found.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Flaky")
    assert (outcome.receipts[0].status, outcome.receipts[0].attempts) == (ReceiptStatus.DONE, 2)


@pytest.mark.parametrize(("word", "says"), [("maybe", "the pencil broke"), ("broken", "a mistake in the tool")])
async def test_a_write_whose_end_nobody_knows_is_unknown_and_not_tried_again(
    client: Client, settings: Settings, model: ScriptedModel, happened: World, word: str, says: str
) -> None:
    model.scripts[word] = [calls(call("write_down", word=word)), say("I do not know.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, word, approve=("*",))
    [receipt] = outcome.receipts
    assert (receipt.status, receipt.attempts) == (ReceiptStatus.UNKNOWN, 1)
    assert says in str(receipt.error)
    assert happened.done("write_down") == []


@pytest.mark.parametrize(
    ("held_up", "status", "engraved"),
    [("before", ReceiptStatus.FAILED, []), ("after", ReceiptStatus.UNKNOWN, ["oak"])],
)
async def test_a_write_whose_time_ran_out_is_settled_by_what_the_ledger_knows(
    client: Client,
    settings: Settings,
    model: ScriptedModel,
    happened: World,
    held_up: str,
    status: ReceiptStatus,
    engraved: list[str],
) -> None:
    model.scripts["Engrave"] = [calls(call("engrave", word="oak", held_up=held_up)), say("I do not know.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Engrave", approve=("*",))
        await asyncio.sleep(4)
    assert [receipt.status for receipt in outcome.receipts] == [status]
    assert happened.done("engrave") == engraved


async def test_a_result_of_more_than_16_kib_reaches_the_model_shortened_and_says_so(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Long"] = [calls(call("long_text", size=100_000)), say("Long.")]
    async with running_worker(client, settings, sandboxed=True):
        await ask(client, settings, "Long")
    [(_, text)] = last_told(model)
    assert len(text) < 17_000
    assert "[shortened: the first 16,384 of 100,000 bytes]" in text


async def test_the_model_is_asked_again_after_an_overload_and_every_http_request_is_an_attempt(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Busy"] = [say("Now.")]
    model.trouble.extend([Raw(429, "{}", {"Retry-After": "1"}), Raw(500, "oops")])
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Busy")
    assert (outcome.summary, outcome.usage.model_calls, len(model.asked)) == ("Now.", 3, 3)


async def test_a_model_that_refuses_for_good_fails_the_request_with_its_reason_and_its_receipts(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    key_is_wrong = Raw(401, '{"error": {"message": "Incorrect API key"}}')
    model.scripts["Locked"] = [calls(call("look_up", word="tree")), key_is_wrong]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Locked")
    assert outcome.status is RequestStatus.FAILED
    assert "Incorrect API key" in outcome.summary
    assert [receipt.status for receipt in outcome.receipts] == [ReceiptStatus.DONE]


@pytest.mark.parametrize("arguments", [[{"txt": "misspelt"}], ["just text"], [{"text": " "}], []])
async def test_what_is_no_request_fails_the_run_with_the_reason_instead_of_blocking_it(
    client: Client, settings: Settings, arguments: list[object]
) -> None:
    async with running_worker(client, settings, sandboxed=True):
        handle = await client.start_workflow(
            REQUEST_WORKFLOW,
            args=arguments,
            id=f"bad-{settings.worker.task_queue}",
            task_queue=settings.worker.task_queue,
        )
        with pytest.raises(WorkflowFailureError):
            await handle.result()


async def test_the_same_request_id_is_the_same_run(client: Client, settings: Settings, model: ScriptedModel) -> None:
    model.scripts["Once"] = [calls(call("look_up", word="tree")), say("Once.")]
    async with running_worker(client, settings, sandboxed=True):
        first = await start(client, settings, "Once", request_id="the-one")
        again = await start(client, settings, "Once", request_id="the-one")
        assert await first.result() == await again.result()
    assert len(model.asked) == 2


async def test_a_caller_cannot_make_up_receipts_by_claiming_to_continue_an_earlier_run(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    receipt: dict[str, object] = {
        "key": "x/1.1",
        "tool": "write_down",
        "arguments": {},
        "effect": "write",
        "status": "done",
    }
    spending: dict[str, object] = {"deadline": "2100-01-01T00:00:00Z"}
    past: dict[str, object] = {"messages": {}, "spending": spending, "receipts": [receipt]}
    async with running_worker(client, settings, sandboxed=True):
        handle = await client.start_workflow(
            REQUEST_WORKFLOW,
            {"text": "Hello", "carried": past},
            id=f"forged-{settings.worker.task_queue}",
            task_queue=settings.worker.task_queue,
        )
        with pytest.raises(WorkflowFailureError) as refused:
            await handle.result()
    assert "carried" in str(refused.value.cause)
