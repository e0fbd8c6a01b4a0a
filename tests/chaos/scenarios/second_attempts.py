"""A worker dies in the act, and a second attempt finds that something has changed meanwhile."""

import asyncio
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.chaos.scenarios.scene import Letter, Scene
from tests.chaos.scenarios.used_again import Handle

EACH = 3
FEW = "attempts=3"
"""Twelve take six minutes."""
A_WHILE = 3.0
OUT_OF_REACH = 22.0
"""Seconds: a dead worker is missed after ten, and three attempts are over four seconds later."""


async def ledger_restored(scene: Scene) -> None:
    """From a copy of before the act; the identity is the same."""
    worker = await scene.worker()
    first = scene.letter()
    await scene.carry_out(first)
    copy = scene.ledger.with_name("copy.db")
    scene.run_sql(f"VACUUM INTO '{copy}'")

    def restore() -> None:
        remove(scene.ledger)
        shutil.move(copy, scene.ledger)

    handles = await in_the_act(scene)
    await worker.ended()
    restore()
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
    remove(scene.ledger)
    for letter in about_to:
        scene.stage.post.go_on(letter.token)
    await asyncio.sleep(A_WHILE)
    await worker.ended()
    await scene.worker(FEW)
    await all_end(scene, handles)


async def row_deleted(scene: Scene) -> None:
    await second_attempt(scene, lambda: scene.run_sql("DELETE FROM errand_actions"))


async def ledger_swapped(scene: Scene) -> None:
    """The second worker's ERRAND_LEDGER_URL is another one, until somebody has noticed."""
    worker = await scene.worker()
    handles = await in_the_act(scene)
    await worker.ended()
    wrong = await scene.worker(ledger=another(scene))
    await asyncio.sleep(16)
    await wrong.ended()
    await scene.worker()
    await all_end(scene, handles)


async def ledger_out_of_reach(scene: Scene) -> None:
    """The second worker's disk is full for longer than there are attempts."""
    worker = await scene.worker(FEW)
    handles = await in_the_act(scene)
    second = await scene.worker(FEW)
    await worker.ended()
    before = resource.prlimit(second.fork.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(second.fork.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    await asyncio.sleep(OUT_OF_REACH)
    resource.prlimit(second.fork.pid, resource.RLIMIT_FSIZE, before)
    await all_end(scene, handles)


async def another_version(scene: Scene) -> None:
    """The second worker's send_email has another schema."""
    await second_attempt(scene, lambda: None, "another-version")


async def second_attempt(scene: Scene, change: Callable[[], object], *ways: str) -> None:
    worker = await scene.worker()
    handles = await in_the_act(scene)
    await worker.ended()
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


def remove(ledger: Path) -> None:
    """With what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{ledger}{suffix}").unlink(missing_ok=True)


def another(scene: Scene) -> Path:
    return scene.ledger.with_name("another.db")
