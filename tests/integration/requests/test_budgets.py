"""Requests of many people share the policy's budgets, and none goes beyond."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError

from activities.errors import ConfigurationError
from activities.ledger.ledger import Ledger
from activities.settings import Settings
from client import approve, outcome, submit
from deploy.client.why import explain
from deploy.service.assembly import Service
from tests.conftest import running_worker, settings_for
from tests.integration.requests.asking import until_it_waits
from tests.sample_tools import World
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Outcome, ReceiptStatus, Request, RequestStatus

ALLOWED = '[[rule]]\ntool = "*"\nruling = "allow"\n'
WRITE = calls(call("write_down", word="a"))


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return tmp_path / "policy.toml"


def with_budget(
    model: ScriptedModel, policy: Path, budget: str, *, rules: str = ALLOWED, **changes: object
) -> Settings:
    policy.write_text(f"{rules}[[budget]]\n{budget}\n")
    return settings_for(model, policy=policy, **changes)


async def ask(client: Client, settings: Settings, text: str = "Write a.") -> Outcome:
    request = Request(text=text, requester="bob")
    return await outcome(await submit(client, request, task_queue=settings.worker.task_queue))


@pytest.mark.long
async def test_of_twenty_requests_at_once_as_many_write_as_the_budget_has_and_the_others_are_refused(
    client: Client, model: ScriptedModel, happened: World, policy: Path
) -> None:
    model.scripts["Write a."] = [WRITE, say("That is what came of it.")]
    settings = with_budget(model, policy, 'requester = "b*"\ntool = "write_*"\nmost = 7\nper = "month"')
    async with running_worker(client, settings):
        outcomes = await asyncio.gather(*(ask(client, settings) for _ in range(20)))
    receipts = [each.receipts[0] for each in outcomes]
    assert len(happened.done("write_down")) == 7
    assert [each.status for each in receipts].count(ReceiptStatus.DONE) == 7
    refused = [each for each in receipts if each.status is ReceiptStatus.REFUSED]
    assert len(refused) == 13
    assert all((each.error or "").startswith("the budget of 7 calls of write_* per month for b*") for each in refused)
    assert all("it is free again at " in (each.error or "") for each in refused)


async def test_a_call_over_a_budget_that_asks_waits_for_a_person_whatever_yes_it_had_before(
    client: Client, model: ScriptedModel, happened: World, policy: Path
) -> None:
    model.scripts["Write a."] = [WRITE, say("That is what came of it.")]
    settings = with_budget(model, policy, 'tool = "write_down"\nmost = 0\nper = "day"\nthen = "ask"')
    async with running_worker(client, settings):
        request = Request(text="Write a.", requester="bob", approve=("write_down",))
        handle = await submit(client, request, task_queue=settings.worker.task_queue)
        waiting = await until_it_waits(handle)
        assert happened.done("write_down") == []
        await approve(handle, waiting, by="carol")
        ended = await outcome(handle)
    [receipt] = ended.receipts
    assert waiting.reason.startswith("the budget of 0 calls of write_down per day for all is reached")
    assert (receipt.status, receipt.approved_by) == (ReceiptStatus.DONE, "carol")
    assert happened.done("write_down") == ["a"]


async def test_a_call_that_a_person_said_yes_to_before_the_budget_was_seen_waits_once_more(
    client: Client, model: ScriptedModel, happened: World, policy: Path
) -> None:
    model.scripts["Write a."] = [WRITE, say("That is what came of it.")]
    settings = with_budget(
        model, policy, 'tool = "write_down"\nmost = 0\nper = "day"\nthen = "ask"', rules=ALLOWED.replace("allow", "ask")
    )
    async with running_worker(client, settings):
        handle = await submit(client, Request(text="Write a.", requester="bob"), task_queue=settings.worker.task_queue)
        first = await until_it_waits(handle)
        await approve(handle, first, by="ann")
        while (second := await until_it_waits(handle)).reason == first.reason:
            await asyncio.sleep(0.05)
        assert happened.done("write_down") == []
        await approve(handle, second, by="carol")
        ended = await outcome(handle)
    assert [each.approved_by for each in ended.receipts] == ["carol"]


async def test_a_yes_from_before_the_budget_was_seen_is_none_to_going_over_it_and_its_giver_can_say_yes_again(
    client: Client, model: ScriptedModel, happened: World, policy: Path
) -> None:
    model.scripts["Write a."] = [WRITE, say("That is what came of it.")]
    settings = with_budget(
        model, policy, 'tool = "write_down"\nmost = 0\nper = "day"\nthen = "ask"', rules=ALLOWED.replace("allow", "ask")
    )
    async with running_worker(client, settings):
        handle = await submit(client, Request(text="Write a.", requester="bob"), task_queue=settings.worker.task_queue)
        first = await until_it_waits(handle)
        await approve(handle, first, by="ann")
        while (second := await until_it_waits(handle)).reason == first.reason:
            await asyncio.sleep(0.05)
        with pytest.raises(WorkflowUpdateFailedError):
            await approve(handle, first, by="carol")
        assert happened.done("write_down") == []
        await approve(handle, second, by="ann")
        ended = await asyncio.wait_for(outcome(handle), 10)
    async with aclosing(await Ledger.open(settings.ledger.ledger_url)) as ledger:
        [explained] = (await explain(client, handle.id, ledger)).calls
    assert [(each.status, each.approved_by) for each in ended.receipts] == [(ReceiptStatus.DONE, "ann")]
    assert [each.digest for each in explained.verdicts] == [first.digest, second.digest]
    assert explained.contradictions == ()


async def test_a_request_ends_before_a_model_call_that_the_budget_of_cost_may_not_pay_for(
    client: Client, model: ScriptedModel, policy: Path
) -> None:
    model.scripts["Hello."] = [say("Hello.")]
    settings = with_budget(
        model, policy, 'cost = 0.25\nper = "day"', model_prices="scripted=0/5000", model_max_tokens=20
    )
    async with running_worker(client, settings):
        outcomes = [await ask(client, settings, "Hello.") for _ in range(5)]
    # Each takes up to 0.1 and turns out to have cost 0.05.
    assert [each.status for each in outcomes] == [RequestStatus.COMPLETED] * 4 + [RequestStatus.LIMIT_REACHED]
    assert len(model.asked) == 4
    assert "the budget of a cost of 0.25 per day for all is reached: 0.2 is taken" in outcomes[-1].summary


@pytest.mark.parametrize(
    ("budget", "why"),
    [
        ('tool = "write_dwon"\nmost = 1\nper = "day"', "no tool that writes is called write_dwon"),
        ('tool = "look_up"\nmost = 1\nper = "day"', "no tool that writes is called look_up"),
        ('tool = "write_down"\namount = {argument = "sum", most = 1}\nper = "day"', "has no argument sum"),
        ('cost = 1\nper = "day"', "cost needs the price of the model scripted (ERRAND_MODEL_PRICES=scripted="),
    ],
)
def test_a_budget_that_would_hold_nothing_keeps_the_worker_from_starting(
    model: ScriptedModel, policy: Path, budget: str, why: str
) -> None:
    with pytest.raises(ConfigurationError, match="budget 1") as refused:
        Service.assemble(with_budget(model, policy, budget))
    assert why in str(refused.value)
