"""One trial: many requests with one write each, workers that are killed meanwhile, and what became of every write."""

import asyncio
import os
import signal
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx
from temporalio.client import Client

from client import submit
from tests.chaos.http_writes.far_end import FarEnd, far_end
from tests.chaos.http_writes.tools import URL
from tests.chaos.trial import PatientModel
from tests.conftest import dev_server
from tests.scripted_model import ScriptedModel, call, calls, say
from workflows.contract.api import Outcome, ReceiptStatus, Request

ROOT = Path(__file__).parents[3]
TOOLS = ("open_ticket", "open_ticket_once")
SHARE = 0.5
"""Of the requests to the far end that meet a fault."""
AT_ONCE = 24
PATIENCE = 240.0
"""Seconds for the last of the requests."""


@dataclass
class Verdict:
    """Of the writes of one tool, judged by the far end's own record."""

    ended: Counter[str] = field(default_factory=Counter[str])
    duplicates: list[str] = field(default_factory=list[str])
    done_not_so: list[str] = field(default_factory=list[str])
    failed_not_so: list[str] = field(default_factory=list[str])
    stuck: list[str] = field(default_factory=list[str])

    @property
    def violations(self) -> list[str]:
        found = {
            "done more than once": self.duplicates,
            "done, not so": self.done_not_so,
            "failed, not so": self.failed_not_so,
            "stuck": self.stuck,
        }
        return [f"{each}: {what}" for what, numbers in found.items() for each in numbers]

    def add(self, number: str, status: ReceiptStatus | None, times: int) -> None:
        self.ended[status.value if status else "stuck"] += 1
        if status is None:
            self.stuck.append(number)
        if times > 1:
            self.duplicates.append(number)
        if status is ReceiptStatus.DONE and times == 0:
            self.done_not_so.append(number)
        if status in (ReceiptStatus.FAILED, ReceiptStatus.REFUSED, ReceiptStatus.CANCELLED) and times > 0:
            self.failed_not_so.append(number)


@dataclass
class Result:
    verdicts: Mapping[str, Verdict]
    """By tool."""
    met: Mapping[str, int]
    """How often each fault was met."""
    killed: int

    @property
    def violations(self) -> list[str]:
        return [each for verdict in self.verdicts.values() for each in verdict.violations]


async def trial(seed: int, writes: int, *, workers: int = 2, kill_every: float = 4) -> Result:
    """Let as many writes go out by each tool, and judge every one."""
    random = Random(seed)
    with tempfile.TemporaryDirectory(prefix="errand-http-") as folder, PatientModel() as model:
        async with far_end(random, SHARE) as far, dev_server() as environment:
            client, queue = environment.client, f"http-{uuid.uuid4().hex[:6]}"
            variables = _variables(client, model, far, queue, Path(folder))
            async with _under_fire(variables, workers, kill_every, random) as killed:
                numbers = {tool: [f"{tool}-{index}" for index in range(writes)] for tool in TOOLS}
                ended = await _carry_out(client, model, queue, numbers, far)
            verdicts = {tool: Verdict() for tool in TOOLS}
            for tool, verdict in verdicts.items():
                for each in numbers[tool]:
                    verdict.add(each, ended[each], far.done[each])
            return Result(verdicts, {fault.value: times for fault, times in far.met.items()}, killed[0])


async def control(seed: int, writes: int) -> Verdict:
    """The same by `httpx.post` with three tries: what anybody would write."""
    verdict = Verdict()
    async with far_end(Random(seed), SHARE) as far, httpx.AsyncClient(timeout=0.5) as http:
        for number in (f"control-{index}" for index in range(writes)):
            verdict.add(number, await _post(http, far.url, number), far.done[number])
    return verdict


async def _post(http: httpx.AsyncClient, url: str, number: str) -> ReceiptStatus:
    for _ in range(3):
        with suppress(httpx.HTTPError):
            reply = await http.post(f"{url}/plain", json={"number": number})
            reply.raise_for_status()
            return ReceiptStatus.DONE
    return ReceiptStatus.FAILED


async def _carry_out(
    client: Client, model: ScriptedModel, queue: str, numbers: Mapping[str, Sequence[str]], far: FarEnd
) -> dict[str, ReceiptStatus | None]:
    slots, ended = asyncio.Semaphore(AT_ONCE), dict[str, ReceiptStatus | None]()

    async def carry_out(tool: str, number: str) -> None:
        text = f"Open {number}"
        model.scripts[text] = [calls(call(tool, number=number)), *[say("That is all.")] * 3]
        async with slots:
            handle = await submit(client, Request(text=text, approve=("*",)), request_id=number, task_queue=queue)
            outcome: Outcome = await handle.result()
        ended[number] = outcome.receipts[0].status if outcome.receipts else None

    running = [asyncio.ensure_future(carry_out(tool, each)) for tool in numbers for each in numbers[tool]]
    await asyncio.wait(running, timeout=PATIENCE)
    far.calm = True
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return {each: ended.get(each) for tool in numbers for each in numbers[tool]}


def _variables(client: Client, model: ScriptedModel, far: FarEnd, queue: str, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        URL: far.url,
        "TEMPORAL_ADDRESS": client.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": client.namespace,
        "OPENAI_BASE_URL": model.url,
        "OPENAI_API_KEY": "sk-of-the-trial",
        "OPENAI_MODEL": "scripted",
        "ERRAND_TOOLS": "tests.chaos.http_writes.tools",
        "ERRAND_TASK_QUEUE": queue,
        "ERRAND_LEDGER_URL": f"sqlite:///{folder}/ledger.db",
        "ERRAND_HTTP_PRIVATE": "true",
        "ERRAND_HTTP_TIMEOUT": "1",
    }


@asynccontextmanager
async def _under_fire(
    variables: Mapping[str, str], workers: int, kill_every: float, random: Random
) -> AsyncGenerator[list[int]]:
    """Workers that are started again whenever they are killed; how many were."""
    living: dict[int, asyncio.subprocess.Process] = {}
    killed = [0]

    async def keep(place: int) -> None:
        while True:
            living[place] = await asyncio.create_subprocess_exec(
                *(sys.executable, "worker.py"),
                cwd=ROOT,
                env=variables,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            await living[place].wait()

    async def kill() -> None:
        while True:
            await asyncio.sleep(random.uniform(0.5, 1.5) * kill_every)
            victim = random.choice([*living.values()])
            if victim.returncode is None:
                os.kill(victim.pid, signal.SIGKILL)
                killed[0] += 1

    tasks = [asyncio.ensure_future(each) for each in (*map(keep, range(workers)), kill())]
    try:
        yield killed
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for worker in living.values():
            if worker.returncode is None:
                worker.kill()
                await worker.wait()
