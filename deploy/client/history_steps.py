"""A request's Temporal history, told as steps.

`Story.tell` takes one history event and answers with the steps in it that a person wants to see; `follow` does so for
a request that may still be running. An event that this version does not know tells nothing.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.converter import DataConverter

from deploy.client.activity_steps import Work
from deploy.client.endings import CANCELLED, TIMED_OUT, terminated
from deploy.client.payloads import Payloads
from deploy.client.steps import (
    Answered,
    Asked,
    CancelAsked,
    Crashed,
    Ended,
    Listening,
    MessageCame,
    NotAnswered,
    Ruled,
    Step,
    Stuck,
    Waiting,
    WaitingForAnswer,
)
from deploy.client.update_steps import Updates
from workflows.contract.api import Outcome, Reject, Request
from workflows.contract.progress import Progress
from workflows.inbox import IDLE
from workflows.timeline import AWAITING_ANSWER, AWAITING_APPROVAL


class Story:
    """Tells one request's events, in their order. `next_run` is set once the run has continued as a new one."""

    def __init__(self, converter: DataConverter) -> None:
        self.next_run: str | None = None
        self._payloads = Payloads(converter)
        self._work = Work(self._payloads)
        self._updates = Updates(self._payloads)
        self._begun = False
        self._idle = False
        """The timer for the next message runs, and the answer to the last one is still to be told."""

    async def tell(self, event: HistoryEvent) -> list[Step]:
        if worked := await self._work.tell(event):
            return worked
        if heard := await self._updates.tell(event):
            return [heard, *self._after(heard)]
        step = await self._of_the_workflow(event) or await self._ended(event)
        return [step] if step else []

    def _after(self, heard: Step) -> list[Step]:
        match heard:
            case Ruled(Reject(key=key)):
                self._work.rejected(key)
            case MessageCame():
                self._idle = False
            case Answered() | NotAnswered() if self._idle and not self._updates.awaited:
                self._idle, self._work.said = False, ""
                return [Listening()]
            case _:
                pass
        return []

    async def _of_the_workflow(self, event: HistoryEvent) -> Step | None:
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                return await self._started(event)
            case EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
                return self._indexed(event)
            case EventType.EVENT_TYPE_TIMER_STARTED:
                return self._listening() if await self._payloads.summary(event.user_metadata) == IDLE else None
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
                return CancelAsked()
            case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                return await self._stuck(event)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
                self.next_run = event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
                return None
            case _:
                return None

    async def _ended(self, event: HistoryEvent) -> Step | None:
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
                result = event.workflow_execution_completed_event_attributes.result.payloads
                outcome = await self._payloads.read(result, Outcome)
                return Ended(outcome) if outcome else Crashed("failed", "its result is not an outcome")
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
                failure = event.workflow_execution_failed_event_attributes.failure
                return Crashed("failed", await self._payloads.reason(failure))
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
                return CANCELLED
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
                return terminated(event.workflow_execution_terminated_event_attributes.reason)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
                return TIMED_OUT
            case _:
                return None

    async def _started(self, event: HistoryEvent) -> Step | None:
        begun, self._begun = self._begun, True
        self.next_run = None
        request = await self._payloads.read(event.workflow_execution_started_event_attributes.input.payloads, Request)
        if request and (progress := Progress.carried_by(request)):
            self._work.turn = progress.spending.turn
        return Asked(request) if request and not begun else None

    def _listening(self) -> Step | None:
        # The answer to a message that was said stands behind this event, in its Update.
        self._idle = self._updates.awaited
        answer, self._work.said = ("", self._work.said) if self._idle else (self._work.said, "")
        return None if self._idle else Listening(answer)

    def _indexed(self, event: HistoryEvent) -> Step | None:
        fields = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
        if AWAITING_APPROVAL.name in fields:
            return Waiting(fields[AWAITING_APPROVAL.name].data == b"true")
        if AWAITING_ANSWER.name in fields:
            return WaitingForAnswer(fields[AWAITING_ANSWER.name].data == b"true")
        return None

    async def _stuck(self, event: HistoryEvent) -> Step | None:
        failed = event.workflow_task_failed_event_attributes
        faults = (
            WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
            WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
        )
        return Stuck(await self._payloads.reason(failed.failure)) if failed.cause in faults else None


@dataclass(frozen=True)
class Place:
    """Where a step stands in the history of a request: the run, the event in it, and the step of that event."""

    run_id: str
    event_id: int
    index: int = 0

    def __str__(self) -> str:
        return f"{self.run_id}:{self.event_id}.{self.index}"

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        found = re.fullmatch(r"([0-9a-f-]{36}):(\d{1,9})\.(\d{1,3})", text)
        return cls(found[1], int(found[2]), int(found[3])) if found else None

    def is_after(self, other: "Place | None") -> bool:
        if other is None or self.run_id != other.run_id:
            return True
        return (self.event_id, self.index) > (other.event_id, other.index)


@dataclass(frozen=True)
class Told:
    """A step, with where it stands and when it happened."""

    step: Step
    place: Place
    at: datetime


async def follow(
    client: Client, request_id: str, *, run_id: str | None = None, to_the_end: bool = True
) -> AsyncGenerator[Step]:
    """Tell a request from the beginning of its latest run, or of `run_id`, waiting for what is still to happen, or only
    what has happened."""
    async with aclosing(_follow(client, request_id, run_id, to_the_end=to_the_end)) as told:
        async for each in told:
            yield each.step


async def follow_from(client: Client, request_id: str, after: Place | None = None) -> AsyncGenerator[Told]:
    """Tell a request as `follow` does, or go on behind a place that was told before."""
    run_id = after.run_id if after else (await client.get_workflow_handle(request_id).describe()).run_id
    async with aclosing(_follow(client, request_id, run_id, to_the_end=True)) as told:
        async for each in told:
            if each.place.is_after(after):
                yield each


async def _follow(client: Client, request_id: str, run_id: str | None, *, to_the_end: bool) -> AsyncGenerator[Told]:
    story = Story(client.data_converter)
    while True:
        run = client.get_workflow_handle(request_id, run_id=run_id)
        async for event in run.fetch_history_events(wait_new_event=to_the_end):
            at = event.event_time.ToDatetime(tzinfo=UTC)
            for index, step in enumerate(await story.tell(event)):
                yield Told(step, Place(run_id or "", event.event_id, index), at)
        if not (run_id := story.next_run):
            return
