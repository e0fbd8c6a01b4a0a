"""The job, by the contenders in turn: what a run of it costs."""

import asyncio
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from tests.bench.accounting import cpu_seconds, peak_rss_mib
from tests.bench.contenders import Contender, handle_of
from tests.bench.scene import Running, Scene, running

STRETCHES = 2
"""Of a round, for each contender."""


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
    """In stretches, each all at once."""


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
        order = contenders if number % 2 == 0 else [*reversed(contenders)]
        await _round(scene, order, number, effort, result)
    return result


@dataclass
class _Entrant:
    """A contender in one round, with a fresh worker that is warm."""

    contender: Contender
    scene: Scene
    worker: Running
    name: str
    costs: Costs
    wrong: list[str]
    tokens: list[str] = field(default_factory=list[str])
    latencies: list[float] = field(default_factory=list[float])
    together: float = 0
    """Seconds that the runs took which were many at once."""

    async def run(self) -> float:
        """One job; the seconds that it took."""
        token = f"{self.name}-{len(self.tokens):03}"
        self.tokens.append(token)
        began = time.monotonic()
        self.wrong.extend(await self.contender.run(self.scene, token))
        return time.monotonic() - began

    async def alone(self, times: int) -> None:
        for _ in range(times):
            self.latencies.append(await self.run())

    async def at_once(self, times: int) -> None:
        began = time.monotonic()
        await asyncio.gather(*(self.run() for _ in range(times)))
        self.together += time.monotonic() - began


async def _round(scene: Scene, contenders: Sequence[Contender], number: int, effort: Effort, result: Rounds) -> None:
    """All workers are there, and take turns in short stretches: a machine that grows slower does so for all."""
    async with AsyncExitStack() as workers:
        entrants = [await _entered(workers, scene, each, number, effort.warm_ups) for each in contenders]
        cpu = {entrant.name: defaultdict[Column, float](float) for entrant in entrants}
        for stretch in range(STRETCHES):
            for entrant in entrants if stretch % 2 == 0 else reversed(entrants):
                with _counted(entrant, cpu[entrant.name]):
                    await entrant.alone(effort.alone // STRETCHES)
                    await entrant.at_once(effort.together // STRETCHES)
        for entrant in entrants:
            await _settle_accounts(entrant, cpu[entrant.name], effort)
            result.costs[entrant.contender.name].append(entrant.costs)
            result.wrong += entrant.wrong + mail_problems(entrant.tokens, scene.around.mail.subjects)


async def _entered(workers: AsyncExitStack, scene: Scene, contender: Contender, number: int, warm_ups: int) -> _Entrant:
    began = time.monotonic()
    worker = await workers.enter_async_context(running(contender.worker(scene), scene.folder))
    entrant = _Entrant(
        contender, scene, worker, f"{contender.name:.5}-{number}", {Column.READY: worker.ready_after}, []
    )
    await entrant.run()
    entrant.costs[Column.FIRST_END] = time.monotonic() - began
    for _ in range(warm_ups - 1):
        await entrant.run()
    return entrant


async def _settle_accounts(entrant: _Entrant, cpu: Mapping[Column, float], effort: Effort) -> None:
    measured = STRETCHES * (effort.alone // STRETCHES + effort.together // STRETCHES)
    entrant.costs |= {column: seconds / measured * 1000 for column, seconds in cpu.items()}
    entrant.costs[Column.LATENCY] = statistics.median(entrant.latencies) * 1000
    entrant.costs[Column.THROUGHPUT] = effort.together / entrant.together
    entrant.costs[Column.PEAK_RSS] = peak_rss_mib(entrant.worker.pid)
    lengths = [await history(entrant.scene, token) for token in entrant.tokens[-20:]]
    entrant.costs[Column.EVENTS] = statistics.median(events for events, _ in lengths)
    entrant.costs[Column.BYTES] = statistics.median(size for _, size in lengths)


@contextmanager
def _counted(entrant: _Entrant, cpu: dict[Column, float]) -> Generator[None]:
    """The CPU that the block costs worker and server."""
    parts = {Column.WORKER_CPU: entrant.worker.pid, Column.SERVER_CPU: entrant.scene.server.pid}
    before = {column: cpu_seconds(pid) for column, pid in parts.items()}
    yield
    for column, pid in parts.items():
        cpu[column] += cpu_seconds(pid) - before[column]


async def history(scene: Scene, workflow_id: str, run_id: str | None = None) -> tuple[int, int]:
    """Events and bytes of one run, as the server counts them."""
    info = (await handle_of(scene, workflow_id, run_id).describe()).raw_description.workflow_execution_info
    return info.history_length, info.history_size_bytes


def mail_problems(expected: Iterable[str], delivered: Iterable[str]) -> list[str]:
    """Every job's mail has to be there, once."""
    counts = Counter(delivered)
    return [f"{token}: {counts[token]} mails were delivered" for token in expected if counts[token] != 1]
