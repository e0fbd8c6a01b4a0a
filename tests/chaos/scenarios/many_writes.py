"""A request that has written more than anybody asks for at once is reset, and the model takes another path."""

import asyncio

from activities.ledger.tables import actions
from tests.chaos.scenarios.operators import insist_on, latest_run
from tests.chaos.scenarios.scene import Letter, Scene
from tests.integration.operators.verbs import BY_HAND, WORKFLOW

EACH = 2
WRITES = 600
OTHERS = {
    "key": "key || '-' || n",
    "digest": "'another'",
    "likeness": "'another'",
    "arguments": "'{}'",
    "begun_at": "datetime(begun_at, '+1 second')",
}
"""What tells them from the first one, which they were made after."""


async def play(scene: Scene) -> None:
    await scene.worker()
    letters = [scene.letter() for _ in range(EACH)]
    await asyncio.gather(*(scene.carry_out(letter) for letter in letters))
    columns = ", ".join(actions.c.keys())
    values = ", ".join(OTHERS.get(name, name) for name in actions.c.keys())  # noqa: SIM118  # not of a dict
    numbers = f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {WRITES})"
    scene.ledger.run(f"{numbers} INSERT INTO errand_actions ({columns}) SELECT {values} FROM errand_actions, numbers")
    await asyncio.gather(*(reset(scene, letter) for letter in letters))


async def reset(scene: Scene, letter: Letter) -> None:
    scene.stage.model.turn(letter.text)
    await insist_on(scene, f"workflow reset {WORKFLOW} {BY_HAND} --type FirstWorkflowTask", letter)
    await scene.ends(letter, await latest_run(scene, letter))
