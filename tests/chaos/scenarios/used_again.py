"""A request id that is used again in every way that Temporal allows, with a model that may take another path."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError

from tests.chaos.insist import insist
from tests.chaos.scenarios.scene import Letter, Scene
from workflows.contract.api import Outcome

EACH = 3
TIMES = 3
"""For which a cron's request is made."""
AGAIN = {"id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE}
Handle = WorkflowHandle[Any, Outcome]


async def play(scene: Scene) -> None:
    await asyncio.gather(scene.worker(), scene.worker())
    ways = (after_its_end, after_deletion, after_termination, in_place_of_the_one_that_runs, at_every_time)
    await asyncio.gather(
        *(way(scene, other_path=other) for way in ways for other in (False, True) for _ in range(EACH))
    )


async def after_its_end(scene: Scene, *, other_path: bool) -> None:
    letter = scene.letter()
    await scene.carry_out(letter)
    await once_more(scene, letter, other_path=other_path)


async def after_deletion(scene: Scene, *, other_path: bool) -> None:
    letter = scene.letter()
    handle = await scene.start(letter)
    await scene.ends(letter, handle)
    execution = WorkflowExecution(workflow_id=handle.id, run_id=handle.run_id or "")
    delete = DeleteWorkflowExecutionRequest(namespace=scene.stage.client.namespace, workflow_execution=execution)
    with suppress(RPCError):  # it is not found any more
        while True:
            await insist(lambda: scene.stage.client.workflow_service.delete_workflow_execution(delete))
            await asyncio.sleep(1)
    await once_more(scene, letter, other_path=other_path)


async def after_termination(scene: Scene, *, other_path: bool) -> None:
    """In the act; the next run begins while the act goes on."""
    letter = scene.letter()
    handle = await in_the_act(scene, letter)
    await handle.terminate("chaos")
    await meanwhile(scene, letter, other_path=other_path, **AGAIN)


async def in_place_of_the_one_that_runs(scene: Scene, *, other_path: bool) -> None:
    letter = scene.letter()
    await in_the_act(scene, letter)
    policy = WorkflowIDConflictPolicy.TERMINATE_EXISTING
    await meanwhile(scene, letter, other_path=other_path, id_conflict_policy=policy)


async def at_every_time(scene: Scene, *, other_path: bool) -> None:
    """Of a cron, each time is a request of its own."""
    letter = scene.letter(repeats=True)
    if other_path:
        scene.stage.model.swaying.add(letter.text)
    handle = await scene.start(letter, cron_schedule="@every 3s")
    client = scene.stage.client
    for _ in range(TIMES):
        await scene.ends(letter, handle)
        _, following = await scene.cron_run(handle)
        handle = client.get_workflow_handle(letter.request_id, run_id=following, result_type=Outcome)
    await client.get_workflow_handle(letter.request_id).terminate("enough")


async def in_the_act(scene: Scene, letter: Letter) -> Handle:
    scene.stage.post.hold_yes(letter.token)
    handle = await scene.start(letter)
    await scene.stage.post.reached(letter.token)
    return handle


async def meanwhile(scene: Scene, letter: Letter, *, other_path: bool, **options: Any) -> None:
    """Once more, while the first act still waits for its verdict."""
    if other_path:
        scene.stage.model.turn(letter.text)
    handle = await scene.start(letter, **options)
    await asyncio.sleep(timedelta(seconds=4).total_seconds())
    scene.stage.post.let_go(letter.token)
    await scene.ends(letter, handle)


async def once_more(scene: Scene, letter: Letter, *, other_path: bool) -> None:
    if other_path:
        scene.stage.model.turn(letter.text)
    await scene.carry_out(letter, **AGAIN)
