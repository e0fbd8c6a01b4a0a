"""After an older copy of the ledger was put back: its lost rows, as Temporal's histories tell of them.

Of a write whose activity came to its end, history has the result. One of which nobody can say what became of it is
`unknown`. An activity that is still open is left alone: its own attempts know whether they have acted.

What is encrypted with a key that is not here may be a write. So a history of which something that matters cannot be
read is named, and puts nothing back: with the key, it says more. One of another service does not matter.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from pydantic import JsonValue, ValidationError
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import CannotDecrypt
from activities.execution.writes import write_of
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State
from activities.ledger.watch import mark_in_temporal
from activities.toolkit.tool import Tool
from deploy.client.payloads import Payloads
from workflows.contract.api import REQUEST_WORKFLOW, ReceiptStatus
from workflows.contract.approvals import APPROVAL_NOTICE_WORKFLOW, STILL_WAITING
from workflows.contract.internal import (
    ANSWER,
    CHECK,
    CHECK_SCHEMA,
    DECIDE,
    PREPARE,
    RECALL,
    SETTLE,
    FailureDetail,
    Settle,
    Settlement,
    ToolCall,
    ToolResult,
)
from workflows.contract.ledger import LEDGER_WATCH_WORKFLOW, watch_id
from workflows.contract.rehearsing import PREVIEW, TAKE_PLAN

Handle: TypeAlias = WorkflowHandle[object, object]

LOST = "its row was lost with the ledger, and history does not say what became of it"
NO_TOOLS = (DECIDE, ANSWER, CHECK, CHECK_SCHEMA, PREPARE, RECALL, PREVIEW, TAKE_PLAN, STILL_WAITING)
"""Activities that write nothing, whatever is in them."""
NOTHING_HAPPENED = (ReceiptStatus.FAILED, ReceiptStatus.REFUSED, ReceiptStatus.CANCELLED, ReceiptStatus.INVALID)


@dataclass(frozen=True)
class Told:
    """What a history says of one write that may have happened."""

    call: ToolCall
    state: State
    begun_at: datetime
    result: JsonValue = None


@dataclass(frozen=True)
class Unread:
    """A request whose history may have writes of this ledger that cannot be read here; `why` names the key."""

    request_id: str
    why: str


@dataclass
class Recovered:
    """How many histories were looked at, which writes were put back, and which histories could not be read."""

    histories: int = 0
    writes: list[Told] = field(default_factory=list[Told])
    unread: list[Unread] = field(default_factory=list[Unread])


async def noticed(client: Client, ledger: Ledger) -> str:
    """Why writes wait, if they do; also where no worker has looked yet."""
    await ledger.restores.compare(await mark_in_temporal(client, ledger.identity))
    held = await ledger.restores.unsettled()
    return held.message if held else ""


async def recover(
    client: Client,
    ledger: Ledger,
    tools: Mapping[str, Tool],
    *,
    since: datetime | None,
    dry_run: bool = False,
    without_unread: bool = False,
) -> Recovered:
    """Put the rows back that the ledger has lost, as far as Temporal's histories go; this lets no write go on.

    Args:
        client: of the namespace of the requests.
        ledger: that was restored.
        tools: of the workers: two writes are alike by what their tool says.
        since: the copy's moment, or before; None looks through all that Temporal keeps.
        dry_run: only say what would be put back.
        without_unread: of a history that cannot be read as a whole, put back what its readable parts say.
    """
    recovered, others = Recovered(), await _queues_of_others(client, ledger)
    async for request in _requests(client, since):
        recovered.histories += 1
        handle: Handle = client.get_workflow_handle(request.id, run_id=request.run_id)
        reading = await read_run(client, handle, is_open=request.status is WorkflowExecutionStatus.RUNNING)
        if reading.unread and request.task_queue not in others:
            recovered.unread.append(Unread(request.id, reading.unread))
            if not without_unread:
                continue
        for told in reading.writes.values():
            if told.call.ledger not in ("", ledger.identity):  # several services may share a namespace
                continue
            if await _put_back(ledger, tools, told, only_look=dry_run):
                recovered.writes.append(told)
    return recovered


async def _put_back(ledger: Ledger, tools: Mapping[str, Tool], told: Told, *, only_look: bool) -> bool:
    return await ledger.restores.put_back(
        write_of(told.call, tools.get(told.call.tool)),
        told.state,
        only_look=only_look,
        attempt=1,
        begun_at=told.begun_at,
        finished_at=told.begun_at,
        result=told.result,
        error=None if told.state is State.DONE else LOST,
    )


async def _queues_of_others(client: Client, ledger: Ledger) -> set[str]:
    """The task queues on which another ledger is watched, and this one is not: their requests write elsewhere."""
    own, others = set[str](), set[str]()
    async for watch in client.list_workflows(f'WorkflowType = "{LEDGER_WATCH_WORKFLOW}"'):
        (own if watch.id == watch_id(ledger.identity) else others).add(watch.task_queue)
    return others - own


async def _requests(client: Client, since: datetime | None) -> AsyncGenerator[WorkflowExecution]:
    query = f'WorkflowType IN ("{REQUEST_WORKFLOW}", "{APPROVAL_NOTICE_WORKFLOW}")'
    if since:
        moment = since.astimezone(UTC).isoformat()
        query += f' AND (ExecutionStatus = "Running" OR CloseTime >= "{moment}")'
    async for found in client.list_workflows(query):
        yield found


async def read_run(client: Client, handle: Handle, *, is_open: bool) -> "Reading":
    """The writes of one run that happened, or may have."""
    reading = Reading(Payloads(client.data_converter))
    try:
        async for event in handle.fetch_history_events():
            await reading.read(event)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # its history is over its time meanwhile
            raise
    if not is_open:
        for told in reading.under_way.values():
            reading.writes[told.call.key] = told
    return reading


@dataclass
class Reading:
    """The writes of one run by their keys, those that have not ended by event, and why some may be missing."""

    payloads: Payloads
    under_way: dict[int, Told] = field(default_factory=dict[int, Told])
    writes: dict[str, Told] = field(default_factory=dict[str, Told])
    unread: str = ""

    async def read(self, event: HistoryEvent) -> None:
        try:
            await self._read(event)
        except CannotDecrypt as error:
            self.unread = self.unread or str(error)

    async def _read(self, event: HistoryEvent) -> None:
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                await self._scheduled(event)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                await self._completed(event)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
                await self._failed(event)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                self._ended(event.activity_task_timed_out_event_attributes.scheduled_event_id)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
                self._ended(event.activity_task_canceled_event_attributes.scheduled_event_id)
            case _:
                pass

    async def _scheduled(self, event: HistoryEvent) -> None:
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.activity_type.name in NO_TOOLS:
            return
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
        told = self.under_way.get(completed.scheduled_event_id)
        if told is None:
            return
        payloads = completed.result.payloads
        settlement = await self.payloads.read(payloads, Settlement)
        result = await self.payloads.read(payloads, ToolResult)
        del self.under_way[completed.scheduled_event_id]
        if settlement:
            self._settled(told, settlement)
            return
        state = State.DONE if result else State.UNKNOWN
        self.writes[told.call.key] = Told(told.call, state, told.begun_at, result.value if result else None)

    async def _failed(self, event: HistoryEvent) -> None:
        failed = event.activity_task_failed_event_attributes
        if failed.scheduled_event_id in self.under_way:  # what else has failed is no write
            error = await self.payloads.error(failed.failure)
            self._ended(failed.scheduled_event_id, nothing_happened=_is_certain(error))

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
