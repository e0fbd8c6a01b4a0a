"""A summary that claims an action which no receipt bears out is not passed on silently."""

from temporalio.client import Client

from activities.settings import Settings
from tests.conftest import running_worker
from tests.integration.requests.asking import ask
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import RequestStatus


async def test_a_claim_without_a_receipt_goes_back_to_the_model_once_which_may_do_it_then(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write"] = [say("I wrote it down."), calls(call("write_down", word="tree")), say("I wrote it down.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Write", approve=("*",))
    assert (outcome.status, outcome.unsupported_claims) == (RequestStatus.COMPLETED, ())
    assert happened.done("write_down") == ["tree"]
    told = str(model.asked[1]["messages"])
    assert "no call of write_down has succeeded" in told


async def test_a_claim_that_the_model_repeats_is_marked(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Write"] = [say("I wrote it down."), say("Really, I wrote it down.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Write", approve=("*",))
    assert outcome.summary == "Really, I wrote it down."
    assert outcome.unsupported_claims == ('"Really, I wrote it down.": no call of write_down has succeeded',)


async def test_of_a_write_that_may_have_happened_the_model_is_told_to_say_so_and_not_to_repeat_it(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    wrong, right = say("It was not written down."), say("It may have been written down.")
    model.scripts["Write"] = [calls(call("write_down", word="maybe")), wrong, right]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Write", approve=("*",))
    assert (outcome.summary, outcome.unsupported_claims) == ("It may have been written down.", ())
    told = str(model.asked[2]["messages"])
    assert "Nobody knows that: write_down may have been done, or not. Say so, and do not do it again." in told
    assert "Do it now" not in told


async def test_a_claim_that_a_receipt_bears_out_is_passed_on_without_a_further_question(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Write"] = [calls(call("write_down", word="tree")), say("I wrote it down.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Write", approve=("*",))
    assert outcome.unsupported_claims == ()
    assert len(model.asked) == 2


async def test_a_figure_that_nothing_says_goes_back_to_the_model_once_and_is_marked_if_it_stays(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Look"] = [calls(call("look_up", word="tree")), say("It has 74 leaves."), say("It has 75 leaves.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Look")
    assert "Neither the request nor a result says 74." in str(model.asked[2]["messages"])
    assert outcome.summary == "It has 75 leaves."
    assert outcome.unsupported_claims == ('"It has 75 leaves.": neither the request nor a result says 75',)


async def test_a_figure_of_the_request_or_of_a_result_is_passed_on(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    model.scripts["Look up oak 12"] = [calls(call("look_up", word="oak 12")), say("1 entry, for oak 12.")]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Look up oak 12")
    assert (outcome.summary, outcome.unsupported_claims) == ("1 entry, for oak 12.", ())
    assert len(model.asked) == 2
