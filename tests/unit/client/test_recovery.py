"""What the recovery of a ledger makes of one request's history."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError

from activities.ledger.rows import State
from deploy.client.recovery import Handle, writes_in
from workflows.contract.api import ReceiptStatus
from workflows.contract.internal import FailureDetail, ToolCall

CALL = ToolCall(key="r/1.1", tool="write_down", arguments={"word": "tree"}, chain="c")


@dataclass
class History:
    events: Sequence[HistoryEvent]

    async def fetch_history_events(self) -> AsyncGenerator[HistoryEvent]:
        for event in self.events:
            yield event


async def failed_with(*details: object) -> History:
    """A write whose activity failed."""
    scheduled = HistoryEvent(event_id=1, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    attributes = scheduled.activity_task_scheduled_event_attributes
    attributes.activity_type.name = CALL.tool
    attributes.input.payloads.extend(await pydantic_data_converter.encode([CALL]))
    failed = HistoryEvent(event_id=2, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED)
    failed.activity_task_failed_event_attributes.scheduled_event_id = 1
    await pydantic_data_converter.encode_failure(
        ApplicationError("it failed", *details), failed.activity_task_failed_event_attributes.failure
    )
    return History([scheduled, failed])


NOTHING = FailureDetail(attempt=1, status=ReceiptStatus.FAILED, certain=True)


@pytest.mark.parametrize(
    ("details", "found"),
    [((NOTHING,), []), ((), [State.UNKNOWN]), (("seen by ann",), [State.UNKNOWN])],
    ids=["for certain", "without a word", "in an operator's own words"],
)
async def test_a_write_whose_activity_failed_is_unknown_unless_its_worker_says_that_nothing_happened(
    details: tuple[object, ...], found: list[State]
) -> None:
    client = cast("Client", SimpleNamespace(data_converter=pydantic_data_converter))
    history = cast("Handle", await failed_with(*details))
    writes = await writes_in(client, history, is_open=False)
    assert [told.state for told in writes.values()] == found
