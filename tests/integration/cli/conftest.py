"""The command line against a real dev server and a real worker with a scripted model."""

import asyncio
import fcntl
import os
import pty
import re
import select
import termios
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
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
from tests.dev_server import variables_for
from tests.forked import Forked
from tests.integration.ledger.conftest import Database
from tests.integration.ledger.postgres import Postgres
from tests.scripted_model import ScriptedModel

ROOT = Path(__file__).parents[3]
T = TypeVar("T")


def an_id() -> str:
    return f"cli-{uuid.uuid4().hex[:8]}"


async def eventually(look: Callable[[], Awaitable[T | None]]) -> T:
    """The first answer that is one."""
    async with asyncio.timeout(60):
        while not (seen := await look()):  # the server has no event for it
            await asyncio.sleep(0.05)
    return seen


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@dataclass
class Terminal:
    """A person's end of the terminal that `process` runs in."""

    process: asyncio.subprocess.Process
    _ours: int
    _unseen: str = ""

    async def see(self, words: str, within: float = 30) -> str:
        """What is shown next, up to these words and without what moves the cursor."""
        deadline = time.monotonic() + within
        while words not in self._unseen and time.monotonic() < deadline and await asyncio.to_thread(self._read):
            pass
        assert words in self._unseen, self._unseen
        before, _, self._unseen = self._unseen.partition(words)
        return before + words

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    async def interrupt(self, words: str) -> None:
        """Press Ctrl-C until these words are seen: readline loses it between its prompt and its waiting for keys."""
        for _ in range(5):
            self.type("\x03")
            with suppress(AssertionError):
                await self.see(words, within=6)
                return
        await self.see(words)

    async def ends(self) -> int:
        """The exit code."""
        async with asyncio.timeout(30):
            while await asyncio.to_thread(self._read):
                pass
            return await self.process.wait()

    def _read(self) -> bool:
        """Whether the process may still show something."""
        try:
            shown = os.read(self._ours, 4096) if select.select([self._ours], [], [], 1)[0] else b""
        except OSError:  # the other end is closed
            return False
        self._unseen = re.sub(r"\x1b\[[?\d;]*[a-zA-Z]", "", self._unseen + shown.decode(errors="ignore"))
        return True


@dataclass(frozen=True)
class CommandLine:
    """`client.py` with the environment of this test: in this process, or in one of its own."""

    environment: dict[str, str]
    python: Forked | None = None
    """Starts the processes."""

    async def __call__(self, *words: str) -> Said:
        run = partial(CliRunner(env=self.environment).invoke, catch_exceptions=False)
        result = await asyncio.to_thread(run, app, list(words))
        return Said(result.exit_code, result.stdout, result.stderr)

    @asynccontextmanager
    async def terminal(self, *words: str, **variables: str) -> AsyncGenerator[Terminal]:
        """A process in a terminal of its own."""
        ours, theirs = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *self._command(words),
            env={**os.environ, **self.environment, "TERM": "xterm", "NO_COLOR": "1", **variables},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=lambda: _controlled_by(theirs),
        )
        os.close(theirs)
        try:
            yield Terminal(process, ours)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            os.close(ours)

    async def piped(self, typed: str, *words: str) -> Said:
        """A process that reads this from a pipe."""
        async with self.process(*words, stdin=asyncio.subprocess.PIPE) as process, asyncio.timeout(40):
            out, err = await process.communicate(typed.encode())
        return Said(process.returncode or 0, out.decode(), err.decode())

    @asynccontextmanager
    async def process(
        self, *words: str, stdin: int = asyncio.subprocess.DEVNULL
    ) -> AsyncGenerator[asyncio.subprocess.Process]:
        """A process that is ended with the block, if it has not ended before."""
        process = await asyncio.create_subprocess_exec(
            *self._command(words),
            env={**os.environ, **self.environment},
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    def _command(self, words: Sequence[str]) -> Sequence[str]:
        assert self.python, "only the fixture `cli` starts processes"
        return self.python(str(ROOT / "client.py"), *words)


def _controlled_by(terminal: int) -> None:
    """Ctrl-C typed at the terminal reaches the process."""
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty one."""
    if request.param == "sqlite":
        return Database(f"sqlite:///{tmp_path}/ledger.db", None, tmp_path)
    server: Postgres = request.getfixturevalue("postgres")
    await server.empty()
    return Database(server.url, server, tmp_path)


@pytest.fixture
def cli(temporal: WorkflowEnvironment, settings: Settings, python: Forked) -> CommandLine:
    """The command line of a user called ann."""
    return CommandLine(
        {
            **variables_for(temporal.client),
            "ERRAND_TASK_QUEUE": settings.worker.task_queue,
            "ERRAND_LEDGER_URL": settings.ledger.ledger_url,
            "ERRAND_TOOLS": " ".join(settings.tools.tools),
            "LOGNAME": "ann",
        },
        python,
    )


@pytest_asyncio.fixture(loop_scope="session")
async def worker(client: Client, settings: Settings, model: ScriptedModel) -> AsyncGenerator[ScriptedModel]:
    """A worker on this test's task queue; the fixture's value is its model."""
    async with running_worker(client, settings):
        yield model


@pytest.fixture
def alone(cli: CommandLine, model: ScriptedModel) -> CommandLine:
    """The command line where no Temporal server answers and a scripted model does."""
    reached = {"TEMPORAL_ADDRESS": "127.0.0.1:1", "OPENAI_BASE_URL": model.url, "OPENAI_MODEL": "scripted"}
    return CommandLine({**cli.environment, **reached})
