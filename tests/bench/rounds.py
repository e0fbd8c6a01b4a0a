"""The job, by one contender after the other, in turn: what a run of it costs."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from tests.bench.accounting import cpu_seconds, peak_rss_mib
from tests.bench.contenders import Contender, handle_of
from tests.bench.scene import Running, Scene, running


class Column(StrEnum):
    LATENCY = "latency ms"
    THROUGHPUT = "runs/s at once"
    WORKER_CPU = "worker CPU ms/run"
    SERVER_CPU = "server CPU ms/run"
    PEAK_RSS = "peak RSS MiB"
    READY = "start → ready s"
    FIRST_END = "start → first end s"
    EVENTS = "history events"
    BYTES = "history bytes"


Costs = dict[Column, float]


@dataclass(frozen=True)
class Effort:
    """How much is run in a round."""

    warm_ups: int = 5
    alone: int = 20
    together: int = 100
    at_once: int = 50


@dataclass
class Rounds:
    costs: dict[str, list[Costs]] = field(default_factory=dict[str, list[Costs]])
    """Of each contender, round by round."""
    wrong: list[str] = field(default_factory=list[str])
    """What was not as it should be, in words."""


async def in_turn(scene: Scene, contenders: Sequence[Contender], rounds: int, effort: Effort) -> Rounds:
    """Every contender in every round; who begins alternates."""
    result = Rounds({contender.name: [] for contender in contenders})
    for number in range(rounds):
        for contender in contenders if number % 2 == 0 else reversed(contenders):
            costs, wrong = await one_round(scene, contender, f"{contender.name}-{number}", effort)
            result.costs[contender.name].append(costs)
            result.wrong += wrong
    return result


async def one_round(scene: Scene, contender: Contender, name: str, effort: Effort) -> tuple[Costs, list[str]]:
    """A fresh worker, warmed up, then one job at a time, then many at once; and what was wrong."""
    wrong: list[str] = []
    costs: Costs = {}
    tokens = [f"{name}-{index}" for index in range(effort.warm_ups + effort.alone + effort.together)]
    warm_ups, alone = tokens[: effort.warm_ups], tokens[effort.warm_ups : effort.warm_ups + effort.alone]

    async def run(token: str) -> float:
        began = time.monotonic()
        wrong.extend(await contender.run(scene, token))
        return time.monotonic() - began

    began = time.monotonic()
    async with running(contender.worker(scene), scene.folder) as worker:
        costs[Column.READY] = worker.ready_after
        await run(warm_ups[0])
        costs[Column.FIRST_END] = time.monotonic() - began
        for token in warm_ups[1:]:
            await run(token)
        async with _counted(scene, worker, costs, effort.alone + effort.together):
            costs[Column.LATENCY] = statistics.median([await run(token) for token in alone]) * 1000
            costs[Column.THROUGHPUT] = await _throughput(run, tokens[-effort.together :], effort.at_once)
        costs[Column.PEAK_RSS] = peak_rss_mib(worker.pid)
    lengths = [await history(scene, token) for token in alone]
    costs[Column.EVENTS] = statistics.median(events for events, _ in lengths)
    costs[Column.BYTES] = statistics.median(size for _, size in lengths)
    return costs, wrong + mail_problems(tokens, scene.around.mail.subjects)


@asynccontextmanager
async def _counted(scene: Scene, worker: Running, costs: Costs, runs: int) -> AsyncGenerator[None]:
    """The CPU that the block costs worker and server."""
    parts = {Column.WORKER_CPU: worker.pid, Column.SERVER_CPU: scene.server.pid}
    before = {column: cpu_seconds(pid) for column, pid in parts.items()}
    yield
    costs |= {column: (cpu_seconds(pid) - before[column]) / runs * 1000 for column, pid in parts.items()}


async def _throughput(run: Callable[[str], Awaitable[float]], tokens: Sequence[str], at_once: int) -> float:
    slots = asyncio.Semaphore(at_once)

    async def one(token: str) -> None:
        async with slots:
            await run(token)

    began = time.monotonic()
    await asyncio.gather(*map(one, tokens))
    return len(tokens) / (time.monotonic() - began)


async def history(scene: Scene, workflow_id: str, run_id: str | None = None) -> tuple[int, int]:
    """Events and bytes of one run, as the server counts them."""
    info = (await handle_of(scene, workflow_id, run_id).describe()).raw_description.workflow_execution_info
    return info.history_length, info.history_size_bytes


def mail_problems(expected: Iterable[str], delivered: Iterable[str]) -> list[str]:
    """Every job's mail has to be there, once."""
    counts = Counter(delivered)
    return [f"{token}: {counts[token]} mails were delivered" for token in expected if counts[token] != 1]
