"""The ledger's server is replaced by a replica that lags: behind the same URL, the last writes are missing.

Meanwhile workers live on, others die, and requests whose writes are lost are reset. An operator recovers the ledger.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, suppress

from activities.ledger.ledger import Ledger
from activities.toolkit.tool import tool_of
from activities.tools.mail import send_email
from deploy.client.recovery import recover
from tests.chaos.insist import insist
from tests.chaos.scenarios.ledgers import DatabaseLedger
from tests.chaos.scenarios.many_writes import reset
from tests.chaos.scenarios.operators import insist_on, latest_run
from tests.chaos.scenarios.scene import Scene
from tests.chaos.scenarios.second_attempts import all_end, in_the_act
from tests.integration.operators.verbs import BY_HAND, WORKFLOW

EACH = 3
LOOKS_EVERY = 1.0


async def to_a_lagging_replica(scene: Scene) -> None:
    assert isinstance(scene.ledger, DatabaseLedger)
    first, _ = await asyncio.gather(scene.worker(), scene.worker())
    await asyncio.gather(*(scene.carry_out(scene.letter()) for _ in range(EACH)))
    await asyncio.to_thread(scene.ledger.replicate)
    lost, of_another_path = [[scene.letter() for _ in range(EACH)] for _ in range(2)]
    await asyncio.gather(*(scene.carry_out(letter) for letter in (*lost, *of_another_path)))
    acting = await in_the_act(scene)
    await first.kill()
    await asyncio.to_thread(scene.ledger.fail_over)
    async with operator(scene):
        following = [scene.letter() for _ in range(EACH)]
        for letter in lost:
            await insist_on(scene, f"workflow reset {WORKFLOW} {BY_HAND} --type FirstWorkflowTask", letter)
        await scene.worker()
        await asyncio.gather(
            all_end(scene, acting),
            *(scene.carry_out(letter) for letter in following),
            *(reset(scene, letter) for letter in of_another_path),
        )
        for letter in lost:
            await scene.ends(letter, await latest_run(scene, letter))
    must_have_been_noticed(scene, "ledger")


def must_have_been_noticed(scene: Scene, older: str) -> None:
    if older not in scene.ledger.older_copies():
        scene.problems.append(f"nobody has noticed that the {older} is older")


@asynccontextmanager
async def operator(scene: Scene) -> AsyncGenerator[None]:
    """Somebody who recovers the ledger as soon as writes wait."""
    watching = asyncio.create_task(_recover_whenever_held(scene))
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _recover_whenever_held(scene: Scene) -> None:
    tool = tool_of(send_email)
    assert tool
    while True:
        await asyncio.sleep(LOOKS_EVERY)
        async with aclosing(await Ledger.open(scene.ledger.url, create=False)) as ledger:
            if await ledger.restores.unsettled():
                await insist(lambda: recover(scene.stage.client, ledger, {tool.name: tool}, since=None))
                await ledger.restores.settle("operator")
