"""Orders go out over HTTP, to a far end that fails at every stage, while workers are killed."""

import asyncio

from tests.chaos.scenarios.scene import Letter, Scene

ORDERS = 500
AT_ONCE = 100
WORKERS = 2
KILLS = 8
BETWEEN_KILLS = 3.0
"""Seconds."""


async def plain(scene: Scene) -> None:
    """The far end knows no keys."""
    await _play(scene, "place_order")


async def with_key(scene: Scene) -> None:
    await _play(scene, "place_order_with_key")


async def _play(scene: Scene, tool: str) -> None:
    scene.variables["ERRAND_HTTP_TIMEOUT"] = "2"
    workers = [await scene.worker() for _ in range(WORKERS)]
    slots = asyncio.Semaphore(AT_ONCE)

    async def carry_out(letter: Letter) -> None:
        async with slots:
            await scene.carry_out(letter)

    async def kill() -> None:
        for _ in range(KILLS):
            await asyncio.sleep(BETWEEN_KILLS)
            await workers.pop(0).kill()
            workers.append(await scene.worker())

    async with asyncio.TaskGroup() as group:
        group.create_task(kill())
        for letter in [scene.letter(tool=tool) for _ in range(ORDERS)]:
            group.create_task(carry_out(letter))
