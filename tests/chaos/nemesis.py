"""What befalls the workers, the Temporal server and the ledger while requests run."""

import asyncio
import itertools
import resource
import signal
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Sequence, Sized
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random

from tests.chaos.scene import SERVER, WORKERS, Scene

PAST_THE_HEARTBEAT = (11.0, 15.0)
"""Seconds of a freeze: a worker silent for ten is taken to be gone."""


class Blow(StrEnum):
    KILL_WORKER = "worker killed"
    KILL_SERVER = "server killed"
    FREEZE = "worker frozen"
    ROLL = "rolling SIGTERM"
    LOCK = "ledger locked"
    MOVE = "ledger gone"
    FILL = "disk full"


ON_PROCESSES = (*[Blow.KILL_WORKER] * 3, Blow.KILL_SERVER, Blow.FREEZE, Blow.ROLL)
ON_EVERYTHING = (*ON_PROCESSES, Blow.LOCK, Blow.MOVE, Blow.FILL)


@dataclass
class Nemesis:
    """Deals blows from a shuffled deck at random moments, several at once if it comes to that."""

    random: Random
    scene: Scene
    in_doubt: Sized
    """The messages that wait for the mail server's verdict at the moment."""
    blows: Sequence[Blow] = ON_EVERYTHING
    pause: tuple[float, float] = (0.3, 2.5)
    struck: Counter[Blow] = field(default_factory=Counter[Blow])
    _busy: set[Blow] = field(default_factory=set[Blow])

    async def run(self) -> None:
        """Until cancelled; then what it holds is let go."""
        async with asyncio.TaskGroup() as going_on:
            while True:
                for blow in self.random.sample(self.blows, len(self.blows)):
                    await asyncio.sleep(self.random.uniform(*self.pause))
                    await self._until_they_work()
                    going_on.create_task(self._strike(blow, Random(self.random.random())))

    async def _until_they_work(self) -> None:
        """Both, or after a while one: where nobody works, there is nothing to lose."""
        for tenths in itertools.count():
            working = len(self.scene.up.intersection(WORKERS))
            if working == len(WORKERS) or (working and tenths > 40):
                return
            await asyncio.sleep(0.1)

    async def _strike(self, blow: Blow, random: Random) -> None:
        """The same blow does not fall twice at once: with both workers frozen nothing happens."""
        if blow in self._busy:
            return
        self._busy.add(blow)
        try:
            await self._deal(blow)(random)
        finally:
            self._busy.discard(blow)

    def _deal(self, blow: Blow) -> Callable[[Random], Awaitable[None]]:
        return {
            Blow.KILL_WORKER: self._kill_worker,
            Blow.KILL_SERVER: self._kill_server,
            Blow.FREEZE: self._freeze,
            Blow.ROLL: self._roll,
            Blow.LOCK: self._lock,
            Blow.MOVE: self._move,
            Blow.FILL: self._fill,
        }[blow]

    def _signal(self, blow: Blow, name: str, number: signal.Signals) -> bool:
        hit = self.scene.signal(name, number)
        self.struck[blow] += hit
        return hit

    async def _kill_worker(self, random: Random) -> None:
        """Mostly one that works, as one that has not even started yet has little to lose; and, every other time, while
        a mail is in doubt."""
        for _ in range(30 if random.random() < 0.5 else 0):
            if self.in_doubt:
                await asyncio.sleep(0.5)
                break
            await asyncio.sleep(0.1)
        anyone = random.random() < 0.1
        self._signal(Blow.KILL_WORKER, random.choice(WORKERS if anyone else self._working()), signal.SIGKILL)

    async def _kill_server(self, _: Random) -> None:
        self._signal(Blow.KILL_SERVER, SERVER, signal.SIGKILL)

    async def _freeze(self, random: Random) -> None:
        name = random.choice(self._working())
        if self._signal(Blow.FREEZE, name, signal.SIGSTOP):
            try:
                await asyncio.sleep(random.uniform(*PAST_THE_HEARTBEAT))
            finally:
                self.scene.signal(name, signal.SIGCONT)

    async def _roll(self, random: Random) -> None:
        self.struck[Blow.ROLL] += 1
        for name in WORKERS:
            self.scene.signal(name, signal.SIGTERM)
            await asyncio.sleep(random.uniform(4, 8))

    async def _lock(self, random: Random) -> None:
        with suppress(sqlite3.OperationalError), _writing(self.scene.ledger):
            self.struck[Blow.LOCK] += 1
            await asyncio.sleep(random.choice((random.uniform(0.5, 3), random.uniform(10, 14))))

    async def _move(self, random: Random) -> None:
        """A file stands where the ledger's directory was, so that no worker makes itself a new one."""
        home = self.scene.ledger.parent
        away = home.with_name("elsewhere")
        home.rename(away)
        home.touch()
        self.struck[Blow.MOVE] += 1
        try:
            await asyncio.sleep(random.uniform(1, 5))
        finally:
            home.unlink()
            away.rename(home)

    async def _fill(self, random: Random) -> None:
        """No file of one worker may grow: what the ledger writes fails half-way."""
        pid = self.scene.supervisor.pid(random.choice(self._working()))
        if pid is None:
            return
        with suppress(ProcessLookupError, PermissionError):  # it has died
            before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
            self.struck[Blow.FILL] += 1
            try:
                await asyncio.sleep(random.uniform(1, 5))
            finally:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    def _working(self) -> Sequence[str]:
        """The workers that are ready for work; all of them if none is."""
        return [name for name in WORKERS if name in self.scene.up] or WORKERS


@contextmanager
def _writing(path: Path) -> Generator[None]:
    """Nobody else reads or writes the ledger in here: the service begins even its reading as a writer."""
    with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, isolation_level=None, timeout=0.2)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
