"""The processes of a trial: a Temporal server on a file database, two workers, and who starts them again."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from deploy.local.deployment import Deployment, surroundings
from deploy.local.part import Part, logs
from deploy.local.ports import is_free
from deploy.local.supervisor import Supervisor
from tests.chaos.insist import insist

WORKERS = ("worker 1", "worker 2")
SERVER = "Temporal server"
BELOW_THE_EPHEMERAL = range(10_000, 32_000)
"""So that nobody's outgoing connection takes the server's port while it is down."""


@dataclass(frozen=True)
class Scene:
    supervisor: Supervisor
    client: Client
    state: Path
    up: set[str]
    """The processes that are ready for work."""

    @property
    def ledger(self) -> Path:
        return ledger_of(self.state)

    def signal(self, name: str, number: signal.Signals) -> bool:
        """Whether there was a process to get it; it may be between two lives."""
        pid = self.supervisor.pid(name)
        if pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            return True
        return False


def ledger_of(state: Path) -> Path:
    return state / "ledger" / "ledger.db"


@asynccontextmanager
async def staged(state: Path, worker: Sequence[str], variables: Mapping[str, str]) -> AsyncGenerator[Scene]:
    """Everything runs, and is gone afterwards.

    Args:
        state: an empty directory.
        worker: the command line that runs a worker and writes "worker ready".
        variables: what its environment has beside Temporal's address.
    """
    temporal_port, ui_port = _quiet_ports(2)
    deployment = Deployment.on_free_ports(state, temporal_port, ui_port)
    environment = surroundings({**deployment.client_environment(), "NO_PROXY": "127.0.0.1,localhost", **variables})
    parts = [
        Part(name, (sys.executable, *worker), logs("worker ready"), environment, (SERVER,), 60, 5) for name in WORKERS
    ]
    server = replace(deployment.temporal(), stops_within=3)
    said, up = list[str](), set[str]()

    def say(words: str) -> None:
        """A supervisor's "✓ worker 1 (…)", or "worker 1 was ended by …"."""
        said.append(words)
        for name in (*WORKERS, SERVER):
            if words.startswith(f"✓ {name}"):
                up.add(name)
            elif words.startswith(name):
                up.discard(name)

    async with Supervisor([*parts, server], deployment.logs, say) as supervisor:
        client = await insist(
            lambda: Client.connect(
                deployment.temporal_address, data_converter=pydantic_data_converter, runtime=_quiet_runtime()
            )
        )
        yield Scene(supervisor, client, state, up)
    await asyncio.to_thread((state / "logs" / "supervisor.log").write_text, "\n".join(said))


@cache
def _quiet_runtime() -> Runtime:
    """The SDK's warnings would say at great length that the server is dead at the moment."""
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(TelemetryFilter("ERROR", "ERROR"))))


def _quiet_ports(count: int) -> list[int]:
    system = random.SystemRandom()
    chosen: list[int] = []
    while len(chosen) < count:
        port = system.choice(BELOW_THE_EPHEMERAL)
        if is_free(port) and port not in chosen:
            chosen.append(port)
    return chosen
