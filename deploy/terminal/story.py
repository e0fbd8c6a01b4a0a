"""A request's Temporal history, told as steps.

`Story.tell` takes one history event and answers with the steps in it that a person wants to see; `follow` does so for
a request that may still be running. An event that this version does not know tells nothing.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.exceptions import TimeoutError as TimedOut

from workflows.contract import (
    CHECK,
    DECIDE,
    SETTLE,
    Approve,
    Decision,
    NoteEntry,
    Outcome,
    Reject,
    Request,
    Settlement,
    Situation,
    ToolCall,
    ToolEntry,
    ToolResult,
)
from workflows.timeline import AWAITING_APPROVAL

T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """The request as it was started, or as it continues in a new run."""

    request: Request


@dataclass(frozen=True)
class Thinking:
    """The model is being asked."""

    turn: int


@dataclass(frozen=True)
class Calling:
    """A tool is being run."""

    call: ToolCall
    about: str = ""


@dataclass(frozen=True)
class Settling:
    """The ledger is asked what became of a write whose attempts were lost."""

    call: ToolCall


@dataclass(frozen=True)
class Took:
    """What an activity took: its time, and how often it was tried. `after` is why it was tried again."""

    seconds: float = 0.0
    attempts: int = 1
    after: str = ""


@dataclass(frozen=True)
class Decided:
    turn: int
    decision: Decision
    took: Took = Took()


@dataclass(frozen=True)
class Returned:
    calling: Calling
    result: ToolResult
    took: Took = Took()


@dataclass(frozen=True)
class Broke:
    """A model call or a tool ended without a result."""

    doing: Thinking | Calling | Settling
    error: str
    took: Took = Took()


@dataclass(frozen=True)
class Settled:
    """What the ledger knows of the write."""

    call: ToolCall
    settlement: Settlement
    took: Took = Took()


@dataclass(frozen=True)
class Corrected:
    """Errand itself has said something to the model: its answer claims what did not happen."""

    text: str


@dataclass(frozen=True)
class NotRun:
    """A call ended without being tried: it was invalid, the policy refused it, or nobody said yes."""

    tool: str
    status: str
    error: str


@dataclass(frozen=True)
class Waiting:
    """Whether any call waits for approval has changed."""

    yes: bool


@dataclass(frozen=True)
class Ruled:
    """Somebody approved or rejected a call."""

    verdict: Approve | Reject


@dataclass(frozen=True)
class EditRefused:
    """Somebody approved a call with other arguments, which cannot be run; it goes on waiting."""

    verdict: Approve | Reject
    error: str


@dataclass(frozen=True)
class CancelAsked:
    pass


@dataclass(frozen=True)
class Stuck:
    """The worker's own code failed; Temporal tries again until a worker with a fix is there."""

    error: str


@dataclass(frozen=True)
class Ended:
    outcome: Outcome


@dataclass(frozen=True)
class Crashed:
    """The workflow ended without an outcome."""

    how: Literal["failed", "cancelled", "terminated", "timed out"]
    error: str


Step: TypeAlias = (
    Asked
    | Thinking
    | Decided
    | Calling
    | Returned
    | Settling
    | Settled
    | Broke
    | NotRun
    | Corrected
    | Waiting
    | Ruled
    | EditRefused
    | CancelAsked
    | Stuck
    | Ended
    | Crashed
)


@dataclass
class _Activity:
    doing: Thinking | Calling | Settling | None
    since: datetime
    attempts: int = 1
    after: str = ""

    def took(self, event: HistoryEvent) -> Took:
        return Took((_time(event) - self.since).total_seconds(), self.attempts, self.after)


