"""One part of the embedded deployment: a process of its own, and how to tell that it is ready."""

import asyncio
import ctypes
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TAIL_LINES = 15


class DeploymentError(Exception):
    """The deployment cannot run; the message says why, in words for people."""


@dataclass(frozen=True)
class Log:
    """Where a part writes, and how much of it earlier lives have written."""

    path: Path
    begin: int

    def text(self) -> str:
        with self.path.open("rb") as file:
            file.seek(self.begin)
            return file.read().decode(errors="replace")

    def tail(self) -> str:
        return "\n".join(f"    {line}" for line in self.text().splitlines()[-TAIL_LINES:])


@dataclass(frozen=True)
class Part:
    name: str
    command: tuple[str, ...]
    is_ready: Callable[[Log], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    after: tuple[str, ...] = ()
    """The parts that must be ready before this one starts."""
    ready_within: float = 60
    stops_within: float = 5

    async def start(self, log: Log) -> Process:
        """Start the process in a session of its own, so that Ctrl-C reaches the supervisor alone."""
        with log.path.open("ab") as file:
            return await asyncio.create_subprocess_exec(
                *self.command,
                cwd=REPOSITORY,
                env=dict(self.environment),
                stdin=DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
                preexec_fn=end_with_parent if _LIBC else None,
            )

    async def stop(self, process: Process) -> None:
        """Ask it to stop; end it and what it started when it takes too long."""
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(self.stops_within):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def answers(port: int, *, ask: bytes = b"", expect: bytes) -> Callable[[Log], Awaitable[bool]]:
    """Ready when what listens on the port says `expect`, after being told `ask`."""

    async def is_ready(_: Log) -> bool:
        try:
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    writer.write(ask)
                    return expect in await reader.readline()
                finally:
                    writer.close()
        except OSError:  # a timeout is one too
            return False

    return is_ready


def serves(port: int, path: str) -> Callable[[Log], Awaitable[bool]]:
    """Ready when `GET path` is answered with 200."""
    return answers(port, ask=f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode(), expect=b" 200 ")


def logs(text: str) -> Callable[[Log], Awaitable[bool]]:
    """Ready when the part has written `text`."""

    async def is_ready(log: Log) -> bool:
        return text in log.text()

    return is_ready


_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here: a forked child may not load libraries


def end_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when its parent is gone, however it went."""
    if _LIBC:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
