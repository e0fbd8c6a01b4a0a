"""A running activity says that it is alive, and with it what the next attempt has to know."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

import pytest
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities import heartbeats
from activities.heartbeats import Heartbeats, remember, send_heartbeat_details

BEAT = 0.05


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "INTERVAL", BEAT)


class Runs(ActivityInboundInterceptor):
    def __init__(self, work: Callable[[], Awaitable[object]]) -> None:
        self.work = work

    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        return await self.work()


async def beats_of(work: Callable[[], Awaitable[object]], *, left: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The heartbeats of an activity whose attempt before left something."""
    beats: list[tuple[object, ...]] = []
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, heartbeat_details=left)
    environment.on_heartbeat = lambda *details: beats.append(details)
    beating = Heartbeats().intercept_activity(Runs(work))
    await environment.run(beating.execute_activity, ExecuteActivityInput(work, (), None, {}))
    return beats


async def test_an_activity_that_is_soon_over_costs_no_heartbeat() -> None:
    async def work() -> None:
        remember("half")

    assert await beats_of(work) == []


async def test_what_is_remembered_goes_with_every_heartbeat_from_the_next_on() -> None:
    async def work() -> None:
        await asyncio.sleep(1.5 * BEAT)
        remember("half", 2)
        await asyncio.sleep(2 * BEAT)

    beats = await beats_of(work)
    nothing_yet = beats.count(())
    assert nothing_yet
    assert beats[:nothing_yet] == [()] * nothing_yet
    assert set(beats[nothing_yet:]) == {("half", 2)}


async def test_what_cannot_wait_is_told_at_once_and_again() -> None:
    async def work() -> None:
        send_heartbeat_details("most")
        await asyncio.sleep(1.5 * BEAT)

    beats = await beats_of(work)
    assert len(beats) > 1
    assert set(beats) == {("most",)}


async def test_what_the_attempt_before_has_left_is_not_forgotten() -> None:
    assert set(await beats_of(lambda: asyncio.sleep(1.5 * BEAT), left=("half",))) == {("half",)}
