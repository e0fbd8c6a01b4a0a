"""After an older copy of the ledger was put back: its lost rows, as Temporal's histories tell of them.

Of a write whose activity came to its end, history has the result. One of which nobody can say what became of it is
`unknown`. An activity that is still open is left alone: its own attempts know whether they have acted.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from pydantic import JsonValue, ValidationError
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.execution.writes import write_of
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State
from activities.ledger.watch import mark_in_temporal
from activities.toolkit.tool import Tool
from deploy.client.payloads import Payloads
from workflows.contract.api import REQUEST_WORKFLOW, ReceiptStatus
from workflows.contract.approvals import APPROVAL_NOTICE_WORKFLOW
from workflows.contract.internal import SETTLE, FailureDetail, Settle, Settlement, ToolCall, ToolResult

Handle: TypeAlias = WorkflowHandle[object, object]

LOST = "its row was lost with the ledger, and history does not say what became of it"
NOTHING_HAPPENED = (ReceiptStatus.FAILED, ReceiptStatus.REFUSED, ReceiptStatus.CANCELLED, ReceiptStatus.INVALID)


@dataclass(frozen=True)
class Told:
    """What a history says of one write that may have happened."""

    call: ToolCall
    state: State
    begun_at: datetime
    result: JsonValue = None


@dataclass
class Recovered:
    """How many histories were read, and which writes were put back."""

    histories: int = 0
    writes: list[Told] = field(default_factory=list[Told])


async def noticed(client: Client, ledger: Ledger) -> str:
    """Why writes wait, if they do; also where no worker has looked yet."""
    await ledger.restores.compare(await mark_in_temporal(client, ledger.identity))
    held = await ledger.restores.unsettled()
    return held.message if held else ""


async def recover(
    client: Client, ledger: Ledger, tools: Mapping[str, Tool], *, since: datetime | None, dry_run: bool = False
) -> Recovered:
    """Put the rows back that the ledger has lost, as far as Temporal's histories go; this lets no write go on.

    Args:
        client: of the namespace of the requests.
        ledger: that was restored.
        tools: of the workers: two writes are alike by what their tool says.
        since: the copy's moment, or before; None looks through all that Temporal keeps.
        dry_run: only say what is missing.
    """
    recovered = Recovered()
    async for handle, is_open in _requests(client, since):
        recovered.histories += 1
        for told in (await writes_in(client, handle, is_open=is_open)).values():
            if told.call.ledger not in ("", ledger.identity):  # several services may share a namespace
                continue
            known = {
                "attempt": 1,
                "begun_at": told.begun_at,
                "finished_at": told.begun_at,
                "result": told.result,
                "error": None if told.state is State.DONE else LOST,
            }
            write = write_of(told.call, tools.get(told.call.tool))
            if await ledger.restores.put_back(write, told.state, only_look=dry_run, **known):
                recovered.writes.append(told)
    return recovered


async def _requests(
    client: Client, since: datetime | None
) -> AsyncGenerator[tuple[WorkflowHandle[object, object], bool]]:
    query = f'WorkflowType IN ("{REQUEST_WORKFLOW}", "{APPROVAL_NOTICE_WORKFLOW}")'
    if since:
        moment = since.astimezone(UTC).isoformat()
        query += f' AND (ExecutionStatus = "Running" OR CloseTime >= "{moment}")'
    async for found in client.list_workflows(query):
        handle: Handle = client.get_workflow_handle(found.id, run_id=found.run_id)
        yield handle, found.status is WorkflowExecutionStatus.RUNNING


async def writes_in(client: Client, handle: Handle, *, is_open: bool) -> dict[str, Told]:
    """By their keys, the writes of one run that happened, or may have."""
    reading = _Reading(Payloads(client.data_converter))
    try:
        async for event in handle.fetch_history_events():
            await reading.read(event)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # its history is over its time meanwhile
            raise
    if not is_open:
        for told in reading.under_way.values():
            reading.writes[told.call.key] = told
    return reading.writes


@dataclass
class _Reading:
    payloads: Payloads
    under_way: dict[int, Told] = field(default_factory=dict[int, Told])
    writes: dict[str, Told] = field(default_factory=dict[str, Told])

    async def read(self, event: HistoryEvent) -> None:
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                await self._scheduled(event)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                await self._completed(event)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
                failed = event.activity_task_failed_event_attributes
                error = await self.payloads.error(failed.failure)
                self._ended(failed.scheduled_event_id, nothing_happened=_is_certain(error))
            case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                self._ended(event.activity_task_timed_out_event_attributes.scheduled_event_id)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
                self._ended(event.activity_task_canceled_event_attributes.scheduled_event_id)
            case _:
                pass

    async def _scheduled(self, event: HistoryEvent) -> None:
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.activity_type.name == SETTLE:
            settle = await self.payloads.read(scheduled.input.payloads, Settle)
            call = settle.call if settle else None
        else:
            call = await self.payloads.read(scheduled.input.payloads, ToolCall)
        if call and call.chain:
            at = event.event_time.ToDatetime(UTC)
            self.under_way[event.event_id] = Told(call, State.UNKNOWN, at)

    async def _completed(self, event: HistoryEvent) -> None:
        completed = event.activity_task_completed_event_attributes
        told = self.under_way.pop(completed.scheduled_event_id, None)
        if told is None:
            return
        payloads = completed.result.payloads
        if settlement := await self.payloads.read(payloads, Settlement):
            self._settled(told, settlement)
            return
        result = await self.payloads.read(payloads, ToolResult)
        state = State.DONE if result else State.UNKNOWN
        self.writes[told.call.key] = Told(told.call, state, told.begun_at, result.value if result else None)

    def _settled(self, told: Told, settlement: Settlement) -> None:
        if settlement.status in NOTHING_HAPPENED:
            self.writes.pop(told.call.key, None)
        else:
            state = State.DONE if settlement.status is ReceiptStatus.DONE else State.UNKNOWN
            self.writes[told.call.key] = Told(told.call, state, told.begun_at, settlement.result)

    def _ended(self, scheduled: int, *, nothing_happened: bool = False) -> None:
        told = self.under_way.pop(scheduled, None)
        if told and nothing_happened:
            self.writes.pop(told.call.key, None)
        if told and not nothing_happened and told.call.key not in self.writes:
            self.writes[told.call.key] = told


def _is_certain(error: BaseException) -> bool:
    """Whether an attempt says, for all before it too, that nothing has happened."""
    if not isinstance(error, ApplicationError) or not error.details:
        return False
    try:
        detail = FailureDetail.model_validate(error.details[0])
    except ValidationError:  # an operator has ended the activity in their own words
        return False
    return detail.certain and detail.status in NOTHING_HAPPENED
