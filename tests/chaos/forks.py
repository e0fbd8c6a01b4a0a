"""Workers that start at once, because they are forked from a process that has imported everything: see tests/forked."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from deploy.local.part import Log, Part
from tests.forked import forked
from tests.forked.process import Process as ForkedProcess
from tests.forked.process import Processes


@dataclass
class Zygote:
    """Forks processes that run one module."""

    words: Sequence[str]
    processes: Processes

    async def fork(self, log: Path, environment: Mapping[str, str]) -> ForkedProcess:
        return await self.processes.start(["-m", *self.words], environment, log)


@asynccontextmanager
async def zygote(module: Sequence[str]) -> AsyncGenerator[Zygote]:
    """One that forks processes which run the module with those arguments; all of them are gone when the block ends."""
    with ExitStack() as stack:
        source = await asyncio.to_thread(stack.enter_context, forked(module[:1]))
        yield Zygote(module, stack.enter_context(closing(Processes(source.socket))))


@dataclass(frozen=True)
class Forked(Part):
    """A part whose processes are forked instead of started from its command."""

    zygote: Zygote = field(kw_only=True)

    async def start(self, log: Log) -> Process:
        log.path.touch()
        return cast("Process", await self.zygote.fork(log.path, self.environment))
