"""All scenarios, each with the control that has to fail it."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from tests.chaos.forks import zygote
from tests.chaos.postgres import running
from tests.chaos.scenarios import (
    budgets,
    clocks,
    failover,
    http_writes,
    many_writes,
    mcp_server,
    operators,
    plans,
    rewound,
    second_attempts,
    used_again,
)
from tests.chaos.scenarios.ledgers import DatabaseLedger, FileLedger, SceneLedger
from tests.chaos.scenarios.scene import Scene, opened
from tests.chaos.scenarios.stage import Stage, staged
from tests.chaos.scenarios.verdict import Verdict, judge
from tests.chaos.sites import Kind

AT_ONCE = 8
"""Scenes: most of each is waiting."""


@dataclass(frozen=True)
class Scenario:
    play: Callable[[Scene], Awaitable[None]]
    control: tuple[str, ...]
    """The ways of workers that break the promise here."""
    ledger: Kind = Kind.SQLITE
    own_server: bool = False
    """It does to the Temporal server what others could not bear."""


POSTGRES = Kind.POSTGRES
SCENARIOS = {
    "ids used again": Scenario(used_again.play, ("rows-of-anybody",)),
    "ids used again, PostgreSQL": Scenario(used_again.play, ("rows-of-anybody",), POSTGRES),
    "Temporal restored": Scenario(rewound.play, ("rows-of-anybody",), own_server=True),
    "many writes, reset": Scenario(many_writes.play, ("rows-of-anybody",)),
    "ledger restored": Scenario(second_attempts.ledger_restored, ("ledger-alone",)),
    "ledger removed": Scenario(second_attempts.ledger_removed, ("ledger-alone",)),
    "ledger swapped": Scenario(second_attempts.ledger_swapped, ("ledger-alone",)),
    "row deleted": Scenario(second_attempts.row_deleted, ("ledger-alone",)),
    "disk full": Scenario(second_attempts.ledger_out_of_reach, ("last-error-counts",)),
    "PostgreSQL out of reach": Scenario(second_attempts.ledger_out_of_reach, ("last-error-counts",), POSTGRES),
    "failover to a lagging replica": Scenario(failover.to_a_lagging_replica, ("notices-no-restore",), POSTGRES),
    "another version": Scenario(second_attempts.another_version, ("arguments-first",)),
    "operators": Scenario(operators.play, ("two-seconds", "anybody-is-believed")),
    "plans applied": Scenario(plans.play, ("keys-of-the-run",)),
    "budgets": Scenario(budgets.play, ("budgets-afterwards",)),
    "budgets, PostgreSQL": Scenario(budgets.play, ("budgets-afterwards",), POSTGRES),
    "MCP server": Scenario(mcp_server.play, (mcp_server.CALLS_AGAIN,)),
    "writes over HTTP": Scenario(http_writes.plain, ("plain-post",)),
    "writes over HTTP with a key": Scenario(http_writes.with_key, ("plain-post",)),
    "clock behind": Scenario(clocks.behind, (clocks.BY_THE_CLOCK,)),
    "clock behind, PostgreSQL": Scenario(clocks.behind, (clocks.BY_THE_CLOCK,), POSTGRES),
    "clock ahead": Scenario(clocks.ahead, (clocks.BY_THE_CLOCK,)),
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
    def scenario(self) -> Scenario:
        return SCENARIOS[self.name]


async def carry_out_all(folder: Path, names: Collection[str], controls: Iterable[bool]) -> list[Result]:
    """Several at once, all with one source of workers; most of them with one Temporal server."""
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(zygote(("tests.chaos.scenarios.workers",)))
        shared = await stack.enter_async_context(staged(folder / "shared", source))
        several = [Scenery(name, is_control, folder, shared) for is_control in controls for name in names]
        if any(each.scenario.ledger is POSTGRES for each in several):
            server = await stack.enter_async_context(running(folder / "postgres"))
            several = [replace(each, postgres=server.url) for each in several]
        slots = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            playing = [group.create_task(each.play(slots)) for each in several]
        return [each.result() for each in playing]


@dataclass(frozen=True)
class Scenery:
    """One scenario, and where it is played."""

    name: str
    is_control: bool
    folder: Path
    shared: Stage
    postgres: str = ""

    @property
    def scenario(self) -> Scenario:
        return SCENARIOS[self.name]

    @property
    def label(self) -> str:
        words = self.name.replace(",", "").lower().split()
        return "-".join([*words, *(["control"] if self.is_control else [])])

    async def play(self, slots: asyncio.Semaphore) -> Result:
        async with slots, AsyncExitStack() as stack:
            began = time.monotonic()
            stage = self.shared
            if self.scenario.own_server:
                stage = await stack.enter_async_context(staged(self.folder / self.label, stage.source))
            ways = self.scenario.control if self.is_control else ()
            scene = await stack.enter_async_context(opened(self.label, stage, self._ledger(), ways))
            await self.scenario.play(scene)
            arrived = [*stage.post.deliveries, *stage.orders.deliveries]
            verdict = judge(scene.letters, scene.runs, arrived, scene.ledger.rows(), scene.problems)
            took = time.monotonic() - began
            return Result(self.name, self.is_control, len(scene.letters), len(scene.runs), verdict, took)

    def _ledger(self) -> SceneLedger:
        if self.scenario.ledger is POSTGRES:
            return DatabaseLedger(self.postgres, self.label)
        file = self.folder / self.label / "ledger.db"
        file.parent.mkdir(parents=True, exist_ok=True)
        return FileLedger(file)


def run_scenarios(names: Collection[str], folder: Path | None) -> list[Result]:
    """In a process of its own, each with its control.

    Args:
        names: of the scenarios.
        folder: where state and logs are kept; by default nowhere.
    """
    with tempfile.TemporaryDirectory(prefix="errand-scenarios-") as temporary:
        return asyncio.run(carry_out_all((folder or Path(temporary)).absolute(), names, (False, True)))
