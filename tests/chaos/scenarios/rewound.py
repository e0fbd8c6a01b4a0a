"""Temporal's database is put back to an older copy: what happened since is known to the ledger alone."""

import asyncio

from activities.ledger.restores import MARKS_APART
from tests.chaos.insist import insist
from tests.chaos.scenarios.failover import must_have_been_noticed, operator
from tests.chaos.scenarios.scene import Letter, Run, Scene
from tests.chaos.scenarios.used_again import Handle, once_more
from workflows.contract.api import Approve, RequestState

EACH = 3


async def play(scene: Scene) -> None:
    await asyncio.gather(scene.worker(), scene.worker())
    temporal = scene.stage.temporal
    acting, asking, thinking, later = [[scene.letter() for _ in range(EACH)] for _ in range(4)]
    handles = await under_way(scene, acting, asking, thinking)
    copy, mark = await asyncio.to_thread(temporal.copy), scene.ledger.mark()
    await all_end(scene, acting, asking, thinking, handles)
    await asyncio.gather(*(scene.carry_out(letter) for letter in later))
    await until_it_is_marked(scene, mark)
    await temporal.restore(copy)
    for letter in thinking:
        scene.stage.model.turn(letter.text)
    async with operator(scene):
        await asyncio.gather(
            all_end(scene, acting, asking, thinking, handles),
            *(once_more(scene, letter, other_path=index % 2 == 1) for index, letter in enumerate(later)),
        )
        await until_it_is_noticed(scene)


async def until_it_is_marked(scene: Scene, before: int) -> None:
    """Temporal has heard of the ledger's progress often enough since then for an older copy to show."""
    while scene.ledger.mark() <= before + MARKS_APART:
        await scene.carry_out(scene.letter())
        await asyncio.sleep(1)


async def until_it_is_noticed(scene: Scene) -> None:
    """The watch goes on with the mark of the copy once its lost attempt is missed."""
    for _ in range(30):
        if "temporal" in scene.ledger.older_copies():
            return
        await asyncio.sleep(1)
    must_have_been_noticed(scene, "temporal")


async def under_way(
    scene: Scene, acting: list[Letter], asking: list[Letter], thinking: list[Letter]
) -> dict[Letter, Handle]:
    """Requests whose mail waits for the verdict, for a person's yes, or has not been thought of yet."""
    for letter in acting:
        scene.stage.post.hold_yes(letter.token)
    for letter in thinking:
        scene.stage.model.hold(letter.text)
    handles = {letter: await scene.start(letter) for letter in (*acting, *thinking)}
    handles |= {letter: await scene.start(letter, asks=True) for letter in asking}
    await asyncio.gather(*(scene.stage.post.reached(letter.token) for letter in acting))
    await asyncio.gather(*(until_it_asks(handles[letter]) for letter in asking))
    return handles


async def all_end(
    scene: Scene, acting: list[Letter], asking: list[Letter], thinking: list[Letter], handles: dict[Letter, Handle]
) -> list[Run]:
    for letter in acting:
        scene.stage.post.let_go(letter.token)
    for letter in thinking:
        scene.stage.model.let_go(letter.text)
    await asyncio.gather(*(say_yes(handles[letter]) for letter in asking))
    return list(await asyncio.gather(*(scene.ends(letter, handle) for letter, handle in handles.items())))


async def until_it_asks(handle: Handle) -> RequestState:
    while not (state := await insist(lambda: handle.query("state", result_type=RequestState))).awaiting_approval:
        await asyncio.sleep(0.1)
    return state


async def say_yes(handle: Handle) -> None:
    (pending,) = (await until_it_asks(handle)).awaiting_approval
    yes = Approve(key=pending.key, digest=pending.digest, by="Ann")
    await insist(lambda: handle.execute_update("approve", yes))  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open
