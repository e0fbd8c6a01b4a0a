"""What a request does: the model is asked, tools are run, the ledger is asked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from deploy.client.payloads import Payloads
from deploy.client.steps import (
    Broke,
    Calling,
    Corrected,
    Decided,
    Demoted,
    Doing,
    NotRun,
    Returned,
    Settled,
    Settling,
    Shaped,
    Shaping,
    Step,
    Thinking,
    Took,
)
from workflows.contract.conversation import AssistantEntry, NoteEntry, ToolMessage
from workflows.contract.internal import (
    ANSWER,
    CHECK,
    CHECK_SCHEMA,
    DECIDE,
    PREPARE,
    SETTLE,
    Answer,
    Decision,
    ModelInput,
    Settle,
    Settlement,
    ToolCall,
    ToolResult,
)
from workflows.contract.rehearsing import PREVIEW, TAKE_PLAN
from workflows.markdown import plain


@dataclass
class _Activity:
    doing: Doing | None
    since: datetime
    attempts: int = 1
    after: str = ""

    def took(self, event: HistoryEvent) -> Took:
        return Took((_time(event) - self.since).total_seconds(), self.attempts, self.after)


@dataclass
class Work:
    """Tells the activities among a request's events, with the turns that they belong to."""

    payloads: Payloads
    turn: int = 0
    said: str = ""
    """The model's last words, where it asked for no call with them."""
    _under_way: dict[int, _Activity] = field(default_factory=dict[int, _Activity])
    _ended: set[str] = field(default_factory=set[str])
    """Positions of calls whose end has been told."""
    _demoted: set[str] = field(default_factory=set[str])
    _problem: str | None = None
    """What was wrong with the model's last reply."""

    async def tell(self, event: HistoryEvent) -> list[Step]:
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                return await self._scheduled(event)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                await self._tried(event)
                return []
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                completed = event.activity_task_completed_event_attributes
                return await self._returned(event, completed.scheduled_event_id, completed.result.payloads)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
                failed = event.activity_task_failed_event_attributes
                return self._broke(event, failed.scheduled_event_id, await self.payloads.reason(failed.failure))
            case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                late = event.activity_task_timed_out_event_attributes
                return self._broke(event, late.scheduled_event_id, await self.payloads.reason(late.failure))
            case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
                cancelled = event.activity_task_canceled_event_attributes
                return self._broke(event, cancelled.scheduled_event_id, "cancelled")
            case _:
                return []

    def rejected(self, key: str) -> None:
        """That a person said no was told; what the model is told of it is no news."""
        self._ended.add(_position(key))

    async def _scheduled(self, event: HistoryEvent) -> list[Step]:
        scheduled = event.activity_task_scheduled_event_attributes
        news: list[Step] = []
        doing: Doing | None = None
        match scheduled.activity_type.name:
            case name if name == DECIDE:
                doing, news = await self._asked(event)
            case name if name == ANSWER:
                doing = Shaping(self.turn)
            case name if name in (CHECK, CHECK_SCHEMA, PREPARE, PREVIEW, TAKE_PLAN):
                pass  # what comes of it is told by what it was done for
            case name if name == SETTLE:
                if question := await self.payloads.read(scheduled.input.payloads, Settle):
                    doing = Settling(question.call)
            case _:
                if call := await self.payloads.read(scheduled.input.payloads, ToolCall):
                    doing = Calling(call, plain(await self.payloads.summary(event.user_metadata)))
        self._under_way[event.event_id] = _Activity(doing, _time(event))
        return [*news, doing] if doing else news

    async def _asked(self, event: HistoryEvent) -> tuple[Thinking, list[Step]]:
        about = await self.payloads.summary(event.user_metadata)
        shortened = "shortened" in about
        situation = await self.payloads.read(event.activity_task_scheduled_event_attributes.input.payloads, ModelInput)
        news = self._news(situation) if situation and not shortened else []
        numbered = re.match(r"turn (\d+)", about)
        self.turn = int(numbered[1]) if numbered else self.turn + 1
        return Thinking(self.turn, shortened), news

    def _news(self, situation: ModelInput) -> list[Step]:
        # A call that is not run leaves no event; what the model is told of it next is where history first says so.
        told: list[Step] = [
            _as_not_run(call.tool, call.told)
            for entry in situation.conversation
            if isinstance(entry, AssistantEntry) and entry.turn == self.turn
            for position, call in entry.positioned
            if call.told and call.told.failed and position not in self._ended
        ]
        last = situation.conversation[-1] if situation.conversation else None
        if isinstance(last, NoteEntry) and last.text != self._problem:
            told.append(Corrected(last.text))
        return told

    async def _tried(self, event: HistoryEvent) -> None:
        # Temporal writes this event when the last attempt is over, so the failures before it arrive with the result.
        started = event.activity_task_started_event_attributes
        if activity := self._under_way.get(started.scheduled_event_id):
            activity.attempts = started.attempt
            if started.HasField("last_failure"):
                activity.after = await self.payloads.reason(started.last_failure)

    async def _returned(self, event: HistoryEvent, scheduled_id: int, result: Sequence[Payload]) -> list[Step]:
        activity = self._under_way.pop(scheduled_id, None)
        if activity is None:
            return []
        read, took = self.payloads.read, activity.took(event)
        match activity.doing:
            case Thinking(turn) if decision := await read(result, Decision):
                self._problem = decision.problem
                self.said = "" if decision.calls or decision.problem else decision.text
                return [Decided(turn, decision, took), *self._newly(decision.demoted)]
            case Shaping(turn) if answer := await read(result, Answer):
                return [Shaped(turn, answer, took), *self._newly(answer.demoted)]
            case Calling() as calling if value := await read(result, ToolResult):
                return [Returned(calling, value, took)]
            case Settling(call) if settlement := await read(result, Settlement):
                return [Settled(call, settlement, took)]
            case _:
                return []

    def _newly(self, demoted: Sequence[str]) -> list[Demoted]:
        new = [each for each in demoted if each not in self._demoted]
        self._demoted.update(new)
        return list(map(Demoted, new))

    def _broke(self, event: HistoryEvent, scheduled_id: int, error: str) -> list[Step]:
        activity = self._under_way.pop(scheduled_id, None)
        if activity is None or activity.doing is None:
            return []
        if isinstance(activity.doing, Calling):
            self._ended.add(_position(activity.doing.call.key))
        return [Broke(activity.doing, error, activity.took(event))]


def _as_not_run(tool: str, told: ToolMessage) -> NotRun:
    try:
        failure = ToldFailure.model_validate(told.value)
    except ValidationError:
        failure = ToldFailure(status="not run", error=told.text)
    return NotRun(tool, failure.status, failure.error or "")


class ToldFailure(BaseModel):
    """What the model is told of a call that has no result of its own."""

    status: str
    error: str | None = None


def _position(key: str) -> str:
    return key.rpartition("/")[2]


def _time(event: HistoryEvent) -> datetime:
    return event.event_time.ToDatetime()
