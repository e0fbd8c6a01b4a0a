"""One seed from beginning to end: faults, requests and blows for a while, then calm, then the verdict."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from random import Random

from activities.ledger import Action, Ledger
from tests.chaos import naive
from tests.chaos.faults import Fault, Faults
from tests.chaos.judge import Verdict, duplicates, judge
from tests.chaos.load import Story, carry_out, plans
from tests.chaos.nemesis import ON_PROCESSES, Blow, Nemesis
from tests.chaos.scene import ledger_of, staged
from tests.chaos.smtp_record import recording
from tests.scripted_model import ScriptedModel
from workflows.contract import TASK_QUEUE

AT_ONCE = 40
"""Requests that are open at the same time."""
MOST = 0.85
"""The share of the work after which calm may come; it comes anyway after twice the time."""
PATIENCE = 150.0
"""Seconds after the last blow within which every request must have its outcome: the longest pause between two attempts
is a minute."""


@dataclass(frozen=True)
class Result:
    """Of one trial."""

    name: str
    sends: int
    verdict: Verdict
    blows: Counter[Blow]
    faults: Counter[Fault]
    seconds: float

    @property
    def is_well(self) -> bool:
        return not self.verdict.violations


async def trial(seed: int, *, sends: int, seconds: float, home: Path | None = None) -> Result:
    """The service under fire.

    Args:
        seed: decides the faults, the requests and the blows.
        sends: how many messages the requests are about.
        seconds: over which time the requests are made; the blows last until then.
        home: where state and logs are kept; by default nowhere.
    """
    began = time.monotonic()
    random = Random(seed)
    stories = [Story(plan) for plan in plans(random, f"chaos-{seed}", sends)]
    faults = Faults(Random(random.random()))
    with tempfile.TemporaryDirectory(prefix="errand-chaos-") as temporary, PatientModel() as model:
        state = (home or Path(temporary)).absolute()
        model.scripts.update((story.plan.text, story.plan.script()) for story in stories)
        async with recording(faults) as record:
            variables = _worker_settings(state, model.url, record.port)
            async with staged(state, ("worker.py",), variables) as scene:
                nemesis = Nemesis(Random(random.random()), scene, record.in_doubt)
                work = [partial(carry_out, scene.client, TASK_QUEUE, record.in_doubt, story) for story in stories]
                await under_fire(work, nemesis, faults, random, seconds)
            verdict = judge(stories, record, await _rows(state))
    return Result(str(seed), sends, verdict, nemesis.struck, faults.struck, time.monotonic() - began)


class PatientModel(ScriptedModel):
    """A scripted model that takes it for granted that its callers are killed in the middle of a sentence."""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        usual = super()._handler()

        class Handler(usual):
            def handle(self) -> None:
                with suppress(ConnectionError):
                    super().handle()

        return Handler


async def under_fire(
    work: Sequence[Callable[[], Awaitable[None]]], nemesis: Nemesis, faults: Faults, random: Random, seconds: float
) -> None:
    """Start all work at random moments of the time given, strike until most of it is done, then wait in calm."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def later(each: Callable[[], Awaitable[None]], delay: float) -> None:
        await asyncio.sleep(delay)
        async with slots:
            await each()

    running = [asyncio.create_task(later(each, random.uniform(0, seconds))) for each in work]
    striking = asyncio.create_task(nemesis.run())
    try:
        await asyncio.wait([striking], timeout=seconds)
        fire_ends = time.monotonic() + seconds
        while not striking.done() and time.monotonic() < fire_ends and _share(running) < MOST:
            await asyncio.sleep(0.5)
        await _ended(striking)
        faults.over = True
        await asyncio.wait(running, timeout=PATIENCE)
    finally:
        for task in (striking, *running):
            await _ended(task)


def _share(tasks: Sequence[asyncio.Task[None]]) -> float:
    return sum(task.done() for task in tasks) / len(tasks)


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel it if it still runs; what it failed with is the harness's own fault, and is raised."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def control(seed: int, *, sends: int, seconds: float, home: Path | None = None) -> Result:
    """The negative control: the same faults and blows, on a worker that takes no care. It has to send twice."""
    began = time.monotonic()
    random = Random(seed)
    faults = Faults(Random(random.random()))
    with tempfile.TemporaryDirectory(prefix="errand-chaos-") as temporary:
        async with recording(faults) as record:
            state = (home or Path(temporary)).absolute()
            variables = {naive.SMTP_PORT: str(record.port)}
            async with staged(state, ("-m", "tests.chaos.naive"), variables) as scene:
                nemesis = Nemesis(Random(random.random()), scene, record.in_doubt, blows=ON_PROCESSES)
                work = [partial(naive.send, scene.client, f"naive-{seed}-{index}") for index in range(sends)]
                await under_fire(work, nemesis, faults, random, seconds)
    verdict = Verdict(duplicates=duplicates(record.deliveries))
    return Result("control", sends, verdict, nemesis.struck, faults.struck, time.monotonic() - began)


async def _rows(state: Path) -> list[Action]:
    ledger = await Ledger.open(_ledger_url(state))
    async with aclosing(ledger):
        return await ledger.search(limit=1_000_000)


def _ledger_url(state: Path) -> str:
    return f"sqlite+aiosqlite:///{ledger_of(state)}"


def _worker_settings(state: Path, model_url: str, smtp_port: int) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": model_url,
        "OPENAI_API_KEY": "scripted",
        "OPENAI_MODEL": "scripted",
        "ERRAND_SMTP_URL": f"smtp+plain://127.0.0.1:{smtp_port}",
        "ERRAND_MAIL_FROM": "errand@example.com",
        "ERRAND_MAIL_TIMEOUT": "2",
        "ERRAND_MAIL_VERDICT": "4",
        "ERRAND_MAIL_PAUSE": "0.5",
        "ERRAND_LEDGER_URL": _ledger_url(state),
    }
