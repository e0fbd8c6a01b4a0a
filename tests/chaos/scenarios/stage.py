"""Where scenarios take place: a Temporal server on a file, a mail server, a model, and the source of all workers."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client

from deploy.local.deployment import Deployment, surroundings
from deploy.local.part import Log, Part
from deploy.service.search_attributes import register_search_attributes
from tests.chaos.forks import Zygote
from tests.chaos.scenarios.model import Model
from tests.chaos.scenarios.order_desk import OrderDesk, order_desk
from tests.chaos.scenarios.order_tools import ORDERS_URL
from tests.chaos.scenarios.post import Post, post_office
from tests.chaos.scenarios.workers import WAYS
from tests.chaos.scene import connected
from tests.dev_server import variables_for
from tests.forked.process import Process

READY_WITHIN = 120
SETTINGS = (
    'history.transferProcessorUpdateAckInterval="1s"',  # what has ended can be deleted at once
    'history.visibilityProcessorUpdateAckInterval="1s"',
    "frontend.WorkflowPauseEnabled=true",
    "frontend.MaxConcurrentBatchOperationPerNamespace=20",
)
ASK_AGAIN = 16
"""In place of the hour for which a far end that takes keys is asked again; the pauses are shorter with it."""
LEDGER_PATIENCE = timedelta(seconds=20)
"""In place of the hour for which a request asks a ledger that does not answer."""


@dataclass
class Temporal:
    """The server, whose memory can be copied and put back."""

    part: Part
    log: Path
    file: Path
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        log = Log(self.log, self.log.stat().st_size if self.log.exists() else 0)
        self.process = await self.part.start(log)
        async with asyncio.timeout(READY_WITHIN):
            while not await self.part.is_ready(log):
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    def copy(self) -> Path:
        """What it remembers now."""
        copy = self.file.with_suffix(".copy")
        with closing(sqlite3.connect(self.file)) as now, closing(sqlite3.connect(copy)) as then:
            now.backup(then)
        return copy

    async def restore(self, copy: Path) -> None:
        """Let it start again with that, and nothing else."""
        await self.kill()
        self._put_back(copy)
        await self.start()

    def _put_back(self, copy: Path) -> None:
        for each in self.file.parent.glob(f"{self.file.name}*"):
            each.unlink()
        copy.rename(self.file)


@dataclass
class WorkerProcess:
    fork: Process

    @property
    def pid(self) -> int:
        return self.fork.pid

    async def kill(self) -> None:
        """It has no time for last words, and is gone afterwards."""
        with suppress(ProcessLookupError):
            self.fork.kill()
        await self.fork.wait()


@dataclass
class Stage:
    folder: Path
    source: Zygote
    temporal: Temporal
    client: Client
    post: Post
    model: Model
    orders: OrderDesk

    async def worker(
        self, name: str, *, task_queue: str, ledger_url: str, ways: tuple[str, ...], variables: Mapping[str, str]
    ) -> WorkerProcess:
        """One that is ready for work."""
        log = self.folder / f"{name}.log"
        log.touch()
        every = {
            "NO_PROXY": "127.0.0.1,localhost",
            **variables_for(self.client),
            "OPENAI_BASE_URL": self.model.url,
            "OPENAI_API_KEY": "scripted",
            "OPENAI_MODEL": "scripted",
            "ERRAND_TASK_QUEUE": task_queue,
            "ERRAND_TOOLS": "tests.sample_tools tests.chaos.scenarios.order_tools",
            "ERRAND_HTTP_PRIVATE": "true",
            ORDERS_URL: self.orders.url,
            "ERRAND_LEDGER_URL": ledger_url,
            "ERRAND_SMTP_URL": f"smtp+plain://127.0.0.1:{self.post.port}",
            "ERRAND_MAIL_FROM": "errand@example.com",
            "ERRAND_MAIL_TIMEOUT": "60",
            "ERRAND_MAIL_PAUSE": "1",
            "ERRAND_MAIL_VERDICT": "90",
            "ERRAND_ASK_AGAIN": str(ASK_AGAIN),
            WAYS: " ".join((f"ledger-patience={LEDGER_PATIENCE.total_seconds():g}", *ways)),
            **variables,
        }
        process = WorkerProcess(await self.source.fork(log, surroundings(every)))
        async with asyncio.timeout(READY_WITHIN):
            while "worker ready" not in log.read_text():
                assert process.fork.returncode is None, log.read_text()[-2000:]
                await asyncio.sleep(0.05)
        return process


@asynccontextmanager
async def staged(folder: Path, source: Zygote) -> AsyncGenerator[Stage]:
    """Everything but workers runs, and is gone afterwards.

    Args:
        folder: an empty one.
        source: of the workers.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    deployment = Deployment.on_free_ports(folder)
    part = deployment.temporal()
    settings = (word for each in SETTINGS for word in ("--dynamic-config-value", each))
    server = Temporal(
        replace(part, command=(*part.command, *settings)), folder / "temporal.log", folder / "temporal.db"
    )
    await server.start()
    try:
        client = await connected(deployment.temporal_address)
        await register_search_attributes(client)
        async with post_office() as post, order_desk() as orders:
            with Model() as model:
                yield Stage(folder, source, server, client, post, model, orders)
    finally:
        await server.kill()
