"""Keeps parts running: starts each when those it needs are ready, starts it again when it dies, stops them in order."""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from deploy.local.part import DeploymentError, Log, Part

STEADY = 10.0
"""Seconds of life after which a death counts as the first."""
LONGEST_PAUSE = 30.0
READY_POLL = 0.05

Say = Callable[[str], None]


@dataclass
class Pauses:
    """How long to wait before starting a part again: not at all the first time, then 1 s, doubled up to 30 s."""

    deaths: int = 0

    def after(self, lived: float) -> float:
        self.deaths = 1 if lived >= STEADY else self.deaths + 1
        return 0.0 if self.deaths == 1 else min(LONGEST_PAUSE, 2.0 ** (self.deaths - 2))


@dataclass
class _Kept:
    part: Part
    log: Path
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    process: Process | None = None


class Supervisor:
    """`async with Supervisor(…)`: inside, every part is ready; afterwards none of them is left.

    The first of `parts` is stopped first, the others then all at once.

    Raises:
        DeploymentError: a part did not become ready; the message ends with what it wrote last.
    """

    def __init__(self, parts: Sequence[Part], logs: Path, say: Say) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._kept = {part.name: _Kept(part, logs / f"{part.name.replace(' ', '-')}.log") for part in parts}
        self._say = say
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        try:
            self._tasks = [asyncio.create_task(self._keep(kept)) for kept in self._kept.values()]
            self._tasks.append(asyncio.create_task(self._all_ready()))
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # keeping a part only ends by failing
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    def pid(self, name: str) -> int | None:
        """The process id of a part, while it has one."""
        process = self._kept[name].process
        return process.pid if process and process.returncode is None else None

    async def _all_ready(self) -> None:
        for kept in self._kept.values():
            await kept.ready.wait()

    async def _keep(self, kept: _Kept) -> None:
        for name in kept.part.after:
            await self._kept[name].ready.wait()
        await self._start(kept)
        pauses, clock = Pauses(), asyncio.get_running_loop().time
        began = clock()
        while kept.process:
            await kept.process.wait()
            pause = pauses.after(clock() - began)
            self._say(
                f"{kept.part.name} {_how_it_ended(kept.process)}; "
                f"starting it again{f' in {pause:g} s' if pause else ''}"
            )
            await asyncio.sleep(pause)
            began = clock()
            try:
                await self._start(kept)
            except DeploymentError as error:
                self._say(str(error))
                await kept.part.stop(kept.process)

    async def _start(self, kept: _Kept) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        log = Log(kept.log, kept.log.stat().st_size if kept.log.exists() else 0)
        process = kept.process = await kept.part.start(log)
        while not await kept.part.is_ready(log):
            if process.returncode is not None:
                raise DeploymentError(f"{kept.part.name} {_how_it_ended(process)} ({log.path}):\n{log.tail()}")
            if clock() - began > kept.part.ready_within:
                late = f"{kept.part.name} was not ready within {kept.part.ready_within:g} s"
                raise DeploymentError(f"{late} ({log.path}):\n{log.tail()}")
            await asyncio.sleep(READY_POLL)
        kept.ready.set()
        self._say(f"✓ {kept.part.name} ({clock() - began:.1f} s, process {process.pid})")

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        first, *others = self._kept.values()
        await _end(first)
        await asyncio.gather(*(_end(kept) for kept in others))


async def _end(kept: _Kept) -> None:
    if kept.process and kept.process.returncode is None:
        await kept.part.stop(kept.process)


def _how_it_ended(process: Process) -> str:
    code = process.returncode or 0
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
