"""python -m tests.bench.capacity [--requests 300] [--simulated 1000000] [--json]

Measures what a request costs on this machine, says what rates of them need, and simulates the schedule of so many on
the workers that were found to suffice, and on half of the cores. Exits with 1 where they do not suffice.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.capacity.costs import Costs, measured
from tests.bench.capacity.plan import SLOTS, Plan, plan
from tests.bench.capacity.simulation import Load, Simulated, simulate

RATES = (1.0, 100.0, 10_000.0)
LONGEST_WAIT = 0.2
"""Seconds, for 99 of 100 steps: what the alert ErrandScheduleToStart takes."""


@dataclass(frozen=True)
class Checked:
    """A plan, and how requests fare by it; and on half of the cores that their CPU takes."""

    plan: Plan
    simulated: Simulated
    too_few: Simulated

    @property
    def suffices(self) -> bool:
        return self.simulated.p99_wait <= LONGEST_WAIT and self.simulated.most_activities <= self.plan.workers * SLOTS


def check(costs: Costs, rates: Sequence[float], simulated: int) -> list[Checked]:
    plans = [plan(costs, rate) for rate in rates]
    loads = [Load(simulated, each.rate, each.workers, costs.worker_cpu) for each in plans]
    half = [
        Load(simulated // 10, each.rate, max(1, int(each.rate * costs.worker_cpu / 2)), costs.worker_cpu)
        for each in plans
    ]
    with ProcessPoolExecutor() as processes:
        of_plans, of_half = [list(processes.map(simulate, several)) for several in (loads, half)]
    return [Checked(*each) for each in zip(plans, of_plans, of_half, strict=True)]


def as_tables(costs: Costs, checked: Sequence[Checked]) -> list[Table]:
    one = Table("of one request", "", title=f"Measured with {costs.requests} requests on {costs.machine}")
    for name, value in (
        ("state transitions", f"{costs.state_transitions:.0f}"),
        ("history events", f"{costs.events:.0f}"),
        ("history bytes", f"{costs.history_bytes:,.0f}"),
        ("worker CPU", f"{costs.worker_cpu * 1000:.0f} ms"),
        ("dev server CPU, in memory", f"{costs.server_cpu * 1000:.0f} ms"),
        ("ledger bytes a write, PostgreSQL", f"{costs.ledger.bytes_per_write:,.0f}"),
        ("ledger writes a second, PostgreSQL", f"{costs.ledger.writes_per_second:,.0f}"),
    ):
        one.add_row(name, value)
    many = Table("", *(f"{each.plan.rate:,.0f}/s" for each in checked), title="Many of them")
    rows: dict[str, list[str]] = {
        "worker processes": [f"{each.plan.workers:,}" for each in checked],
        "state transitions a second": [f"{each.plan.state_transitions:,.0f}" for each in checked],
        "activities a second": [f"{each.plan.activities:,.0f}" for each in checked],
        "history kept for 30 days, GiB": [f"{each.plan.history_gib:,.0f}" for each in checked],
        "ledger writes a second": [f"{each.plan.ledger_writes:,.0f}" for each in checked],
        "… of what was measured here": [f"{each.plan.ledger_processes:.2f} times" for each in checked],
        "ledger kept for 400 days, GiB": [f"{each.plan.ledger_gib:,.0f}" for each in checked],
        "dev server's cores": [f"{each.plan.server_cores:,.1f}" for each in checked],
        "simulated: cores are busy": [f"{each.simulated.busy:.0%}" for each in checked],
        "simulated: a step waits, median": [f"{each.simulated.median_wait * 1000:.1f} ms" for each in checked],
        "simulated: a step waits, p99": [f"{each.simulated.p99_wait * 1000:.1f} ms" for each in checked],
        "simulated: most activities at once": [f"{each.simulated.most_activities:,}" for each in checked],
        "with half of the cores needed: p99": [f"{each.too_few.p99_wait:,.1f} s" for each in checked],
    }
    for name, values in rows.items():
        many.add_row(name, *values)
    return [one, many]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.capacity", description="What many requests need.")
    parser.add_argument("--requests", type=int, default=300, help="that are measured")
    parser.add_argument("--simulated", type=int, default=1_000_000, help="for each rate")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="errand-capacity-") as folder:
        costs = asyncio.run(measured(Path(folder), options.requests))
    checked = check(costs, RATES, options.simulated)
    if options.json:
        sys.stdout.write(json.dumps({"costs": asdict(costs), "rates": [asdict(each) for each in checked]}, indent=2))
    else:
        for table in as_tables(costs, checked):
            Console(width=None if sys.stdout.isatty() else 120).print(table)
    return 0 if all(each.suffices for each in checked) else 1


if __name__ == "__main__":
    sys.exit(main())
