"""One seed from beginning to end: faults, requests and blows for a while, then calm, then the verdict."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from random import Random

from tests.chaos import naive
from tests.chaos.blows import ON_EVERYTHING, ON_PROCESSES, Blow, Blows
from tests.chaos.faults import Encryption, Fault, Faults
from tests.chaos.judge import Verdict, duplicates, judge
from tests.chaos.load import Story, carry_out, plans
from tests.chaos.nemesis import Nemesis
from tests.chaos.scene import staged
from tests.chaos.settling import Operator, Settled
from tests.chaos.sites import Kind, ledger_site
from tests.chaos.smtp_record import Certificates, SmtpRecord, recording
from tests.scripted_model import ScriptedModel
from workflows.contract.api import TASK_QUEUE

AT_ONCE = 40
"""Requests that are open at the same time."""
MOST = 0.75
"""The share of the work after which the blows may end; they end anyway after twice the time."""
NEARLY_ALL = 0.95
"""The share of the work after which the mail server may behave; it does so anyway a while after the last blow."""
AFTERMATH = 0.4
"""That while, as a share of the time over which requests are made."""
PATIENCE = 150.0
"""Seconds after the last blow within which every request must have its outcome: the longest pause between two attempts
is a minute."""
WORKER = ("worker",)


@dataclass(frozen=True)
class Terrain:
    """Where a trial takes place."""

    ledger: Kind = Kind.SQLITE
    encryption: Encryption = Encryption.STARTTLS
    first: Sequence[Fault] = ()
    """The faults that are dealt before all others."""
    first_blows: Sequence[Blow] = ()
    """The same of blows."""
    blows: Sequence[Blow] = ON_EVERYTHING
    worker: Sequence[str] = WORKER
    """The module whose `main` is a worker, and its arguments."""

    @property
    def deck(self) -> Sequence[Blow]:
        """A full disk is a blow to a ledger in a file; PostgreSQL's own disk is not this harness's to fill."""
        return [blow for blow in self.blows if blow is not Blow.FILL or self.ledger is Kind.SQLITE]


@dataclass(frozen=True)
class Result:
    """Of one trial."""

    name: str
    terrain: Terrain
    sends: int
    verdict: Verdict
    blows: Counter[Blow]
    faults: Faults
    seconds: float
    settled: Sequence[Settled] = ()

    @property
    def is_well(self) -> bool:
        return not self.verdict.violations

    @property
    def struck(self) -> Counter[Fault]:
        return self.faults.struck


async def trial(
    seed: int, *, sends: int, seconds: float, terrain: Terrain | None = None, home: Path | None = None
) -> Result:
    """The service under fire.

    Args:
        seed: decides the faults, the requests and the blows.
        sends: how many messages the requests are about.
        seconds: over which time the requests are made; the blows last until then.
        terrain: where, and with which worker.
        home: where state and logs are kept; by default nowhere.
    """
    began = time.monotonic()
    terrain = terrain or Terrain()
    random = Random(seed)
    stories = [Story(plan) for plan in plans(random, f"chaos-{seed}", sends)]
    faults = Faults(Random(random.random()), encryption=terrain.encryption, first=terrain.first)
    certificates = Certificates()
    with tempfile.TemporaryDirectory(prefix="errand-chaos-") as temporary, PatientModel() as model:
        state = (home or Path(temporary)).absolute()
        model.scripts.update((story.plan.text, story.plan.script()) for story in stories)
        async with recording(faults, certificates) as record, ledger_site(terrain.ledger, state) as site:
            variables = _mail_settings(certificates, state, terrain, record) | _settings(model.url, site.url)
            operator = Operator(site.url, record, Random(random.random()))
            async with staged(state, site, terrain.worker, variables) as scene:
                blows = Blows(scene, record)
                nemesis = Nemesis(
                    Random(random.random()), blows, lambda: record.sessions, terrain.deck, terrain.first_blows
                )
                work = [
                    partial(carry_out, scene.client, TASK_QUEUE, record.in_doubt, operator, story) for story in stories
                ]
                await under_fire(work, (nemesis.run, operator.run), faults, random, seconds)
            verdict = judge(stories, record, await site.rows(), operator.said)
    took = time.monotonic() - began
    return Result(str(seed), terrain, sends, verdict, blows.struck, faults, took, operator.said)


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
    work: Sequence[Callable[[], Awaitable[None]]],
    others: Sequence[Callable[[], Awaitable[None]]],
    faults: Faults,
    random: Random,
    seconds: float,
) -> None:
    """Start all work at random moments of the time given, strike until most of it is done, then wait in calm.

    Args:
        work: what is to be done.
        others: the first strikes until calm comes; the rest goes on until all is done.
        faults: are over when calm comes.
        random: decides the moments.
        seconds: the time.
    """
    slots = asyncio.Semaphore(AT_ONCE)

    async def later(each: Callable[[], Awaitable[None]], delay: float) -> None:
        await asyncio.sleep(delay)
        async with slots:
            await each()

    running = [asyncio.ensure_future(later(each, random.uniform(0, seconds))) for each in work]
    striking, *beside = [asyncio.ensure_future(each()) for each in others]
    try:
        await asyncio.wait([striking], timeout=seconds)
        fire_ends = time.monotonic() + seconds
        while not striking.done() and time.monotonic() < fire_ends and _share(running) < MOST:
            await asyncio.sleep(0.5)
        await _ended(striking)
        aftermath = time.monotonic() + AFTERMATH * seconds
        while time.monotonic() < aftermath and _share(running) < NEARLY_ALL:
            await asyncio.sleep(0.5)
        faults.over = True
        await asyncio.wait(running, timeout=PATIENCE)
    finally:
        for task in (striking, *running, *beside):
            await _ended(task)


def _share(tasks: Sequence[asyncio.Future[None]]) -> float:
    return sum(task.done() for task in tasks) / len(tasks)


async def _ended(task: asyncio.Future[None]) -> None:
    """Cancel it if it still runs; what it failed with is the harness's own fault, and is raised."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def control(seed: int, *, sends: int, seconds: float, home: Path | None = None) -> Result:
    """The negative control: the same faults and blows, on a worker that takes no care. It has to send twice."""
    began = time.monotonic()
    random = Random(seed)
    terrain = Terrain(worker=("tests.chaos.naive",), blows=ON_PROCESSES)
    faults = Faults(Random(random.random()))
    certificates = Certificates()
    with tempfile.TemporaryDirectory(prefix="errand-chaos-") as temporary:
        state = (home or Path(temporary)).absolute()
        async with recording(faults, certificates) as record, ledger_site(Kind.SQLITE, state) as site:
            variables = _mail_settings(certificates, state, terrain, record) | {naive.SMTP_PORT: str(record.port)}
            async with staged(state, site, terrain.worker, variables) as scene:
                blows = Blows(scene, record)
                nemesis = Nemesis(Random(random.random()), blows, lambda: record.sessions, terrain.deck)
                work = [partial(naive.send, scene.client, f"naive-{seed}-{index}") for index in range(sends)]
                await under_fire(work, (nemesis.run,), faults, random, seconds)
    verdict = Verdict(duplicates=duplicates(record.deliveries))
    return Result("control", terrain, sends, verdict, blows.struck, faults, time.monotonic() - began)


