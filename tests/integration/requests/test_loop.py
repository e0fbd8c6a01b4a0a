"""The loop of a request, on a real server, with a scripted model and real activities."""

from temporalio.client import Client

from activities.settings import Settings
from tests.conftest import running_worker
from tests.integration.requests.asking import ask
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract import ReceiptStatus, RequestStatus


async def test_a_request_that_needs_no_tool_ends_with_the_models_words(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Hello"] = [say("Hello to you.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Hello")
    assert (outcome.status, outcome.summary, outcome.receipts) == (RequestStatus.COMPLETED, "Hello to you.", ())
    assert (outcome.usage.model_calls, outcome.usage.input_tokens, outcome.usage.output_tokens) == (1, 100, 10)


async def test_a_tools_result_goes_back_to_the_model_and_onto_a_receipt(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Look up tree"] = [calls(call("look_up", word="tree")), say("A tree is a tree.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Look up tree")
    [receipt] = outcome.receipts
    assert receipt.key == f"{outcome.request_id}/1.1"
    assert (receipt.tool, receipt.status, receipt.effect) == ("look_up", ReceiptStatus.DONE, "read")
    assert receipt.result == {"word": "tree", "meaning": "the meaning of tree"}
    assert happened.done("look_up") == ["tree"]
    told = model.asked[-1]["messages"]
    assert isinstance(told, list)
    assert isinstance(told[-1], dict)
    assert told[-1]["role"] == "tool"
    assert told[-1]["content"] == '{"word":"tree","meaning":"the meaning of tree"}'
