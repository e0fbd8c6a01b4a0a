"""What the door costs: its CPU a request, its memory, and how long a `POST /v1/requests` takes.

python -m tests.bench.door    on a machine that does nothing else: 30 s
"""

import asyncio
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import httpx

from deploy.local.deployment import DOOR, Deployment
from deploy.local.supervisor import Supervisor

AT_ONCE = 200
COUNTED = 1_000
AT_A_TIME = (1, 2, 4)
"""With four, the callers and Temporal's server take all of two cores."""
TICKS = os.sysconf("SC_CLK_TCK")
CALL = {"text": "Get the weather in Paris and send it to ann@example.com."}


async def main() -> int:
    with tempfile.TemporaryDirectory(prefix="errand-door-") as folder:
        deployment = Deployment.on_free_ports(Path(folder))
        os.environ["ERRAND_WEB_RATE_LIMIT"] = "1000000"
        parts = deployment.temporal(), deployment.door()
        async with Supervisor(parts, deployment.logs, lambda _: None) as supervisor:
            pid = supervisor.pid(DOOR)
            assert pid is not None, "it is ready"
            async with httpx.AsyncClient(base_url=deployment.door_url, timeout=60, limits=httpx.Limits()) as caller:
                return await measured(caller, pid)


async def measured(caller: httpx.AsyncClient, pid: int) -> int:
    """Print what was measured; returns how many calls failed."""
    await several(caller, 50, 4)
    say("memory after 50 calls", memory(pid))
    statuses, _ = await several(caller, AT_ONCE, AT_ONCE)
    failed = sum(status != 201 for status in statuses)
    say(f"{AT_ONCE} calls at once", f"{failed} failed")
    before = cpu(pid)
    for at_a_time in AT_A_TIME:
        statuses, took = await several(caller, COUNTED, at_a_time)
        failed += (wrong := sum(status != 201 for status in statuses))
        cuts = statistics.quantiles(took, n=100)
        found = f"median {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, {wrong} failed"
        say(f"POST, {at_a_time} at a time", found)
    say("CPU a call", f"{(cpu(pid) - before) / COUNTED / len(AT_A_TIME) * 1000:.2f} ms")
    say("memory", memory(pid))
    say("load average", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return failed


async def several(caller: httpx.AsyncClient, count: int, at_a_time: int) -> tuple[Sequence[int], Sequence[float]]:
    """So many calls; their statuses, and the seconds that each took."""
    turn = asyncio.Semaphore(at_a_time)

    async def one() -> tuple[int, float]:
        async with turn:
            begun = time.perf_counter()
            answer = await caller.post("/v1/requests", json=CALL, headers={"Idempotency-Key": uuid.uuid4().hex})
            return answer.status_code, time.perf_counter() - begun

    ended = await asyncio.gather(*(one() for _ in range(count)))
    return [status for status, _ in ended], [took for _, took in ended]


def cpu(pid: int) -> float:
    """Seconds that a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> str:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    mebibytes = {name: int(status[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")}
    return f"{mebibytes['VmRSS']:.0f} MiB resident, {mebibytes['RssAnon']:.0f} MiB of them its own"


def say(what: str, found: str) -> None:
    print(f"{what:<28} {found}")  # noqa: T201  # a report is its purpose


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
