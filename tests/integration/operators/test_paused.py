"""A request that an operator has paused as a whole is shown, and can be asked to end, as any other."""

import pytest

from tests.dev_server import variables_for
from tests.integration.cli.conftest import CommandLine
from tests.integration.operators.scene import Moment, Scene
from tests.integration.operators.verbs import WORKFLOW

pytestmark = pytest.mark.sampled(1)


@pytest.mark.parametrize("words", [("status", "{id}"), ("list", "--limit", "100"), ("cancel", "{id}")], ids=" ".join)
async def test_the_command_line_knows_it(scene: Scene, words: tuple[str, ...]) -> None:
    cli = CommandLine({**variables_for(scene.client), "ERRAND_TASK_QUEUE": scene.settings.worker.task_queue})
    handle = await scene.begin(Moment.CONNECTING)
    assert not await scene.operate(f"workflow pause {WORKFLOW}", handle)
    try:
        said = await cli(*(word.replace("{id}", handle.id) for word in words))
    finally:
        await scene.operate(f"workflow unpause {WORKFLOW}", handle)
        scene.go_on()
    assert said.code == 0, said.err
    assert handle.id in said.out
