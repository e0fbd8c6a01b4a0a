"""All scenarios, each with the control that has to fail it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.forks import Zygote, zygote
from tests.chaos.scenarios import rewound, second_attempts, used_again
from tests.chaos.scenarios.scene import Scene, opened
from tests.chaos.scenarios.stage import Stage, staged
from tests.chaos.scenarios.verdict import Verdict, judge

AT_ONCE = 6
"""Scenes: most of each is waiting."""


@dataclass(frozen=True)
class Scenario:
    play: Callable[[Scene], Awaitable[None]]
    control: str
    """The way of workers that break the promise here."""
    own_server: bool = False
    """It does to the Temporal server what others could not bear."""


SCENARIOS = {
    "ids used again": Scenario(used_again.play, "rows-of-anybody"),
    "Temporal restored": Scenario(rewound.play, "rows-of-anybody", own_server=True),
    "ledger restored": Scenario(second_attempts.ledger_restored, "ledger-alone"),
    "ledger removed": Scenario(second_attempts.ledger_removed, "ledger-alone"),
    "ledger swapped": Scenario(second_attempts.ledger_swapped, "ledger-alone"),
    "row deleted": Scenario(second_attempts.row_deleted, "ledger-alone"),
    "ledger out of reach": Scenario(second_attempts.ledger_out_of_reach, "last-error-counts"),
    "another version": Scenario(second_attempts.another_version, "arguments-first"),
}


@dataclass(frozen=True)
class Result:
    name: str
    is_control: bool
    requests: int
    runs: int
    verdict: Verdict
    seconds: float

    @property
    def is_well(self) -> bool:
        """Nothing is wrong; or, of a control, something is, and was noticed."""
        return bool(self.verdict.violations) == self.is_control

    @property
    def line(self) -> str:
        said = ", ".join(f"{count} {status}" for status, count in self.verdict.statuses.items())
        head = (
            f"{self.name}{' (control)' if self.is_control else ''}: {self.requests} requests, {self.runs} runs: {said}"
        )
        tail = "".join(f"\n    {each}" for each in self.verdict.violations)
        return f"{head}; {self.verdict.undelivered_unknown} undelivered unknown; {self.seconds:.0f} s{tail}"


async def carry_out_all(folder: Path, names: Collection[str], controls: Iterable[bool]) -> list[Result]:
    """Several at once, all with one source of workers; most of them with one Temporal server."""
    slots = asyncio.Semaphore(AT_ONCE)
    async with zygote(("tests.chaos.scenarios.workers",)) as source, AsyncExitStack() as stack:
        await source.ready.wait()
        shared = await stack.enter_async_context(staged(folder / "shared", source))

        async def later(name: str, is_control: bool) -> Result:
            async with slots:
                return await _carry_out(name, is_control, folder, source, shared)

        async with asyncio.TaskGroup() as group:
            wanted = [(name, control) for control in controls for name in names]
            running = [group.create_task(later(name, control)) for name, control in wanted]
        return [each.result() for each in running]


async def _carry_out(name: str, is_control: bool, folder: Path, source: Zygote, shared: Stage) -> Result:
    scenario = SCENARIOS[name]
    label = f"{name.replace(' ', '-')}{'-control' if is_control else ''}"
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        stage = shared
        if scenario.own_server:
            stage = await stack.enter_async_context(staged(folder / label, source))
        ways = (scenario.control,) if is_control else ()
        scene = await stack.enter_async_context(opened(label, stage, ways))
        await scenario.play(scene)
        verdict = judge(scene.letters, scene.runs, stage.post.deliveries, scene.rows(), scene.problems)
        return Result(name, is_control, len(scene.letters), len(scene.runs), verdict, time.monotonic() - began)


def well(results: Sequence[Result]) -> bool:
    return all(each.is_well for each in results)