@dataclass
class Story:
    """Tells one request's events, in their order. `next_run` is set once the run has continued as a new one."""

    converter: DataConverter
    next_run: str | None = None
    _turn: int = 0
    _begun: bool = False
    _activities: dict[int, _Activity] = field(default_factory=dict[int, _Activity])
    _verdicts: dict[int, Approve | Reject] = field(default_factory=dict[int, Approve | Reject])
    """By the event that the server took them with."""
    _known: set[str] = field(default_factory=set[str])
    """Positions of calls whose end has been told."""

    async def tell(self, event: HistoryEvent) -> list[Step]:
        news = await self._news_for_the_model(event)
        told = await self._of_an_activity(event) or await self._of_the_workflow(event)
        return [*news, told] if told else news

    async def _of_the_workflow(self, event: HistoryEvent) -> Step | None:
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                return await self._started(event)
            case EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
                return await self._indexed(event)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
                await self._taken(event)
                return None
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
                return await self._ruled(event)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
                return CancelAsked()
            case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                return await self._stuck(event)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
                self.next_run = event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
                return None
            case _:
                return await self._ended(event)

    async def _ended(self, event: HistoryEvent) -> Step | None:
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
                result = event.workflow_execution_completed_event_attributes.result.payloads
                outcome = await self._decode(result, Outcome)
                return Ended(outcome) if outcome else Crashed("failed", "its result is not an outcome")
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
                failure = event.workflow_execution_failed_event_attributes.failure
                return Crashed("failed", await self._reason(failure))
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
                return Crashed("cancelled", "it was cancelled before it could give an account")
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
                reason = event.workflow_execution_terminated_event_attributes.reason
                return Crashed("terminated", reason or "no reason was given")
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
                return Crashed("timed out", "the workflow's own time-out passed")
            case _:
                return None

    async def _of_an_activity(self, event: HistoryEvent) -> Step | None:
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                return await self._scheduled(event)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                await self._tried(event)
                return None
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                completed = event.activity_task_completed_event_attributes
                return await self._returned(event, completed.scheduled_event_id, completed.result.payloads)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
                failed = event.activity_task_failed_event_attributes
                return self._broke(event, failed.scheduled_event_id, await self._reason(failed.failure))
            case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                late = event.activity_task_timed_out_event_attributes
                return self._broke(event, late.scheduled_event_id, await self._reason(late.failure))
            case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
                cancelled = event.activity_task_canceled_event_attributes
                return self._broke(event, cancelled.scheduled_event_id, "cancelled")
            case _:
                return None

    async def _started(self, event: HistoryEvent) -> Step | None:
        begun, self._begun = self._begun, True
        self.next_run = None
        request = await self._decode(event.workflow_execution_started_event_attributes.input.payloads, Request)
        if request and request.carried:
            self._turn = request.carried.turn
        return Asked(request) if request and not begun else None

    async def _scheduled(self, event: HistoryEvent) -> Step | None:
        scheduled = event.activity_task_scheduled_event_attributes
        doing: Thinking | Calling | Settling | None
        call = await self._decode(scheduled.input.payloads, ToolCall)
        match scheduled.activity_type.name:
            case name if name == DECIDE:
                self._turn += 1
                doing = Thinking(self._turn)
            case name if name == SETTLE:
                doing = Settling(call) if call else None
            case name if name == CHECK:
                doing = None  # what comes of it is the end of the Update that it belongs to
            case _:
                about = await self._decode([event.user_metadata.summary], str)
                doing = Calling(call, about or "") if call else None
        self._activities[event.event_id] = _Activity(doing, _time(event))
        return doing

    async def _news_for_the_model(self, event: HistoryEvent) -> list[Step]:
        # A call that is not run leaves no event; what the model is told of it next is where history first says so.
        scheduled = event.activity_task_scheduled_event_attributes
        situation = await self._decode(scheduled.input.payloads, Situation)
        if scheduled.activity_type.name != DECIDE or situation is None:
            return []
        news = [
            entry
            for entry in situation.conversation
            if entry.role == "tool" and entry.failed and self._is_news(entry.position)
        ]
        last = situation.conversation[-1] if situation.conversation else None
        return [*map(_as_not_run, news), *([Corrected(last.text)] if isinstance(last, NoteEntry) else [])]

    def _is_news(self, position: str) -> bool:
        return position.startswith(f"{self._turn}.") and position not in self._known

    async def _tried(self, event: HistoryEvent) -> None:
        # Temporal writes this event when the last attempt is over, so the failures before it arrive with the result.
        started = event.activity_task_started_event_attributes
        if activity := self._activities.get(started.scheduled_event_id):
            activity.attempts = started.attempt
            if started.HasField("last_failure"):
                activity.after = await self._reason(started.last_failure)

    async def _returned(self, event: HistoryEvent, scheduled_id: int, result: Sequence[Payload]) -> Step | None:
        activity = self._activities.pop(scheduled_id, None)
        if activity is None:
            return None
        match activity.doing:
            case Thinking(turn) if decision := await self._decode(result, Decision):
                return Decided(turn, decision, activity.took(event))
            case Calling() as calling if value := await self._decode(result, ToolResult):
                return Returned(calling, value, activity.took(event))
            case Settling(call) if settlement := await self._decode(result, Settlement):
                return Settled(call, settlement, activity.took(event))
            case _:
                return None

    def _broke(self, event: HistoryEvent, scheduled_id: int, error: str) -> Step | None:
        activity = self._activities.pop(scheduled_id, None)
        if activity is None or activity.doing is None:
            return None
        if isinstance(activity.doing, Calling):
            self._known.add(_position(activity.doing.call.key))
        return Broke(activity.doing, error, activity.took(event))

    async def _indexed(self, event: HistoryEvent) -> Step | None:
        fields = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
        if AWAITING_APPROVAL.name not in fields:
            return None
        return Waiting(fields[AWAITING_APPROVAL.name].data == b"true")

    async def _taken(self, event: HistoryEvent) -> None:
        # Whether it counts is known when the Update has ended: edited arguments are looked at first.
        update = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
        kinds: dict[str, type[Approve | Reject]] = {"approve": Approve, "reject": Reject}
        kind = kinds.get(update.name)
        if verdict := await self._decode(update.args.payloads, kind) if kind else None:
            self._verdicts[event.event_id] = verdict

    async def _ruled(self, event: HistoryEvent) -> Step | None:
        ended = event.workflow_execution_update_completed_event_attributes
        verdict = self._verdicts.pop(ended.accepted_event_id, None)
        if verdict is None:
            return None
        if ended.outcome.HasField("failure"):
            return EditRefused(verdict, await self._reason(ended.outcome.failure))
        if isinstance(verdict, Reject):
            self._known.add(_position(verdict.key))
        return Ruled(verdict)

    async def _stuck(self, event: HistoryEvent) -> Step | None:
        failed = event.workflow_task_failed_event_attributes
        faults = (
            WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
            WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
        )
        return Stuck(await self._reason(failed.failure)) if failed.cause in faults else None

    async def _decode(self, payloads: Sequence[Payload], kind: type[T]) -> T | None:
        try:
            values = await self.converter.decode(payloads, [kind])
        except Exception:  # a payload from another version, or one whose key is not here, is left out of the story
            return None
        return values[0] if values else None

    async def _reason(self, failure: Failure) -> str:
        return reason(await self.converter.decode_failure(failure))