def _mail_settings(certificates: Certificates, state: Path, terrain: Terrain, record: SmtpRecord) -> dict[str, str]:
    state.mkdir(parents=True, exist_ok=True)
    scheme = "smtp" if terrain.encryption is Encryption.STARTTLS else "smtps"
    return {
        "SSL_CERT_FILE": str(certificates.write_authority(state)),
        "ERRAND_SMTP_URL": f"{scheme}://errand:secret@127.0.0.1:{record.port}",
        "ERRAND_MAIL_FROM": "errand@example.com",
        "ERRAND_MAIL_TIMEOUT": "2",
        "ERRAND_MAIL_VERDICT": "4",
        "ERRAND_MAIL_PAUSE": "0.5",
    }


def _settings(model_url: str, ledger_url: str) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": model_url,
        "OPENAI_API_KEY": "scripted",
        "OPENAI_MODEL": "scripted",
        "ERRAND_LEDGER_URL": ledger_url,
    }


def run_trial(seed: int, sends: int, seconds: float, terrain: Terrain, home: Path | None) -> Result:
    """In a process of its own."""
    return asyncio.run(trial(seed, sends=sends, seconds=seconds, terrain=terrain, home=home))


def run_control(seed: int, sends: int, seconds: float, home: Path | None) -> Result:
    return asyncio.run(control(seed, sends=sends, seconds=seconds, home=home))
