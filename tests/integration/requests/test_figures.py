"""A write whose text has a figure that nobody mentioned does not run without a person's yes."""

from temporalio.client import Client

from activities.settings import Settings
from tests.conftest import running_worker
from tests.integration.requests.asking import answer, ask, start, until_it_waits
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Approve, ReceiptStatus

MADE_UP = [*[calls(call("write_down", word="it costs 74.90"))] * 2, say("Done.")]
WHY = "neither the request nor a result says 74.90"


async def test_it_goes_back_once_and_then_needs_a_person_who_is_told_which(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write the price"] = MADE_UP
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write the price", approve=("*",))
        pending = await until_it_waits(handle)
        assert (pending.key, pending.reason) == (f"{handle.id}/2.1", WHY)
        assert happened.done("write_down") == []
        await answer(handle, Approve(key=pending.key, digest=pending.digest, by="ann"))
        outcome = await handle.result()
    assert [(each.status, each.approved_by) for each in outcome.receipts] == [
        (ReceiptStatus.INVALID, None),
        (ReceiptStatus.DONE, "ann"),
    ]
    assert f"{WHY}; use only what the request says" in str(model.asked[1]["messages"])


async def test_who_edits_it_is_not_asked_a_second_time(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write the price"] = MADE_UP
    async with running_worker(client, settings):
        handle = await start(client, settings, "Write the price")
        pending = await until_it_waits(handle)
        edited = Approve(key=pending.key, digest=pending.digest, by="ann", arguments={"word": "it costs 12.50"})
        await answer(handle, edited)
        await handle.result()
    assert happened.done("write_down") == ["it costs 12.50"]


async def test_with_the_figures_of_the_request_and_of_results_it_runs(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Write: 3 at 12.50"] = [
        calls(call("look_up", word="x17")),
        calls(call("write_down", word="x17: 3 × 12,50 € = 37,50 €")),
        say("Done."),
    ]
    async with running_worker(client, settings):
        outcome = await ask(client, settings, "Write: 3 at 12.50", approve=("*",))
    assert [each.status for each in outcome.receipts] == [ReceiptStatus.DONE, ReceiptStatus.DONE]
    assert happened.done("write_down") == ["x17: 3 × 12,50 € = 37,50 €"]