async def follow(client: Client, request_id: str) -> AsyncGenerator[Step]:
    """Tell a request from its latest run's beginning to its end, waiting for what is still to happen."""
    story = Story(client.data_converter)
    run_id: str | None = None
    while True:
        run = client.get_workflow_handle(request_id, run_id=run_id)
        async for event in run.fetch_history_events(wait_new_event=True):
            for step in await story.tell(event):
                yield step
        if not (run_id := story.next_run):
            return


def reason(error: BaseException) -> str:
    """What went wrong, in the words of whoever saw it; Temporal's wrappers around it say only that something did."""
    while error.__cause__ and not isinstance(error, ApplicationError | TimedOut):
        error = error.__cause__
    if isinstance(error, TimedOut):
        return f"it took too long ({error.message})" + (
            f", after: {reason(error.__cause__)}" if error.__cause__ else ""
        )
    return error.message if isinstance(error, FailureError) else str(error)


def _as_not_run(entry: ToolEntry) -> NotRun:
    try:
        told = ToldFailure.model_validate_json(entry.text)
    except ValidationError:
        told = ToldFailure(status="not run", error=entry.text)
    return NotRun(entry.tool, told.status, told.error or "")


class ToldFailure(BaseModel):
    """What the model is told of a call that has no result of its own."""

    status: str
    error: str | None = None


def _position(key: str) -> str:
    return key.rpartition("/")[2]


def _time(event: HistoryEvent) -> datetime:
    return event.event_time.ToDatetime()
