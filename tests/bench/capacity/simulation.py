"""The schedule of many requests on so many workers: how long a step waits for a core.

Requests arrive by chance (Poisson). Each takes its steps one after the other: a model's call, the reads, a model's
call, the mail, a model's call. A step waits for a core, takes its share of the request's CPU, which is exponentially
distributed, and then waits for the far end, for a log-normal time. Some steps fail and are tried again after a pause;
some requests wait for a person before they write.
"""

import heapq
import math
import random
from array import array
from dataclasses import dataclass

from tests.bench.capacity.plan import MODEL_SECONDS

STEPS = 5
"""Of a request, as a worker sees them; its reads are at once."""
MODEL_STEPS = (0, 2, 4)
OTHERS_SECONDS = 0.3
SPREAD = 0.8
"""Of the log-normal distribution of what far ends take: of 100 calls, one takes six times the median."""
FAILING = 0.01
PAUSE = 1.0
ASKS = 0.1
"""Of the requests; their person answers within an hour on average."""
ANSWERS_AFTER = 3600.0


@dataclass(frozen=True)
class Load:
    requests: int
    rate: float
    cores: int
    cpu_per_request: float
    model_seconds: float = MODEL_SECONDS


@dataclass(frozen=True)
class Simulated:
    steps: int
    median_wait: float
    """Seconds that a step waits for a core."""
    p99_wait: float
    busy: float
    """Of the cores, while requests arrived."""
    most_activities: int
    """That ran at once."""


def simulate(load: Load, seed: int = 1) -> Simulated:
    """Every request from its start to its end; the same seed gives the same."""
    return _Schedule(load, random.Random(seed)).run()


class _Schedule:
    def __init__(self, load: Load, chance: random.Random) -> None:
        self._load = load
        self._chance = chance
        self._free_at = [0.0] * load.cores
        self._waits = array("d")
        self._busy = 0.0
        self._ends: list[float] = []
        self._most = 0
        self._until = 0.0
        self._arriving = True

    def run(self) -> Simulated:
        due: list[tuple[float, int]] = []
        """(time, step) of what comes next; only one arrival at a time is in it."""
        arrived, clock = 0, self._chance.expovariate(self._load.rate)
        while due or arrived < self._load.requests:
            if arrived < self._load.requests and (not due or clock <= due[0][0]):
                now, step = clock, 0
                arrived += 1
                clock += self._chance.expovariate(self._load.rate)
                self._until, self._arriving = now, arrived < self._load.requests
            else:
                now, step = heapq.heappop(due)
            if following := self._step(now, step):
                heapq.heappush(due, following)
        waits = sorted(self._waits)
        capacity = self._load.cores * self._until
        return Simulated(
            steps=len(waits),
            median_wait=waits[len(waits) // 2],
            p99_wait=waits[len(waits) * 99 // 100],
            busy=self._busy / capacity,
            most_activities=self._most,
        )

    def _step(self, now: float, step: int) -> tuple[float, int] | None:
        """Carry a step out; the next one, and when it is due."""
        chance = self._chance
        begins = max(now, self._free_at[0])
        cpu = chance.expovariate(STEPS / self._load.cpu_per_request)
        heapq.heapreplace(self._free_at, begins + cpu)
        self._waits.append(begins - now)
        if self._arriving:
            self._busy += cpu
        seconds = self._load.model_seconds if step in MODEL_STEPS else OTHERS_SECONDS
        ends = begins + cpu + chance.lognormvariate(math.log(seconds) - SPREAD**2 / 2, SPREAD)
        self._count(now, ends)
        if chance.random() < FAILING:
            return ends + PAUSE, step
        if step == STEPS - 1:
            return None
        asks = step == MODEL_STEPS[1] and chance.random() < ASKS
        return ends + (chance.expovariate(1 / ANSWERS_AFTER) if asks else 0), step + 1

    def _count(self, now: float, ends: float) -> None:
        """How many run at once."""
        running = self._ends
        while running and running[0] <= now:
            heapq.heappop(running)
        heapq.heappush(running, ends)
        self._most = max(self._most, len(running))
