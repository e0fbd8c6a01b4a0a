"""Workers that start at once, because they are forked from a process that has imported everything: see zygote.py."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

from deploy.local.part import REPOSITORY, Log, Part


@dataclass
class Fork:
    """What the supervisor wants of an `asyncio.subprocess.Process`."""

    pid: int
    returncode: int | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> int:
        await self._over.wait()
        return self.returncode or 0

    def terminate(self) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal.SIGTERM)

    def ended(self, code: int) -> None:
        self.returncode = code
        self._over.set()


@dataclass
class Zygote:
    process: Process
    _forks: dict[int, Fork] = field(default_factory=dict[int, Fork])
    _born: asyncio.Queue[Fork] = field(default_factory=asyncio.Queue[Fork])
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """When everything is imported."""

    async def fork(self, log: str, environment: dict[str, str]) -> Fork:
        assert self.process.stdin
        async with self._turn:
            self.process.stdin.write(f"{json.dumps({'log': log, 'environment': environment})}\n".encode())
            return await self._born.get()

    async def listen(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            news = json.loads(line)
            if "ended" in news:
                self._forks.pop(news["pid"]).ended(news["ended"])
            elif "ready" in news:
                self.ready.set()
            else:
                fork = self._forks[news["pid"]] = Fork(news["pid"])
                self._born.put_nowait(fork)


@asynccontextmanager
async def zygote(module: Sequence[str]) -> AsyncGenerator[Zygote]:
    """One that forks processes which run the module with those arguments; all of them are gone when the block ends."""
    command = (sys.executable, "-m", "tests.chaos.zygote", *module)
    process = await asyncio.create_subprocess_exec(*command, cwd=REPOSITORY, stdin=PIPE, stdout=PIPE, stderr=None)
    found = Zygote(process)
    listening = asyncio.create_task(found.listen())
    try:
        await asyncio.wait(
            [listening, ready := asyncio.ensure_future(found.ready.wait())], return_when="FIRST_COMPLETED"
        )
        assert ready.done(), f"{module} cannot be imported"
        yield found
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await listening


@dataclass(frozen=True)
class Forked(Part):
    """A part whose processes are forked instead of started from its command."""

    zygote: Zygote = field(kw_only=True)

    async def start(self, log: Log) -> Process:
        log.path.touch()
        return cast("Process", await self.zygote.fork(str(log.path), dict(self.environment)))
