"""What a rate of requests needs, by the costs of one."""

import math
from dataclasses import dataclass

from activities.settings.worker import WorkerSettings
from tests.bench.capacity.costs import ACTIVITIES, Costs
from tests.bench.job import MODEL_CALLS

BUSY = 0.6
"""Of a worker's core, at most: the rest is for bursts, and for a worker that is being replaced."""
LEDGER_BUSY = 0.5
MODEL_SECONDS = 2.0
"""That a model's call takes, on average; measure your own."""
SLOTS = int(WorkerSettings.model_fields["activity_slots"].default)
"""Activities that a worker runs at once, by default."""
RETENTION_DAYS = 30
LEDGER_DAYS = 400
DAY = 86_400


@dataclass(frozen=True)
class Plan:
    rate: float
    """Requests a second."""
    workers: int
    """Processes, each with a core."""
    state_transitions: float
    """A second."""
    activities: float
    """A second."""
    history_gib: float
    """Kept by Temporal at any time."""
    ledger_writes: float
    """A second."""
    ledger_gib: float
    ledger_processes: float
    """How many times the ledger that was measured here."""
    server_cores: float
    """By the dev server in memory: what a cluster takes with a database is more."""


def plan(costs: Costs, rate: float, *, model_seconds: float = MODEL_SECONDS) -> Plan:
    """Both CPU and slots of workers have to suffice, and there are always two."""
    by_cpu = rate * costs.worker_cpu / BUSY
    by_slots = rate * MODEL_CALLS * model_seconds / (SLOTS * BUSY)
    return Plan(
        rate=rate,
        workers=max(2, math.ceil(by_cpu), math.ceil(by_slots)),
        state_transitions=rate * costs.state_transitions,
        activities=rate * ACTIVITIES,
        history_gib=rate * DAY * RETENTION_DAYS * costs.history_bytes / 2**30,
        ledger_writes=rate,
        ledger_gib=rate * DAY * LEDGER_DAYS * costs.ledger.bytes_per_write / 2**30,
        ledger_processes=rate / (costs.ledger.writes_per_second * LEDGER_BUSY),
        server_cores=rate * costs.server_cpu,
    )
