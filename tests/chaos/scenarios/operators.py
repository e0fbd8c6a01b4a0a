"""Every verb of an operator, before the act and in it."""

import asyncio

from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.service import RPCError

from tests.chaos.insist import insist
from tests.chaos.scenarios.scene import Letter, Scene
from tests.chaos.scenarios.used_again import AGAIN, Handle
from tests.integration.operators.command_line import type_command
from tests.integration.operators.scene import Moment
from tests.integration.operators.test_ends import ENDS
from tests.integration.operators.verbs import VERBS, Verb
from workflows.contract.api import Outcome

HEARD = 6.5
"""Seconds within which a worker has heard of it, and would have given up."""
MOMENTS = (Moment.CONNECTING, Moment.ACTING)
TRIES = 8
RUNNING = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
PAUSED = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_PAUSED
WRITTEN_DOWN = 10.0
"""Seconds until a verdict that has come stands in the ledger."""


async def play(scene: Scene) -> None:
    await asyncio.gather(scene.worker(), scene.worker())
    table = [(verb, moment) for verb in VERBS if not verb.vouched for moment in MOMENTS if moment in verb.moments]
    await asyncio.gather(
        *(lay_hands_on(scene, verb, moment) for verb, moment in table),
        *(end(scene, how, moment) for how in ENDS.values() for moment in MOMENTS),
    )
    await asyncio.gather(*(is_written_down(scene, letter) for letter in scene.letters))


async def lay_hands_on(scene: Scene, verb: Verb, moment: Moment) -> None:
    letter = scene.letter()
    await begin(scene, letter, moment)
    await insist_on(scene, verb.command, letter)
    await asyncio.sleep(HEARD)
    if not (verb.held and moment is Moment.CONNECTING):
        scene.stage.post.let_go(letter.token)
    if verb.undone_by:
        await undo(scene, verb.undone_by, letter)
    await scene.ends(letter, await latest_run(scene, letter))
    scene.stage.post.let_go(letter.token)


async def end(scene: Scene, how: str, moment: Moment) -> None:
    """Without an outcome; and then the same request is made again."""
    letter = scene.letter()
    await begin(scene, letter, moment)
    await insist_on(scene, how, letter)
    await asyncio.sleep(HEARD)
    scene.stage.post.let_go(letter.token)
    while await is_running(scene, letter):  # a batch has yet to come to it
        await asyncio.sleep(0.2)
    await scene.carry_out(letter, **AGAIN)


async def begin(scene: Scene, letter: Letter, moment: Moment) -> None:
    post = scene.stage.post
    (post.hold_yes if moment is Moment.ACTING else post.hold_before)(letter.token)
    await scene.start(letter)
    await post.reached(letter.token)


async def insist_on(scene: Scene, command: str, letter: Letter) -> None:
    """Temporal may be too busy to take it at once."""
    for _ in range(TRIES):
        if await operate(scene, command, letter):
            return
        await asyncio.sleep(0.5)
    scene.problems.append(f"{letter.request_id}: Temporal does not take: {command}")


async def undo(scene: Scene, command: str, letter: Letter) -> None:
    """As long as there is anything to undo."""
    while await is_running(scene, letter) and not await operate(scene, command, letter):
        await asyncio.sleep(0.5)


async def is_running(scene: Scene, letter: Letter) -> bool:
    try:
        found = await scene.describe(await latest_run(scene, letter))
    except RPCError:  # it is deleted
        return False
    return found.workflow_execution_info.status in (RUNNING, PAUSED)


async def operate(scene: Scene, command: str, letter: Letter) -> bool:
    """Whether it was carried out."""
    info = await scene.describe(await latest_run(scene, letter))
    pending = [each.activity_id for each in info.pending_activities]
    number = pending[0] if pending else "?"
    client = scene.stage.client
    return not await type_command(client, command, workflow_id=letter.request_id, activity_id=number)


async def latest_run(scene: Scene, letter: Letter) -> Handle:
    client = scene.stage.client
    found = await insist(lambda: scene.describe(client.get_workflow_handle(letter.request_id)))
    run_id = found.workflow_execution_info.execution.run_id
    return client.get_workflow_handle(letter.request_id, run_id=run_id, result_type=Outcome)


async def is_written_down(scene: Scene, letter: Letter) -> None:
    """A mail whose verdict has come to a worker that lived is done in the ledger, whatever its receipt may say."""
    if not scene.stage.post.has(letter.token):
        return
    states: set[str] = set()
    for _ in range(int(WRITTEN_DOWN)):
        states = {state for _, state, subject in scene.ledger.rows() if subject == letter.token}
        if "done" in states:
            return
        await asyncio.sleep(1)
    scene.problems.append(f"{letter.request_id}: the verdict was heard and thrown away: {', '.join(states)}")
