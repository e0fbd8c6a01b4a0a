"""What the recovery of a ledger makes of one request's history."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from activities.ledger.rows import State
from activities.temporal import data_converter
from deploy.client.recovery import Handle, Reading, read_run
from tests.unit.encryption.keys import new_key, ring
from workflows.contract.api import ReceiptStatus
from workflows.contract.internal import DECIDE, FailureDetail, ToolCall, ToolResult

CALL = ToolCall(key="r/1.1", tool="write_down", arguments={"word": "tree"}, chain="c")


@dataclass
class History:
    events: Sequence[HistoryEvent]

    async def fetch_history_events(self) -> AsyncGenerator[HistoryEvent]:
        for event in self.events:
            yield event


async def failed_with(
    *details: object, name: str = CALL.tool, converter: DataConverter = pydantic_data_converter
) -> History:
    """A write whose activity failed, or another activity."""
    scheduled = HistoryEvent(event_id=1, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    attributes = scheduled.activity_task_scheduled_event_attributes
    attributes.activity_type.name = name
    attributes.input.payloads.extend(await converter.encode([CALL]))
    failed = HistoryEvent(event_id=2, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED)
    failed.activity_task_failed_event_attributes.scheduled_event_id = 1
    await converter.encode_failure(
        ApplicationError("it failed", *details), failed.activity_task_failed_event_attributes.failure
    )
    return History([scheduled, failed])


async def asked_again(ending: HistoryEvent) -> History:
    """A write of unknown end whose far end was asked again, and how that ended."""
    first = await failed_with(UNKNOWN)
    again = HistoryEvent(event_id=3, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    attributes = again.activity_task_scheduled_event_attributes
    attributes.activity_type.name = CALL.tool
    asked = CALL.model_copy(update={"tried_before": 5})
    attributes.input.payloads.extend(await pydantic_data_converter.encode([asked]))
    return History([*first.events, again, ending])


async def test_a_write_that_was_known_once_its_far_end_was_asked_again_is_done() -> None:
    ending = HistoryEvent(event_id=4, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
    completed = ending.activity_task_completed_event_attributes
    completed.scheduled_event_id = 3
    completed.result.payloads.extend(await pydantic_data_converter.encode([ToolResult(value="paid")]))
    client = cast("Client", SimpleNamespace(data_converter=pydantic_data_converter))
    [told] = (await read_run(client, cast("Handle", await asked_again(ending)), is_open=False)).writes.values()
    assert (told.state, told.result) == (State.DONE, "paid")


async def test_a_write_whose_far_end_is_still_asked_again_may_have_happened() -> None:
    client = cast("Client", SimpleNamespace(data_converter=pydantic_data_converter))
    history = await asked_again(HistoryEvent())
    [told] = (await read_run(client, cast("Handle", history), is_open=True)).writes.values()
    assert told.state is State.UNKNOWN


UNKNOWN = FailureDetail(attempt=5, status=ReceiptStatus.UNKNOWN, certain=True, ask_again=3600)
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
    reading = await read_run(client, history, is_open=False)
    assert [told.state for told in reading.writes.values()] == found


async def read_without_keys(history: History) -> Reading:
    client = cast("Client", SimpleNamespace(data_converter=data_converter("here", None)))
    return await read_run(client, cast("Handle", history), is_open=False)


async def test_a_write_that_is_encrypted_with_a_key_that_is_not_here_is_not_passed_over_in_silence(
    tmp_path: Path,
) -> None:
    encrypting = data_converter("here", ring(tmp_path, k1=new_key()))
    reading = await read_without_keys(await failed_with(NOTHING, converter=encrypting))
    assert "the key k1 is missing" in reading.unread
    assert reading.writes == {}


async def test_of_a_write_whose_end_cannot_be_read_that_is_said(tmp_path: Path) -> None:
    clear = await failed_with(NOTHING)
    encrypted = await failed_with(NOTHING, converter=data_converter("here", ring(tmp_path, k1=new_key())))
    reading = await read_without_keys(History([clear.events[0], encrypted.events[1]]))
    assert "the key k1 is missing" in reading.unread
    assert [told.state for told in reading.writes.values()] == [State.UNKNOWN]


async def test_what_writes_nothing_need_not_be_read(tmp_path: Path) -> None:
    encrypting = data_converter("here", ring(tmp_path, k1=new_key()))
    reading = await read_without_keys(await failed_with(NOTHING, name=DECIDE, converter=encrypting))
    assert (reading.unread, reading.writes) == ("", {})
