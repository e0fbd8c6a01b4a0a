"""A write whose last attempt fell silent in its act is not settled by an older attempt's row."""

import asyncio
import uuid
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.execution.attempt_beats import still_counts
from activities.ledger.ledger_activities import LedgerActivities
from activities.ledger.rows import State, Write
from tests.integration.ledger.conftest import Database
from workflows import receipts, tool_runs
from workflows.contract.api import Receipt, ReceiptStatus
from workflows.contract.internal import AttemptBeat, Route, ToolCall
from workflows.tool_runs import ToolRuns, WriteContext

pytestmark = pytest.mark.sampled(1)


@workflow.defn
class OneCall:
    @workflow.run
    async def run(self, call: ToolCall) -> Receipt:
        route, now = Route(effect="write", attempts=1), workflow.now()
        runs = ToolRuns(WriteContext.of_new_request())
        return await runs.run(call, receipts.begun(call, route, now), route, "", now + timedelta(minutes=1))


@activity.defn(name="pay")
async def falls_silent(_: ToolCall) -> None:
    await still_counts(AttemptBeat(stage="acting", attempt=1, token="second"))
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("row_of", "status", "state"),
    [("first", ReceiptStatus.UNKNOWN, State.UNKNOWN), ("second", ReceiptStatus.FAILED, State.NOT_DONE)],
)
async def test_the_attempt_that_acted_as_temporal_knows_has_to_be_the_one_of_the_row(
    client: Client,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    row_of: str,
    status: ReceiptStatus,
    state: State,
) -> None:
    """The ledger was restored from a copy of before that attempt."""
    monkeypatch.setattr(tool_runs, "HEARTBEAT", timedelta(seconds=0.5))
    ledger, request_id = await database.open(), f"restored-{uuid.uuid4().hex[:8]}"
    call = ToolCall(key=f"{request_id}/1.1", tool="pay", arguments={})
    await ledger.begin(Write(call), attempt=1, seen=None, token=row_of)
    await ledger.finish(call.key, row_of, State.NOT_DONE, error="429")
    async with Worker(
        client,
        task_queue=request_id,
        workflows=[OneCall],
        activities=[falls_silent, LedgerActivities(ledger, {}).settle],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        receipt = await client.execute_workflow(OneCall.run, call, id=request_id, task_queue=request_id)
    row = await ledger.find(call.key)
    assert row is not None
    assert (receipt.status, row.state) == (status, state)
