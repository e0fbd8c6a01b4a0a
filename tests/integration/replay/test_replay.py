"""Requests that an earlier release began must go on under this one: recorded histories replay, each shape of run."""

import json
from pathlib import Path
from typing import cast

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.record_histories import HISTORIES, SHAPES
from tests.sandbox import Sandbox
from workflows.contract.api import REQUEST_WORKFLOW, Outcome, Request
from workflows.request import RequestWorkflow

RECORDED = sorted(HISTORIES.glob("*.json"))


@workflow.defn(name=REQUEST_WORKFLOW, sandboxed=False)
class Different:
    """Begins with a timer, which no recorded history has."""

    @workflow.run
    async def run(self, request: Request) -> Outcome:
        await workflow.sleep(1)
        raise AssertionError(request)


def history(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text())


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_a_recorded_request_replays_without_a_difference(path: Path) -> None:
    replayer = Replayer(workflows=[RequestWorkflow], data_converter=pydantic_data_converter, workflow_runner=Sandbox())
    await replayer.replay_workflow(history(path))


def test_every_shape_of_run_has_been_recorded() -> None:
    recorded = {path.stem for path in RECORDED}
    for shape in SHAPES:
        name = shape.replace(",", "").replace(" ", "-")
        assert name in recorded or f"{name}-2" in recorded


def test_a_recorded_history_says_nothing_of_the_machine_that_recorded_it() -> None:
    for path in RECORDED:
        text = path.read_text()
        assert "/" not in "".join(_values(json.loads(text), "stackTrace"))
        assert set(_values(json.loads(text), "identity")) <= {""}


async def test_a_workflow_that_does_something_else_does_not_replay() -> None:
    """The control: without it, a replay that notices nothing would pass too."""

    replayer = Replayer(workflows=[Different], data_converter=pydantic_data_converter, workflow_runner=Sandbox())
    with pytest.raises(workflow.NondeterminismError):
        await replayer.replay_workflow(history(HISTORIES / "no-tool.json"))


def _values(part: object, name: str) -> list[str]:
    if isinstance(part, dict):
        named = cast("dict[str, object]", part)
        here = [str(named[name])] if name in named else []
        return here + [each for value in named.values() for each in _values(value, name)]
    return (
        [each for value in cast("list[object]", part) for each in _values(value, name)]
        if isinstance(part, list)
        else []
    )
