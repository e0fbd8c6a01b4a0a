"""What is to be reached, and whether it was."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.rounds import Column, Costs
from tests.bench.sizes import Sizes

AT_MOST = {
    Column.LATENCY: 1.10,
    Column.WORKER_CPU: 1.0,
    Column.SERVER_CPU: 1.10,
    Column.PEAK_RSS: 1.5,
    Column.READY: 3.0,
    Column.BYTES: 1.3,
}
AT_LEAST = {Column.THROUGHPUT: 0.95}
"""Ratios of the service to the floor in the same round."""

FEW_TURNS, MANY_TURNS = 10, 100
MANY_TO_FEW = 2.0
LONGEST_HISTORY, LARGEST_HISTORY = 5_000, 5_000_000
MANY_REQUESTS = 1_000
IDLE_PERCENT, IDLE_MIB = 1.0, 200.0


@dataclass(frozen=True)
class Target:
    what: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def demand(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:,.10g}"


def ratio(column: Column, floor: Sequence[Costs], service: Sequence[Costs]) -> float:
    """The median of the rounds' ratios: what disturbs a round disturbs both."""
    return statistics.median(mine[column] / by_hand[column] for mine, by_hand in zip(service, floor, strict=True))


def targets(costs: Mapping[str, Sequence[Costs]], sizes: Sizes) -> list[Target]:
    floor, service = costs["floor"], costs["service"]
    ratios = [Target(column, ratio(column, floor, service), limit) for column, limit in AT_MOST.items()]
    ratios += [Target(column, ratio(column, floor, service), limit, True) for column, limit in AT_LEAST.items()]
    return [*ratios, *_of_turns(sizes), *_of_waiting(sizes)]


def _of_turns(sizes: Sizes) -> Iterable[Target]:
    yield Target("longest history, events", max(each.longest_events for each in sizes.turns), LONGEST_HISTORY)
    yield Target("largest history, bytes", max(each.longest_bytes for each in sizes.turns), LARGEST_HISTORY)
    cpu = {each.turns: each.cpu_ms_per_turn for each in sizes.turns}
    if FEW_TURNS in cpu and MANY_TURNS in cpu:
        what = f"CPU per turn, {MANY_TURNS} turns to {FEW_TURNS}"
        yield Target(what, cpu[MANY_TURNS] / cpu[FEW_TURNS], MANY_TO_FEW)


def _of_waiting(sizes: Sizes) -> Iterable[Target]:
    for each in sizes.waiting:
        if each.requests == MANY_REQUESTS:
            yield Target(f"{each.requests:,} waiting, % of a core", each.idle_cpu_percent, IDLE_PERCENT)
            yield Target(f"{each.requests:,} waiting, MiB", each.rss_mib, IDLE_MIB)
