"""The command line against a real dev server and a real worker with a scripted model."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from typer.testing import CliRunner

from activities.settings import Settings
from client import app
from tests.conftest import running_worker
from tests.scripted_model import ScriptedModel

ROOT = Path(__file__).parents[3]
T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T | None]]) -> T:
    """The first answer that is one."""
    async with asyncio.timeout(10):
        while not (seen := await look()):  # the server has no event for it
            await asyncio.sleep(0.05)
    return seen


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class CommandLine:
    """`client.py` with the environment of this test: in this process, or in one of its own."""

    environment: dict[str, str]

    async def __call__(self, *words: str) -> Said:
        run = CliRunner(env=self.environment).invoke
        result = await asyncio.to_thread(run, app, list(words))
        return Said(result.exit_code, result.stdout, result.stderr)

    @asynccontextmanager
    async def process(self, *words: str) -> AsyncGenerator[asyncio.subprocess.Process]:
        """A process that is ended with the block, if it has not ended before."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "client.py"),
            *words,
            env={**os.environ, **self.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


@pytest.fixture
def cli(temporal: WorkflowEnvironment, settings: Settings) -> CommandLine:
    """The command line of a user called ann."""
    return CommandLine(
        {
            "TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host,
            "TEMPORAL_NAMESPACE": temporal.client.namespace,
            "ERRAND_TASK_QUEUE": settings.task_queue,
            "ERRAND_LEDGER_URL": settings.ledger_url,
            "ERRAND_TOOLS": " ".join(settings.tools),
            "LOGNAME": "ann",
        }
    )


@pytest_asyncio.fixture(loop_scope="session")
async def worker(client: Client, settings: Settings, model: ScriptedModel) -> AsyncGenerator[ScriptedModel]:
    """A worker on this test's task queue; the fixture's value is its model."""
    async with running_worker(client, settings, sandboxed=False):
        yield model
