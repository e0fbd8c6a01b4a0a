"""A running activity says that it is alive, and with it what the next attempt has to know."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities import heartbeats
from activities.heartbeats import Heartbeats, remember, send_heartbeat_details

BEAT = 0.05


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "INTERVAL", BEAT)


@dataclass
class Beats:
    """The heartbeats of an activity."""

    said: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])

    async def until(self, number: int) -> None:
        async with asyncio.timeout(10):
            while len(self.said) < number:
                await asyncio.sleep(0.001)


Work = Callable[[Beats], Awaitable[object]]


@dataclass
class Runs(ActivityInboundInterceptor):
    work: Work
    beats: Beats

    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        return await self.work(self.beats)


async def beats_of(work: Work, *, left: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The heartbeats of an activity whose attempt before left something."""
    beats, environment = Beats(), ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, heartbeat_details=left)
    environment.on_heartbeat = lambda *details: beats.said.append(details)
    beating = Heartbeats().intercept_activity(Runs(work, beats))
    await environment.run(beating.execute_activity, ExecuteActivityInput(work, (), None, {}))
    return beats.said


async def test_an_activity_that_is_soon_over_costs_no_heartbeat() -> None:
    async def work(_: Beats) -> None:
        remember("half")

    assert await beats_of(work) == []


async def test_what_is_remembered_goes_with_every_heartbeat_from_the_next_on() -> None:
    async def work(beats: Beats) -> None:
        await beats.until(1)
        remember("half", 2)
        await beats.until(3)

    assert await beats_of(work) == [(), ("half", 2), ("half", 2)]


async def test_what_cannot_wait_is_told_at_once_and_again() -> None:
    async def work(beats: Beats) -> None:
        send_heartbeat_details("most")
        assert beats.said == [("most",)], "at once"
        await beats.until(2)

    assert await beats_of(work) == [("most",), ("most",)]


async def test_what_the_attempt_before_has_left_is_not_forgotten() -> None:
    assert await beats_of(lambda beats: beats.until(1), left=("half",)) == [("half",)]
