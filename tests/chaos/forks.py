"""Workers that start at once, because they are forked from a process that has imported everything: see tests/forked."""

import asyncio
import json
import os
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from deploy.local.part import REPOSITORY, Log, Part
from tests.forked import forked


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
    socket: Path
    words: Sequence[str]
    _told: set["asyncio.Task[None]"] = field(default_factory=set["asyncio.Task[None]"])
    _connections: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    async def fork(self, log: str, environment: dict[str, str]) -> Fork:
        asking = socket.socket(socket.AF_UNIX)
        asking.connect(str(self.socket))
        order = {"words": ["-m", *self.words], "environment": environment, "folder": str(REPOSITORY)}
        send(asking, order, log)
        said, keeps_it_alive = await asyncio.open_unix_connection(sock=asking)
        fork = Fork(json.loads(await said.readline())["pid"])

        async def listen() -> None:
            fork.ended(json.loads(await said.readline() or b'{"ended": -9}')["ended"])
            self._connections.discard(keeps_it_alive)
            keeps_it_alive.close()

        self._connections.add(keeps_it_alive)
        self._told.add(listening := asyncio.create_task(listen()))
        listening.add_done_callback(self._told.discard)
        return fork

    def close(self) -> None:
        """End what was forked and still runs."""
        for connection in self._connections:
            connection.close()


def send(asking: socket.socket, order: object, log: str) -> None:
    with Path(log).open("ab") as file, Path(os.devnull).open("rb") as nothing:
        streams = [nothing.fileno(), file.fileno(), file.fileno()]
        socket.send_fds(asking, [f"{json.dumps(order)}\n".encode()], streams)


@asynccontextmanager
async def zygote(module: Sequence[str]) -> AsyncGenerator[Zygote]:
    """One that forks processes which run the module with those arguments; all of them are gone when the block ends."""
    with ExitStack() as stack:
        source = await asyncio.to_thread(stack.enter_context, forked(module[:1]))
        yield stack.enter_context(closing(Zygote(source.socket, module)))


@dataclass(frozen=True)
class Forked(Part):
    """A part whose processes are forked instead of started from its command."""

    zygote: Zygote = field(kw_only=True)

    async def start(self, log: Log) -> Process:
        log.path.touch()
        return cast("Process", await self.zygote.fork(str(log.path), dict(self.environment)))
