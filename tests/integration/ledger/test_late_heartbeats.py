"""The SDK sends heartbeats late: they must not hide what Temporal was told meanwhile of a write."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities import heartbeats
from activities.errors import ServiceUnavailable
from activities.execution.act import Act
from activities.execution.tool_activities import write_activity
from activities.heartbeats import Heartbeats
from activities.toolkit.tool import tool, tool_of
from tests.integration.ledger.conftest import Database
from workflows.contract.internal import AttemptBeat, ToolCall, ToolResult

CALL = ToolCall(key="r/1.1", tool="pay_slowly", arguments={}, chain="5eed")
INTERVAL = 0.1


@dataclass
class Desk:
    """Takes nothing until the last attempt, and says so."""

    preparations: Sequence[float]
    """Seconds of each attempt."""
    heard: list[AttemptBeat | None] = field(default_factory=list[AttemptBeat | None])
    """By each attempt, of those before it."""
    asked: int = 0


@tool(effect="write")
async def pay_slowly(*, desk: Desk, act: Act) -> str:
    """Pay, after some preparation."""
    left = activity.info().heartbeat_details
    desk.heard.append(AttemptBeat.model_validate(left[0]) if left else None)
    await asyncio.sleep(desk.preparations[len(desk.heard) - 1])
    async with act:
        desk.asked += 1
        if desk.asked < len(desk.preparations):
            raise ServiceUnavailable("429 Too Many Requests", retry_after=timedelta(seconds=0.05))
    return "paid"


@workflow.defn
class OneWrite:
    @workflow.run
    async def run(self, call: ToolCall) -> ToolResult:
        return await workflow.execute_activity(
            call.tool,
            call,
            result_type=ToolResult,
            start_to_close_timeout=timedelta(seconds=20),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=6),
        )


@pytest.mark.parametrize("first", [0, 3 * INTERVAL])
@pytest.mark.sampled(1)
async def test_each_attempt_hears_that_the_one_before_it_acted_however_long_that_had_prepared(
    client: Client, database: Database, monkeypatch: pytest.MonkeyPatch, first: float
) -> None:
    """And so it is tried again, as nothing was done: a heartbeat from before would have it that an act is forgotten."""
    monkeypatch.setattr(heartbeats, "INTERVAL", INTERVAL)
    ledger, found = await database.open(), tool_of(pay_slowly)
    desk = Desk([first, 3 * INTERVAL, 3 * INTERVAL])
    assert found is not None
    run: Any = write_activity(found, {Desk: desk}, ledger)
    queue = f"late-{uuid.uuid4().hex[:8]}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[OneWrite],
        activities=[run],
        interceptors=[Heartbeats()],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        result = await client.execute_workflow(OneWrite.run, CALL, id=queue, task_queue=queue)
    assert (result.value, result.attempts, desk.asked) == ("paid", 3, 3)
    assert [beat and (beat.stage, beat.attempt) for beat in desk.heard] == [None, ("acting", 1), ("acting", 2)]
