"""A forked process by its own pid, for what has to know when it is gone: a stand-in is gone before it."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.forked import ROOT


@dataclass
class Process:
    """What an `asyncio.subprocess.Process` has of this."""

    pid: int
    returncode: int | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> int:
        await self._over.wait()
        return self.returncode or 0

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        if self.returncode is None:  # otherwise its pid may be another's by now
            os.kill(self.pid, number)

    def ended(self, code: int) -> None:
        self.returncode = code
        self._over.set()


@dataclass
class Processes:
    """Those that one server has forked for one owner."""

    server: Path
    _told: set["asyncio.Task[None]"] = field(default_factory=set["asyncio.Task[None]"])
    _connections: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    async def start(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> Process:
        """Run a file with its arguments, or `-m` and a module with its arguments; the log is what it writes."""
        asking = socket.socket(socket.AF_UNIX)
        asking.connect(str(self.server))
        _send(asking, {"words": [*words], "environment": dict(environment), "folder": str(ROOT)}, log)
        said, keeps_it_alive = await asyncio.open_unix_connection(sock=asking)
        process = Process(json.loads(await said.readline())["pid"])

        async def listen() -> None:
            process.ended(json.loads(await said.readline() or b'{"ended": -9}')["ended"])
            self._connections.discard(keeps_it_alive)
            keeps_it_alive.close()

        self._connections.add(keeps_it_alive)
        self._told.add(listening := asyncio.create_task(listen()))
        listening.add_done_callback(self._told.discard)
        return process

    def close(self) -> None:
        """End what still runs."""
        for connection in self._connections:
            connection.close()


def _send(asking: socket.socket, order: Mapping[str, object], log: Path) -> None:
    with log.open("ab") as file, Path(os.devnull).open("rb") as nothing:
        streams = [nothing.fileno(), file.fileno(), file.fileno()]
        socket.send_fds(asking, [f"{json.dumps(order)}\n".encode()], streams)
