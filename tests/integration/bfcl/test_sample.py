"""A sample of the leaderboard's cases as real requests. `make bfcl` is the whole of it."""

import pytest
from temporalio.client import Client

from tests.bfcl.leaderboard import IRRELEVANT, PARALLEL, Case, cases, sample
from tests.bfcl.requests import carry_out, leave_alone
from tests.scripted_model import ScriptedModel

SAME_CALL_TWICE = "parallel_158"


@pytest.mark.long
async def test_every_call_of_a_turn_runs_once_and_writes_run_in_order(client: Client, model: ScriptedModel) -> None:
    sampled = [case for category in PARALLEL for case in sample(category, 40)]
    found = await carry_out(client, model, sampled)
    assert found.mistakes == []
    assert found.calls > found.cases == len(sampled)


async def test_two_identical_reads_both_run(client: Client, model: ScriptedModel) -> None:
    (case,) = (case for case in cases("parallel") if case.id == SAME_CALL_TWICE)
    found = await carry_out(client, model, [case])
    assert found.mistakes == []
    assert found.calls == len(case.gold)


@pytest.mark.parametrize("category", IRRELEVANT)
@pytest.mark.sampled(1)
async def test_where_no_function_fits_none_runs(client: Client, model: ScriptedModel, category: str) -> None:
    sampled: tuple[Case, ...] = sample(category, 100)
    found = await leave_alone(client, model, sampled)
    assert (found.mistakes, found.calls, found.cases) == ([], 0, len(sampled))
