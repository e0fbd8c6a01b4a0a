"""A worker's clock is two hours off, and a person has a word on its write."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from activities.errors import NotOpen
from activities.ledger.ledger import Ledger
from activities.ledger.tables import actions
from tests.chaos.scenarios.scene import Letter, Scene
from tests.chaos.scenarios.second_attempts import all_end, in_the_act

OFF = 7200
BY_THE_CLOCK = "by-the-clock"
"""The control: what the worker's clock wrote down is held against the operator's."""
LONGEST_ACT = timedelta(minutes=15)


class ClockLedger(Ledger):
    def _is_under_way(self) -> sa.ColumnElement[bool]:
        return actions.c.begun_at > datetime.now(UTC) - LONGEST_ACT


async def behind(scene: Scene) -> None:
    """Somebody says that a mail was not delivered while it waits for its verdict."""
    await scene.worker(f"clock=-{OFF}")
    handles = await in_the_act(scene)
    for letter in handles:
        if await resolve(scene, letter, delivered=False):
            scene.problems.append(f"{letter.request_id}: it was settled by hand while it was under way")
    await all_end(scene, handles)


async def ahead(scene: Scene) -> None:
    """Nobody acts any more, and somebody says what became of it."""
    worker = await scene.worker(f"clock={OFF}")
    handles = await in_the_act(scene)
    await asyncio.gather(*(handle.terminate("chaos") for handle in handles.values()))
    await worker.kill()
    for letter in handles:
        if not await resolve(scene, letter, delivered=True):
            scene.problems.append(f"{letter.request_id}: it cannot be settled although nobody acts")


async def resolve(scene: Scene, letter: Letter, *, delivered: bool) -> bool:
    """Whether the ledger takes the word."""
    kind = ClockLedger if BY_THE_CLOCK in scene.ways else Ledger
    async with aclosing(await kind.open(scene.ledger.url, create=False)) as ledger:
        try:
            await ledger.resolve(f"{letter.request_id}/1.1", delivered=delivered, by="Olga")
        except NotOpen:
            return False
        return True
