"""What one request costs, measured: three model calls, two reads, one mail. The model answers at once."""

import asyncio
import os
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from activities.ledger.ledger import Ledger
from activities.ledger.rows import State, Write
from activities.settings.ledger import DEFAULT_CONNECTIONS
from tests.bench.accounting import cpu_seconds
from tests.bench.contenders import Service, handle_of
from tests.bench.job import MODEL_CALLS, TOOLS
from tests.bench.scene import Scene, staged
from tests.integration.ledger.postgres import Postgres, postgres_server
from workflows.contract.internal import ToolCall
from workflows.contract.values import Arguments

ACTIVITIES = MODEL_CALLS + len(TOOLS)
WARM_UP = 10
AT_ONCE = 25
BODY = "21.5 degrees and 229.87 dollars. " * 10
"""Of the mails in the ledger's rows: 330 bytes."""


@dataclass(frozen=True)
class LedgerCosts:
    """On PostgreSQL, where other processes use the same cores."""

    bytes_per_write: float
    """With its indexes."""
    writes_per_second: float
    """Begun and finished by one worker process, without anything between."""


@dataclass(frozen=True)
class Costs:
    """Of one request. CPU is in seconds of one core."""

    machine: str
    requests: int
    state_transitions: float
    events: float
    history_bytes: float
    worker_cpu: float
    server_cpu: float
    ledger: LedgerCosts


async def measured(folder: Path, requests: int) -> Costs:
    """Carry requests out and count.

    Raises:
        AssertionError: a request ended wrong, so nothing can be said of it.
    """
    ledger = await ledger_costs(10 * requests)
    async with staged(folder) as scene:
        return await measured_in(scene, requests, ledger)


async def measured_in(scene: Scene, requests: int, ledger: LedgerCosts, warm_up: int = WARM_UP) -> Costs:
    async with scene.running(Service().worker(scene)) as worker:
        await _carry_out(scene, "warm", warm_up)
        before = cpu_seconds(worker.pid), cpu_seconds(scene.server.pid)
        await _carry_out(scene, "counted", requests)
        after = cpu_seconds(worker.pid), cpu_seconds(scene.server.pid)
        infos = [
            (await handle_of(scene, f"counted-{number}").describe()).raw_description.workflow_execution_info
            for number in range(min(requests, 20))
        ]
    return Costs(
        machine=machine(),
        requests=requests,
        state_transitions=statistics.mean(info.state_transition_count for info in infos),
        events=statistics.mean(info.history_length for info in infos),
        history_bytes=statistics.mean(info.history_size_bytes for info in infos),
        worker_cpu=(after[0] - before[0]) / requests,
        server_cpu=(after[1] - before[1]) / requests,
        ledger=ledger,
    )


async def _carry_out(scene: Scene, name: str, requests: int) -> None:
    for first in range(0, requests, AT_ONCE):
        tokens = [f"{name}-{number}" for number in range(first, min(first + AT_ONCE, requests))]
        wrong = await asyncio.gather(*(Service().run(scene, token) for token in tokens))
        assert not any(wrong), wrong


async def ledger_costs(writes: int) -> LedgerCosts:
    with postgres_server("fsync=on") as server:
        ledger = await Ledger.open(server.url)
        try:
            empty = await _size(server)
            await _write(ledger, "warm", WARM_UP)
            began = time.monotonic()
            await _write(ledger, "counted", writes)
            took = time.monotonic() - began
            # From the first on, as PostgreSQL makes a table larger by several pages at once.
            grown = await _size(server) - empty
        finally:
            await ledger.aclose()
    return LedgerCosts(grown / (WARM_UP + writes), writes / took)


async def _write(ledger: Ledger, name: str, writes: int) -> None:
    slots = asyncio.Semaphore(DEFAULT_CONNECTIONS)

    async def write(number: int) -> None:
        arguments: Arguments = {"to": [f"ann-{number}@example.com"], "subject": "Figures", "body": BODY}
        call = ToolCall(key=f"{name}-{number}/1.1", tool="send_email", arguments=arguments, chain="c0ffee00")
        async with slots:
            token = await ledger.begin(Write(call, likeness="a" * 64), attempt=1, seen=None)
            await ledger.finish(call.key, token, State.DONE, result={"message_id": f"<{number}@example.com>"})

    await asyncio.gather(*(write(number) for number in range(writes)))


async def _size(server: Postgres) -> int:
    return await server.ask("SELECT pg_total_relation_size('errand_actions')")


def machine() -> str:
    """Which one this was measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{os.cpu_count()} cores of {model or platform.machine()}, Python {platform.python_version()}"
