"""Workers that start at once, because they are forked from a process that has imported everything: see tests/forked."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from tests.forked import forked
from tests.forked.process import Process, Processes


@dataclass
class Zygote:
    """Forks processes that run one module."""

    words: Sequence[str]
    processes: Processes

    @property
    def command(self) -> tuple[str, ...]:
        return (sys.executable, "-m", *self.words)

    async def fork(self, log: Path, environment: Mapping[str, str]) -> Process:
        return await self.processes.start(self.command[1:], environment, log)


@asynccontextmanager
async def zygote(module: Sequence[str]) -> AsyncGenerator[Zygote]:
    """One that forks processes which run the module with those arguments; all of them are gone when the block ends."""
    with ExitStack() as stack:
        source = await asyncio.to_thread(stack.enter_context, forked(module[:1]))
        yield Zygote(module, stack.enter_context(closing(Processes(source.socket))))
