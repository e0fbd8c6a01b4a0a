"""Requests, found by what the workflow says of them in Temporal's search attributes."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from deploy.client.endings import ENDS
from deploy.client.requests import request_of
from deploy.client.steps import How
from workflows.contract.api import REQUEST_WORKFLOW, RequestStatus
from workflows.markdown import code, plain
from workflows.timeline import AWAITING_ANSWER, AWAITING_APPROVAL, REQUESTER, STATUS

A_CONVERSATION = "a conversation"
"""What is shown of a request that was started without a text."""

NOT_CRASHED = 'ExecutionStatus NOT IN ("Failed", "Terminated", "TimedOut")'


class Found(BaseModel):
    """One line of a list of requests."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    status: RequestStatus
    requester: str
    awaiting_approval: bool
    started_at: datetime
    closed_at: datetime | None
    summary: str = Field(description="of its text, or of its first message")
    without_outcome: How | None = Field(
        default=None, description="it has ended, but gave no outcome: how, as Temporal knows it"
    )
    awaiting_answer: bool = Field(default=False, description="a question of the model's waits")
    keep_open: bool = Field(default=False, description="it runs, and takes messages")


async def find(
    client: Client,
    *,
    status: RequestStatus | None = None,
    awaiting_approval: bool = False,
    awaiting_answer: bool = False,
    requester: str | None = None,
    limit: int = 20,
) -> list[Found]:
    """List requests, the latest first."""
    waits = [
        key.name for key, yes in ((AWAITING_APPROVAL, awaiting_approval), (AWAITING_ANSWER, awaiting_answer)) if yes
    ]
    query = _query(status, waits, requester)
    executions = [each async for each in client.list_workflows(query, limit=limit)]
    return list(await asyncio.gather(*(describe(client, each.id, each.run_id) for each in executions)))


def _query(status: RequestStatus | None, waits: Sequence[str], requester: str | None) -> str:
    """`waits` are search attributes of which one must be true."""
    terms = [f'WorkflowType = "{REQUEST_WORKFLOW}"', 'ExecutionStatus != "ContinuedAsNew"']
    match status:
        case None:
            pass
        case RequestStatus.RUNNING:
            terms.append('ExecutionStatus = "Running"')
        case RequestStatus.FAILED:
            terms.append(f'({STATUS.name} = "{status}" OR NOT {NOT_CRASHED})')
        case RequestStatus.CANCELLED:
            terms.append(f'({STATUS.name} = "{status}" OR ExecutionStatus = "Canceled") AND {NOT_CRASHED}')
        case _:
            terms.append(f'{STATUS.name} = "{status}" AND {NOT_CRASHED}')
    if waits:
        terms.append(f'({" OR ".join(f"{each} = true" for each in waits)}) AND ExecutionStatus = "Running"')
    if requester is not None:
        terms.append(f"{REQUESTER.name} = {json.dumps(requester, ensure_ascii=False)}")
    return " AND ".join(terms)


async def describe(client: Client, request_id: str, run_id: str | None = None) -> Found:
    """What Temporal itself knows of a request."""
    handle = client.get_workflow_handle(request_id, run_id=run_id)
    execution = await handle.describe()
    attributes = execution.typed_search_attributes
    told = plain(await execution.static_summary() or "")
    is_open = execution.close_time is None
    request = await request_of(client, handle) if is_open or not told else None
    return Found(
        request_id=execution.id,
        status=_status(execution),
        requester=attributes.get(REQUESTER) or "",
        awaiting_approval=bool(attributes.get(AWAITING_APPROVAL)) and is_open,
        awaiting_answer=bool(attributes.get(AWAITING_ANSWER)) and is_open,
        started_at=execution.start_time,
        closed_at=execution.close_time,
        summary=told or plain(code(request.title if request else "")) or A_CONVERSATION,
        without_outcome=ENDS.get(execution.status),
        keep_open=is_open and request is not None and request.keep_open,
    )


def _status(execution: WorkflowExecution) -> RequestStatus:
    match execution.status:
        case WorkflowExecutionStatus.COMPLETED:
            return RequestStatus(execution.typed_search_attributes.get(STATUS) or RequestStatus.COMPLETED)
        case WorkflowExecutionStatus.CANCELED:
            return RequestStatus.CANCELLED
        case WorkflowExecutionStatus.FAILED | WorkflowExecutionStatus.TERMINATED | WorkflowExecutionStatus.TIMED_OUT:
            return RequestStatus.FAILED
        case _:
            return RequestStatus.RUNNING
