"""Where a request stops although the model would go on, and what its outcome says then."""

import pytest
from temporalio.client import Client

from activities.settings import Settings
from tests.conftest import running_worker, settings_for
from tests.dev_server import dev_server
from tests.integration.requests.asking import ask, start
from tests.integration.requests.deciding import ONCE, Decisions, looks_up, says
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Limits, ReceiptStatus, Request, RequestStatus


def look_up_for_ever(model: ScriptedModel, text: str, turns: int = 30) -> None:
    model.scripts[text] = [calls(call("look_up", word=f"w{turn}")) for turn in range(turns)]


async def test_a_request_stops_at_its_turns_with_a_receipt_for_every_call(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    look_up_for_ever(model, "Go on")
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Go on", limits=Limits(turns=3))
    assert outcome.status is RequestStatus.LIMIT_REACHED
    assert outcome.summary == "Stopped at the limit of 3 turns. Done: look_up (3)."
    assert [receipt.status for receipt in outcome.receipts] == [ReceiptStatus.DONE] * 3


async def test_no_call_beyond_the_limit_is_run(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    three = calls(*(call("look_up", word=word) for word in "abc"))
    model.scripts["Too much"] = [three, three, say("Never said.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Too much", limits=Limits(calls=5))
    assert outcome.status is RequestStatus.LIMIT_REACHED
    assert [receipt.status for receipt in outcome.receipts] == [ReceiptStatus.DONE] * 3 + [ReceiptStatus.CANCELLED] * 3
    assert len(happened.done("look_up")) == 3


async def test_a_request_stops_at_its_time_limit_while_a_tool_or_an_approval_takes_longer(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    model.scripts["Slow read"] = [calls(call("look_up", word="tree", seconds=30)), say("Never said.")]
    model.scripts["Slow yes"] = [calls(call("write_down", word="tree")), say("Never said.")]
    async with running_worker(client, settings, sandboxed=True):
        slow_read = await start(client, settings, "Slow read", limits=Limits(seconds=3))
        slow_yes = await start(client, settings, "Slow yes", limits=Limits(seconds=3))
        for outcome in (await slow_read.result(), await slow_yes.result()):
            assert outcome.status is RequestStatus.LIMIT_REACHED
            assert "time limit of 3 s" in outcome.summary
    assert happened.done("write_down") == []


@pytest.mark.parametrize(
    ("limits", "summary"),
    [
        (Limits(input_tokens=150), "Stopped at the limit of 150 input tokens. Done: look_up (2)."),
        (Limits(output_tokens=15), "Stopped at the limit of 15 output tokens. Done: look_up (2)."),
        (Limits(cost=0.03), "Stopped at the limit of a cost of 0.03. Done: look_up (2)."),
    ],
)
async def test_a_request_stops_before_the_model_call_for_which_tokens_or_money_are_lacking(
    client: Client, limits: Limits, summary: str
) -> None:
    paid = ONCE.model_copy(update={"cost": 0.02})
    decisions = Decisions(*(looks_up(word, usage=paid) for word in "abc"))
    outcome = await decisions.ask(client, Request(text="Go", limits=limits))
    assert (outcome.status, outcome.summary) == (RequestStatus.LIMIT_REACHED, summary)
    assert len(decisions.asked) == 2


async def test_the_model_may_write_no_more_than_the_tokens_that_are_left(client: Client) -> None:
    decisions = Decisions(looks_up("a"), says("Done."))
    await decisions.ask(client, Request(text="Go", limits=Limits(output_tokens=50)))
    assert [asked.output_tokens for asked in decisions.asked] == [50, 40]


async def test_a_limit_on_the_cost_of_a_model_without_a_price_ends_the_request_before_anything_is_done(
    client: Client,
) -> None:
    decisions = Decisions(looks_up("a"))
    outcome = await decisions.ask(client, Request(text="Go", limits=Limits(cost=1)))
    assert outcome.status is RequestStatus.FAILED
    assert "ERRAND_MODEL_PRICES" in outcome.summary
    assert decisions.looked_up == []


async def test_a_write_whose_turn_comes_after_the_time_limit_is_not_run(
    client: Client, settings: Settings, model: ScriptedModel, happened: World
) -> None:
    late = calls(call("look_up", word="slow", seconds=2.5), call("write_down", word="late"))
    model.scripts["Late"] = [late, say("Never said.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Late", approve=("*",), limits=Limits(seconds=2))
    assert outcome.status is RequestStatus.LIMIT_REACHED
    assert outcome.receipts[1].status is ReceiptStatus.CANCELLED
    assert happened.done("write_down") == []


async def test_a_long_request_continues_as_new_and_loses_nothing(model: ScriptedModel, happened: World) -> None:
    look_up_for_ever(model, "Long", turns=12)
    model.scripts["Long"] = [*model.scripts["Long"], calls(call("write_down", word="end")), say("That was long.")]
    async with dev_server("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=40") as environment:
        client = environment.client
        settings = settings_for(model)
        async with running_worker(client, settings, sandboxed=True):
            handle = await start(client, settings, "Long", approve=("*",))
            outcome = await handle.result()
        runs = [run async for run in client.list_workflows(f"WorkflowId = '{handle.id}'")]
    assert len(runs) >= 2
    assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "That was long.")
    assert [receipt.key.rpartition("/")[2] for receipt in outcome.receipts] == [f"{turn}.1" for turn in range(1, 14)]
    assert outcome.usage.model_calls == 14
    assert happened.done("write_down") == ["end"]
    assert len(happened.done("look_up")) == 12


@pytest.mark.long
async def test_a_conversation_stays_within_its_budget_however_much_the_tools_return(
    client: Client, settings: Settings, model: ScriptedModel
) -> None:
    wide = calls(*(call("long_text", size=16_000 + index) for index in range(20)))
    model.scripts["Wide"] = [wide, wide, wide, say("Wide.")]
    async with running_worker(client, settings, sandboxed=True):
        outcome = await ask(client, settings, "Wide", limits=Limits(calls=100))
    assert outcome.status is RequestStatus.COMPLETED
    sizes = [len(str(body["messages"])) for body in model.asked]
    assert max(sizes) < 250_000
    last = str(model.asked[-1]["messages"])
    assert "[shortened: 240 of 16,000 bytes]" in last
    assert "x" * 16_019 in last
