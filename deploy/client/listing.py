"""Requests, found by what the workflow says of them in Temporal's search attributes."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey

from activities.errors import CannotDecrypt, NotFound
from deploy.client.endings import ENDS
from deploy.client.payloads import Payloads
from deploy.client.requests import RequestHandle, request_of
from deploy.client.steps import How
from workflows.contract.api import REQUEST_WORKFLOW, Request, RequestStatus
from workflows.markdown import code, plain
from workflows.timeline import AWAITING_ANSWER, AWAITING_APPROVAL, REQUESTER, STATUS

A_CONVERSATION = "a conversation"
"""What is shown of a request that was started without a text."""
UNREADABLE = "cannot be read here"
"""What is shown of one whose key is not here, or that is none."""

SCHEDULED_BY = SearchAttributeKey.for_keyword("TemporalScheduledById")
SCHEDULED_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
"""Both are Temporal's own."""
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
    schedule: str | None = Field(default=None, description="the id of the schedule that has started it")
    scheduled_at: datetime | None = Field(default=None, description="the time of the schedule that it belongs to")


async def find(
    client: Client,
    *,
    status: RequestStatus | None = None,
    awaiting_approval: bool = False,
    awaiting_answer: bool = False,
    requester: str | None = None,
    schedule: str | None = None,
    limit: int = 20,
) -> list[Found]:
    """List requests, the latest first."""
    query = query_for(status, _waits(awaiting_approval, awaiting_answer), requester, schedule)
    return await described(client, [each async for each in client.list_workflows(query, limit=limit)])


@dataclass(frozen=True)
class Page:
    """Some requests of many, the latest first; `next` is where to go on, None after the last."""

    found: list[Found]
    next: bytes | None


async def find_page(
    client: Client,
    *,
    status: RequestStatus | None = None,
    awaiting_approval: bool = False,
    awaiting_answer: bool = False,
    requester: str | None = None,
    schedule: str | None = None,
    limit: int = 20,
    after: bytes | None = None,
) -> Page:
    """List requests page by page: `after` is the `next` of the page before, with the same filters."""
    query = query_for(status, _waits(awaiting_approval, awaiting_answer), requester, schedule)
    pages = client.list_workflows(query, page_size=limit, next_page_token=after)
    await pages.fetch_next_page()
    return Page(await described(client, pages.current_page or ()), pages.next_page_token or None)


def _waits(awaiting_approval: bool, awaiting_answer: bool) -> list[str]:
    """The search attributes that say what is waited for."""
    wanted = ((AWAITING_APPROVAL, awaiting_approval), (AWAITING_ANSWER, awaiting_answer))
    return [key.name for key, yes in wanted if yes]


async def described(client: Client, executions: Sequence[WorkflowExecution]) -> list[Found]:
    """What Temporal itself knows of each of these."""
    return list(await asyncio.gather(*(describe(client, each.id, each.run_id) for each in executions)))


def query_for(
    status: RequestStatus | None = None,
    waits: Sequence[str] = (),
    requester: str | None = None,
    schedule: str | None = None,
    also: Sequence[str] = (),
) -> str:
    """`waits` are search attributes of which one must be true; `also` are further terms."""
    terms = [f'WorkflowType = "{REQUEST_WORKFLOW}"', 'ExecutionStatus != "ContinuedAsNew"', *also]
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
    if schedule is not None:
        terms.append(f"{SCHEDULED_BY.name} = {json.dumps(schedule, ensure_ascii=False)}")
    return " AND ".join(terms)


async def describe(client: Client, request_id: str, run_id: str | None = None) -> Found:
    """What Temporal itself knows of a request.

    Raises:
        NotFound: what has this id is no request.
    """
    handle = client.get_workflow_handle(request_id, run_id=run_id)
    execution = await handle.describe()
    if execution.workflow_type != REQUEST_WORKFLOW:
        raise NotFound(f"there is no request {request_id}: what has this id is another workflow")
    attributes = execution.typed_search_attributes
    metadata = execution.raw_description.execution_config.user_metadata
    told = plain(await Payloads(client.data_converter).summary(metadata))
    is_open = execution.close_time is None
    # Before a worker has taken its first step, the request itself is all that says whose it is.
    is_known = not is_open and bool(told) and REQUESTER in attributes
    request = None if is_known else await _request(client, handle)
    return Found(
        request_id=execution.id,
        status=_status(execution),
        requester=attributes.get(REQUESTER) or (request.requester if request else ""),
        awaiting_approval=bool(attributes.get(AWAITING_APPROVAL)) and is_open,
        awaiting_answer=bool(attributes.get(AWAITING_ANSWER)) and is_open,
        started_at=execution.start_time,
        closed_at=execution.close_time,
        summary=told or (plain(code(request.title)) or A_CONVERSATION if request else UNREADABLE),
        without_outcome=ENDS.get(execution.status),
        keep_open=is_open and request is not None and request.keep_open,
        schedule=attributes.get(SCHEDULED_BY),
        scheduled_at=attributes.get(SCHEDULED_AT),
    )


async def _request(client: Client, handle: RequestHandle) -> Request | None:
    try:
        return await request_of(client, handle)
    except CannotDecrypt:
        return None


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
