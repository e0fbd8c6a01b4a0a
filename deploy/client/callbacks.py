"""What was told of a request to callback endpoints, what is still tried, and what could not be told."""

import asyncio
import json
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.errors import CannotDecrypt, NotOpen
from deploy.client.endings import crash_of
from deploy.client.payloads import Payloads
from workflows.contract.callbacks import CALLBACK_WORKFLOW, Delivered, Delivery, EventType

MOST = 200


class CallbackStatus(StrEnum):
    DELIVERED = "delivered"
    TRYING = "trying"
    FAILED = "failed"


class Callback(BaseModel):
    """One event for one endpoint, and whether it has taken it."""

    model_config = ConfigDict(frozen=True)

    callback_id: str = Field(description="of the workflow that tells it")
    event_id: str = Field(description="the receiver's `webhook-id`")
    endpoint: str
    type: EventType
    at: datetime
    status: CallbackStatus
    attempts: int = 0
    error: str = Field(default="", description="why the latest attempt came to nothing")
    next_attempt_at: datetime | None = None


async def callbacks_of(client: Client, request_id: str) -> list[Callback]:
    """Everything that was to be told of a request, in order; what has only just happened may be missing."""
    begins = json.dumps(f"{request_id}.notify.")
    query = f"WorkflowType = {json.dumps(CALLBACK_WORKFLOW)} AND WorkflowId STARTS_WITH {begins}"
    ids = dict.fromkeys([each.id async for each in client.list_workflows(query, limit=MOST)])
    found = await asyncio.gather(*(describe_callback(client, id) for id in ids))
    return sorted((each for each in found if each), key=lambda each: (each.at, each.endpoint))


async def describe_callback(client: Client, callback_id: str) -> Callback | None:
    """Where the telling of one event stands; None where that cannot be read."""
    handle = client.get_workflow_handle(callback_id, result_type=Delivered)
    try:
        delivery, described = await _delivery(client, handle), await handle.describe()
    except CannotDecrypt:
        return None
    if delivery is None:
        return None
    known = Callback(
        callback_id=callback_id,
        event_id=delivery.event.id,
        endpoint=delivery.endpoint,
        type=delivery.event.type,
        at=delivery.event.at,
        status=CallbackStatus.TRYING,
    )
    match described.status:
        case WorkflowExecutionStatus.RUNNING:
            for pending in described.raw_description.pending_activities:
                due = pending.next_attempt_schedule_time if pending.HasField("next_attempt_schedule_time") else None
                news = {
                    "attempts": pending.attempt - 1,
                    "error": await _said(client, pending.last_failure) if pending.HasField("last_failure") else "",
                    "next_attempt_at": due.ToDatetime(tzinfo=described.start_time.tzinfo) if due else None,
                }
                return known.model_copy(update=news)
            return known
        case WorkflowExecutionStatus.COMPLETED:
            told = await handle.result()
            return known.model_copy(update={"status": CallbackStatus.DELIVERED, "attempts": told.attempts})
        case _:
            why, attempts = await asyncio.gather(_why(handle), _attempts(handle))
            return known.model_copy(update={"status": CallbackStatus.FAILED, "error": why, "attempts": attempts})


async def send_callback_again(client: Client, callback_id: str) -> None:
    """Tell an event again that could not be told; the receiver sees the same `webhook-id`.

    Raises:
        NotOpen: it is still being tried, or there is no such callback.
    """
    handle = client.get_workflow_handle(callback_id)
    described, delivery = await handle.describe(), await _delivery(client, handle)
    if delivery is None or described.workflow_type != CALLBACK_WORKFLOW:
        raise NotOpen(f"{callback_id} is no callback")
    try:
        await client.start_workflow(
            CALLBACK_WORKFLOW,
            delivery,
            id=callback_id,
            task_queue=described.task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        )
    except WorkflowAlreadyStartedError as error:
        raise NotOpen(f"{callback_id} is still being tried, or was delivered") from error


async def _delivery(client: Client, handle: WorkflowHandle[object, Delivered]) -> Delivery | None:
    async for event in handle.fetch_history_events(page_size=1):
        payloads = event.workflow_execution_started_event_attributes.input.payloads
        return await Payloads(client.data_converter).read(payloads, Delivery)
    return None


async def _said(client: Client, failure: Failure) -> str:
    return await Payloads(client.data_converter).reason(failure)


async def _why(handle: WorkflowHandle[object, Delivered]) -> str:
    try:
        await handle.result()
    except WorkflowFailureError as failure:
        return crash_of(failure).error
    return ""


async def _attempts(handle: WorkflowHandle[object, Delivered]) -> int:
    """How often it was tried. History says so at the end of the last attempt: of one that was terminated before, 0."""
    attempts = 0
    async for event in handle.fetch_history_events():
        attempts = max(attempts, event.activity_task_started_event_attributes.attempt)
    return attempts
