"""A summary that claims an action which no receipt bears out is not passed on silently."""

from temporalio.client import Client

from activities.settings import Settings
from tests.conftest import running_worker
from tests.integration.requests.asking import ask
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract import RequestStatus


async def test_a_claim_without_a_receipt_goes_back_to_the_model_once_which_may_do_it_then(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = [say("I wrote it down."), calls(call("write_down", word="tree")), say("I wrote it down.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Write", approve=("*",))
    assert (outcome.status, outcome.summary_verified) == (RequestStatus.COMPLETED, True)
    assert happened.done("write_down") == ["tree"]
    told = str(model.asked[1]["messages"])
    assert "no call of write_down has succeeded" in told


async def test_a_claim_that_the_model_repeats_is_marked(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Write"] = [say("I wrote it down."), say("Really, I wrote it down.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Write", approve=("*",))
    assert (outcome.summary, outcome.summary_verified) == ("Really, I wrote it down.", False)


async def test_a_claim_that_a_receipt_bears_out_is_passed_on_without_a_further_question(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Write"] = [calls(call("write_down", word="tree")), say("I wrote it down.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Write", approve=("*",))
    assert outcome.summary_verified
    assert len(model.asked) == 2
