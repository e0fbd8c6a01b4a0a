"""The processes of a trial: a Temporal server on a file database, two workers, and who starts them again."""

import os
import signal
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from deploy.local.deployment import Deployment, surroundings
from deploy.local.part import Part, logs
from deploy.local.supervisor import Supervisor
from tests.chaos.forks import Zygote, zygote
from tests.chaos.insist import insist
from tests.chaos.sites import Site
from tests.chaos.wire import Wire, laid
from tests.forked.part import ForkedPart

WORKERS = ("worker 1", "worker 2")
SERVER = "Temporal server"


@dataclass(frozen=True)
class Scene:
    supervisor: Supervisor
    client: Client
    site: Site
    wires: Sequence[Wire]
    """One from each worker to the Temporal server."""
    up: set[str]
    """The processes that are ready for work."""

    def signal(self, name: str, number: signal.Signals) -> bool:
        """Whether there was a process to get it; it may be between two lives."""
        pid = self.supervisor.pid(name)
        return pid is not None and sent(pid, number)

    @property
    def pids(self) -> list[int]:
        """Of everything that keeps anything: workers, Temporal server and ledger."""
        several = (self.supervisor.pid(name) for name in (*WORKERS, SERVER))
        return [pid for pid in several if pid is not None] + list(self.site.pids)


def sent(pid: int, number: signal.Signals) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


@asynccontextmanager
async def staged(state: Path, site: Site, worker: Sequence[str], variables: Mapping[str, str]) -> AsyncGenerator[Scene]:
    """Everything runs, and is gone afterwards.

    Args:
        state: an empty directory.
        site: the ledger.
        worker: the module whose `main` is a worker and writes "worker ready", and its arguments.
        variables: what its environment has beside Temporal's address.
    """
    deployment = Deployment.on_free_ports(state)
    said, up = list[str](), set[str]()
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(laid(deployment.temporal_port)) for _ in WORKERS]
        source = await stack.enter_async_context(zygote(worker))
        parts = [
            _worker(name, source, {**variables, "TEMPORAL_ADDRESS": f"127.0.0.1:{wire.port}"})
            for name, wire in zip(WORKERS, wires, strict=True)
        ]
        server = replace(deployment.temporal(), stops_within=3)
        supervisor = await stack.enter_async_context(
            Supervisor([*parts, server], deployment.logs, _listening(said, up))
        )
        yield Scene(supervisor, await connected(deployment.temporal_address), site, wires, up)
    (state / "logs" / "supervisor.log").write_text("\n".join(said))


def _worker(name: str, source: Zygote, variables: Mapping[str, str]) -> Part:
    environment = surroundings({"NO_PROXY": "127.0.0.1,localhost", **variables})
    ready = logs("worker ready")
    return ForkedPart(name, source.command, ready, environment, (SERVER,), 180, 5, processes=source.processes)


def _listening(said: list[str], up: set[str]) -> Callable[[str], None]:
    """To a supervisor's "✓ worker 1 (…)", or "worker 1 was ended by …"."""

    def say(words: str) -> None:
        said.append(words)
        for name in (*WORKERS, SERVER):
            if words.startswith(f"✓ {name}"):
                up.add(name)
            elif words.startswith(name):
                up.discard(name)

    return say


async def connected(address: str) -> Client:
    return await insist(
        lambda: Client.connect(address, data_converter=pydantic_data_converter, runtime=_quiet_runtime())
    )


@cache
def _quiet_runtime() -> Runtime:
    """The SDK's warnings would say at great length that the server is dead at the moment."""
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(TelemetryFilter("ERROR", "ERROR"))))
