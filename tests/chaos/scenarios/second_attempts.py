"""A worker dies in the act, and a second attempt finds that something has changed meanwhile."""

import asyncio
from collections.abc import Callable

from tests.chaos.scenarios.ledgers import FileLedger
from tests.chaos.scenarios.scene import Letter, Scene
from tests.chaos.scenarios.used_again import Handle

EACH = 3
FEW = "attempts=3"
"""Twelve take six minutes."""
A_WHILE = 3.0
UNTIL_SOMEBODY_NOTICES = 16.0
"""Seconds: the second attempt has been made by then."""
OUT_OF_REACH = 22.0
"""Seconds: a dead worker is missed after ten, and three attempts are over four seconds later."""


async def ledger_restored(scene: Scene) -> None:
    """From a copy of before the act; the identity is the same."""
    ledger = file_of(scene)
    worker = await scene.worker()
    await scene.carry_out(scene.letter())
    copy = ledger.copy()
    handles = await in_the_act(scene)
    await worker.kill()
    ledger.restore(copy)
    await scene.worker()
    await all_end(scene, handles)


async def ledger_removed(scene: Scene) -> None:
    """Under a worker in the act, and about to act; the next worker makes a new one."""
    worker = await scene.worker(FEW)
    about_to = [scene.letter() for _ in range(EACH)]
    for letter in about_to:
        scene.stage.post.hold_before(letter.token)
        scene.stage.post.hold_yes(letter.token)
    handles = {letter: await scene.start(letter) for letter in about_to} | await in_the_act(scene)
    file_of(scene).remove()
    for letter in about_to:
        scene.stage.post.go_on(letter.token)
    await asyncio.sleep(A_WHILE)
    await worker.kill()
    await scene.worker(FEW)
    await all_end(scene, handles)


async def row_deleted(scene: Scene) -> None:
    await second_attempt(scene, lambda: scene.ledger.run("DELETE FROM errand_actions"))


async def ledger_swapped(scene: Scene) -> None:
    """The second worker's ERRAND_LEDGER_URL is another one, until somebody has noticed."""
    worker = await scene.worker()
    handles = await in_the_act(scene)
    await worker.kill()
    wrong = await scene.worker(ledger=FileLedger(file_of(scene).file.with_name("another.db")))
    await asyncio.sleep(UNTIL_SOMEBODY_NOTICES)
    await wrong.kill()
    await scene.worker()
    await all_end(scene, handles)


async def ledger_out_of_reach(scene: Scene) -> None:
    """For the second worker, and for longer than there are attempts."""
    worker = await scene.worker(FEW)
    handles = await in_the_act(scene)
    second = await scene.worker(FEW)
    await worker.kill()
    async with scene.ledger.out_of_reach(second):
        await asyncio.sleep(OUT_OF_REACH)
    await all_end(scene, handles)


async def another_version(scene: Scene) -> None:
    """The second worker's send_email has another schema."""
    await second_attempt(scene, lambda: None, "another-version")


async def second_attempt(scene: Scene, change: Callable[[], object], *ways: str) -> None:
    worker = await scene.worker()
    handles = await in_the_act(scene)
    await worker.kill()
    change()
    await scene.worker(*ways)
    await all_end(scene, handles)


async def in_the_act(scene: Scene) -> dict[Letter, Handle]:
    """Requests whose mail is delivered, and whose worker does not know it yet."""
    letters = [scene.letter() for _ in range(EACH)]
    for letter in letters:
        scene.stage.post.hold_yes(letter.token)
    handles = {letter: await scene.start(letter) for letter in letters}
    await asyncio.gather(*(scene.stage.post.reached(letter.token) for letter in letters))
    return handles


async def all_end(scene: Scene, handles: dict[Letter, Handle]) -> None:
    for letter in handles:
        scene.stage.post.let_go(letter.token)
    await asyncio.gather(*(scene.ends(letter, handle) for letter, handle in handles.items()))


def file_of(scene: Scene) -> FileLedger:
    assert isinstance(scene.ledger, FileLedger)
    return scene.ledger
