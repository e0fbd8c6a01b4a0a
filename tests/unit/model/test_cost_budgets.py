"""A model call takes the most that it may cost of a budget, and gives back what it has not cost."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.budgets import UNITS, Budget
from activities.ledger.ledger import Ledger
from activities.model.answer import Answers
from activities.model.cost_budgets import CostBudgets
from activities.model.decide import Decide
from activities.model.endpoint import Endpoint
from activities.policy import Policy
from activities.settings.model import ModelSettings
from tests.completions import completion
from tests.scripted_model import Raw, ScriptedModel
from workflows.contract.conversation import UserEntry
from workflows.contract.internal import ModelInput

COST = Budget(requester="billing-*", cost=1, per="month")
SITUATION = ModelInput(conversation=(UserEntry(text="Hello"),), requester="billing-1")
HI = Raw(200, completion({"content": '"Hi."'}, usage={"prompt_tokens": 100, "completion_tokens": 10}))
UNCOUNTED = Raw(200, completion({"content": ""}))
MOST, HAS_COST = 0.4, 0.1
"""Of 40 tokens, and of ten."""


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    yield ledger
    await ledger.aclose()


def endpoint_of(model: ScriptedModel) -> Endpoint:
    priced = {"model_prices": "tiny=0/10000", "model_max_tokens": 40}
    return Endpoint.from_settings(
        ModelSettings.model_validate({"openai_model": "tiny", "openai_base_url": model.url} | priced)
    )


async def decide(
    model: ScriptedModel, ledger: Ledger, *replies: Raw, situation: ModelInput = SITUATION, attempt: int = 1
) -> str:
    """How one attempt ended."""
    model.trouble += replies
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=attempt)
    decide = Decide(endpoint_of(model), {}, Policy(), costs=CostBudgets([COST], ledger.spending)).decide
    try:
        await environment.run(decide, situation)
    except ApplicationError as error:
        return f"{error.type}: {error.message}"
    return ""


async def taken(ledger: Ledger) -> tuple[float, float]:
    """Used, reserved."""
    [found] = await ledger.spending.standings([COST])
    return found.used / UNITS, found.reserved / UNITS


async def test_a_call_that_is_answered_has_cost_what_the_endpoint_counted(model: ScriptedModel, ledger: Ledger) -> None:
    assert await decide(model, ledger, HI) == ""
    assert await taken(ledger) == (HAS_COST, 0)


async def test_one_that_the_endpoint_did_not_take_has_cost_nothing(model: ScriptedModel, ledger: Ledger) -> None:
    assert (await decide(model, ledger, Raw(401, ""))).startswith("ModelRefused")
    assert await taken(ledger) == (0, 0)


@pytest.mark.parametrize("reply", [Raw(504, ""), UNCOUNTED], ids=["lost", "useless"])
async def test_one_of_which_nobody_knows_what_it_cost_has_cost_the_most(
    model: ScriptedModel, ledger: Ledger, reply: Raw
) -> None:
    await decide(model, ledger, reply)
    assert sum(await taken(ledger)) == MOST


async def test_a_call_that_may_cost_more_than_is_left_is_not_made(model: ScriptedModel, ledger: Ledger) -> None:
    for attempt in (1, 2):
        await decide(model, ledger, Raw(504, ""), attempt=attempt)
    ended = await decide(model, ledger)
    assert ended.startswith(
        "LimitExhausted: the budget of a cost of 1 per month for billing-* is reached: 0.8 is taken"
    )
    assert len(model.asked) == 2


async def test_requesters_for_whom_no_budget_holds_take_nothing(model: ScriptedModel, ledger: Ledger) -> None:
    await decide(model, ledger, HI, situation=SITUATION.model_copy(update={"requester": "sales"}))
    assert await taken(ledger) == (0, 0)


async def test_the_question_for_the_output_takes_its_share_too(model: ScriptedModel, ledger: Ledger) -> None:
    model.trouble.append(HI)
    answers = Answers(endpoint_of(model), costs=CostBudgets([COST], ledger.spending))
    situation = SITUATION.model_copy(update={"output_schema": {"type": "string"}})
    await ActivityEnvironment().run(answers.answer, situation)
    assert await taken(ledger) == (HAS_COST, 0)


async def test_while_the_ledger_cannot_be_written_the_model_is_not_asked_and_it_is_tried_again(
    model: ScriptedModel, ledger: Ledger
) -> None:
    await ledger.aclose()
    ended = await decide(model, ledger)
    assert ended.startswith("ModelUnavailable: the model is not asked before its cost is written down: the ledger")
    assert model.asked == []


async def test_where_it_cannot_be_settled_the_answer_stands_and_the_most_stays_taken(
    model: ScriptedModel, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = ledger.spending.settle

    async def gone(key: str, amount: int) -> None:
        await ledger.aclose()
        await settle(key, amount)

    monkeypatch.setattr(ledger.spending, "settle", gone)
    assert await decide(model, ledger, HI) == ""
    again = await Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    assert await taken(again) == (0, MOST)
    await again.aclose()
