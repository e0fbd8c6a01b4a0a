"""What can befall the workers, the Temporal server, the network between them, and the ledger."""

import asyncio
import resource
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from temporalio.service import RPCError

from tests.chaos.faults import WORST
from tests.chaos.scene import SERVER, WORKERS, Scene, sent
from tests.chaos.smtp_record import SmtpRecord
from tests.chaos.wire import Wire

PAST_THE_HEARTBEAT = (11.0, 15.0)
"""Seconds of a freeze: a worker silent for ten is taken to be gone."""


class Blow(StrEnum):
    KILL_WORKER = "worker killed"
    KILL_SERVER = "server killed"
    FREEZE = "worker frozen"
    FREEZE_ALL = "all workers frozen"
    ROLL = "rolling SIGTERM"
    DESERT = "cancelled in doubt, then workers killed"
    POWER = "power loss"
    CUT = "connections cut"
    SILENCE = "network silent"
    SLOW = "network slow"
    LOCK = "ledger locked"
    GONE = "ledger gone"
    FILL = "disk full"


ON_PROCESSES = (*[Blow.KILL_WORKER] * 3, Blow.KILL_SERVER, Blow.FREEZE, Blow.ROLL)
ON_EVERYTHING = (
    *(*[Blow.KILL_WORKER] * 3, *[Blow.DESERT] * 4, Blow.KILL_SERVER, Blow.FREEZE, Blow.FREEZE_ALL, Blow.ROLL),
    *(Blow.POWER, Blow.CUT, Blow.SILENCE, Blow.SLOW, Blow.LOCK, Blow.GONE, Blow.FILL),
)


@dataclass
class Blows:
    scene: Scene
    record: SmtpRecord
    struck: Counter[Blow] = field(default_factory=Counter[Blow])

    def __getitem__(self, blow: Blow) -> Callable[[Random], Awaitable[None]]:
        return {
            Blow.KILL_WORKER: self._kill_worker,
            Blow.KILL_SERVER: self._kill_server,
            Blow.FREEZE: self._freeze_one,
            Blow.FREEZE_ALL: self._freeze_all,
            Blow.ROLL: self._roll,
            Blow.DESERT: self._desert,
            Blow.POWER: self._power,
            Blow.CUT: self._cut,
            Blow.SILENCE: self._silence,
            Blow.SLOW: self._slow,
            Blow.LOCK: self._lock,
            Blow.GONE: self._gone,
            Blow.FILL: self._fill,
        }[blow]

    def working(self) -> Sequence[str]:
        """The workers that are ready for work; all of them if none is."""
        return [name for name in WORKERS if name in self.scene.up] or WORKERS

    async def _any_doubt(self, tenths: int) -> bool:
        for _ in range(tenths):
            if self.record.in_doubt:
                return True
            await asyncio.sleep(0.1)
        return False

    async def _kill_worker(self, random: Random) -> None:
        """Mostly one that works, as one that has not even started yet has little to lose; and, every other time, while
        a mail is in doubt."""
        if random.random() < 0.5 and await self._any_doubt(30):
            await asyncio.sleep(0.5)
        anyone = random.random() < 0.1
        name = random.choice(WORKERS if anyone else self.working())
        self.struck[Blow.KILL_WORKER] += self.scene.signal(name, signal.SIGKILL)

    async def _kill_server(self, _: Random) -> None:
        self.struck[Blow.KILL_SERVER] += self.scene.signal(SERVER, signal.SIGKILL)

    async def _freeze_one(self, random: Random) -> None:
        await self._freeze(Blow.FREEZE, [random.choice(self.working())], random)

    async def _freeze_all(self, random: Random) -> None:
        await self._freeze(Blow.FREEZE_ALL, WORKERS, random)

    async def _freeze(self, blow: Blow, names: Sequence[str], random: Random) -> None:
        """It is these processes that wake again, not those that may have taken their places."""
        pids = [pid for name in names if (pid := self.scene.supervisor.pid(name)) is not None]
        frozen = [pid for pid in pids if sent(pid, signal.SIGSTOP)]
        self.struck[blow] += len(frozen) == len(names)
        try:
            await asyncio.sleep(random.uniform(*PAST_THE_HEARTBEAT))
        finally:
            for pid in frozen:
                sent(pid, signal.SIGCONT)

    async def _roll(self, random: Random) -> None:
        self.struck[Blow.ROLL] += 1
        for name in WORKERS:
            self.scene.signal(name, signal.SIGTERM)
            await asyncio.sleep(random.uniform(4, 8))

    async def _desert(self, random: Random) -> None:
        """Requests are cancelled while their mails are in doubt, and then nobody is left to say how that ended."""
        for _ in range(2):
            self.record.faults.press(WORST)
        tokens = await self._lasting_doubt(80)
        await self._cancel({token.rpartition("-")[0] for token in tokens})
        await asyncio.sleep(random.uniform(0.1, 0.4))
        if self.record.in_doubt.intersection(tokens):
            killed = [self.scene.signal(name, signal.SIGKILL) for name in WORKERS]
            self.struck[Blow.DESERT] += any(killed)

    async def _lasting_doubt(self, tenths: int) -> set[str]:
        """Messages whose verdict is late, and not only on its way."""
        before = set[str]()
        for _ in range(tenths // 3):
            if lasting := before & self.record.in_doubt:
                return lasting
            before = set(self.record.in_doubt)
            await asyncio.sleep(0.3)
        return set()

    async def _cancel(self, request_ids: Iterable[str]) -> None:
        with suppress(RPCError, TimeoutError):
            async with asyncio.timeout(2):
                await asyncio.gather(*(self.scene.client.get_workflow_handle(each).cancel() for each in request_ids))

    async def _power(self, _: Random) -> None:
        """Everything that keeps anything dies in the same instant. What the operating system has taken is kept."""
        pids = self.scene.pids
        for pid in pids:
            sent(pid, signal.SIGKILL)
        self.struck[Blow.POWER] += bool(pids)

    async def _cut(self, random: Random) -> None:
        self.struck[Blow.CUT] += 1
        for wire in self._wires(random):
            wire.cut()

    async def _silence(self, random: Random) -> None:
        """Nothing comes through, nothing says so; then it comes late, or never."""
        wires = self._wires(random)
        self.struck[Blow.SILENCE] += 1
        with ExitStack() as silent:
            for wire in wires:
                silent.enter_context(wire.silent())
            await asyncio.sleep(random.uniform(5, 15))
            if random.random() < 0.5:
                for wire in wires:
                    wire.cut()

    async def _slow(self, random: Random) -> None:
        self.struck[Blow.SLOW] += 1
        with ExitStack() as slow:
            for wire in self._wires(random):
                slow.enter_context(wire.slow(random.uniform(0.1, 0.8)))
            await asyncio.sleep(random.uniform(3, 8))

    def _wires(self, random: Random) -> Sequence[Wire]:
        """Mostly one worker's: the other may then take over what the first still does."""
        return self.scene.wires if random.random() < 0.4 else [random.choice(self.scene.wires)]

    async def _lock(self, random: Random) -> None:
        with suppress(OSError):
            async with self.scene.site.locked():
                self.struck[Blow.LOCK] += 1
                await asyncio.sleep(random.choice((random.uniform(0.5, 3), random.uniform(10, 14))))

    async def _gone(self, random: Random) -> None:
        self.struck[Blow.GONE] += 1
        await self.scene.site.vanish(random)

    async def _fill(self, random: Random) -> None:
        """No file of one worker may grow: what a ledger in a file writes fails half-way."""
        pid = self.scene.supervisor.pid(random.choice(self.working()))
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
