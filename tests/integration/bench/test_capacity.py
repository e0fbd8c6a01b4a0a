"""Plans follow from the costs of one request, and the simulation tells enough cores from too few."""

from dataclasses import replace

import pytest

from tests.bench.capacity.__main__ import LONGEST_WAIT, as_tables, check
from tests.bench.capacity.costs import Costs, LedgerCosts, ledger_costs, measured_in
from tests.bench.capacity.plan import plan
from tests.bench.capacity.simulation import STEPS, Load, simulate
from tests.bench.scene import Scene

COSTS = Costs(
    machine="a machine",
    requests=100,
    state_transitions=30,
    events=40,
    history_bytes=10_000,
    worker_cpu=0.05,
    server_cpu=0.06,
    ledger=LedgerCosts(bytes_per_write=1000, writes_per_second=200),
)


def test_a_hundred_times_the_rate_takes_a_hundred_times_of_everything() -> None:
    small, large = plan(COSTS, 100), plan(COSTS, 10_000)
    assert large.state_transitions == 100 * small.state_transitions == 300_000
    assert large.history_gib == pytest.approx(100 * small.history_gib)
    assert small.history_gib == pytest.approx(100 * 30 * 86_400 * 10_000 / 2**30)
    assert large.workers == pytest.approx(100 * small.workers, rel=0.1)


def test_slow_models_take_workers_for_their_slots_although_their_cores_are_idle() -> None:
    assert plan(COSTS, 100, model_seconds=2).workers == 10
    assert plan(COSTS, 100, model_seconds=60).workers == 300
    assert plan(COSTS, 0.01).workers == 2


def test_on_the_planned_workers_steps_hardly_wait_and_on_half_of_what_is_needed_they_pile_up() -> None:
    [checked] = check(COSTS, [100], 10_000)
    assert checked.suffices
    assert checked.simulated.busy == pytest.approx(100 * 0.05 / checked.plan.workers, rel=0.1)
    assert checked.simulated.steps >= 10_000 * STEPS
    assert checked.too_few.p99_wait > 10 * LONGEST_WAIT
    assert as_tables(COSTS, [checked])


@pytest.mark.long
def test_activities_at_once_are_what_littles_law_says() -> None:
    load = Load(8_000, rate=100, cores=20, cpu_per_request=0.05)
    at_once = 100 * (3 * load.model_seconds + 2 * 0.3)
    assert simulate(load).most_activities == pytest.approx(at_once, rel=0.2)
    assert simulate(load) == simulate(load)
    assert simulate(replace(load, cores=4)).p99_wait > simulate(load).p99_wait


@pytest.mark.long
async def test_costs_are_measured_with_requests_that_ended_right(scene: Scene) -> None:
    costs = await measured_in(scene, 5, await ledger_costs(50), warm_up=1)
    assert 38 <= costs.events <= 48
    assert costs.state_transitions > 10
    assert costs.history_bytes > 1000
    assert min(costs.server_cpu, costs.ledger.writes_per_second) > 0
    assert 300 < costs.ledger.bytes_per_write < 20_000
