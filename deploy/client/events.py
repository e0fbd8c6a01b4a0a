"""What a request does, as its callers are told it: steps, in one flat message for readers in any language.

`steps` says more, for programs that share this code; what they say of the inside of Errand stays there.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, JsonValue

from deploy.client import steps
from deploy.client.steps import Doing, Step, Took
from workflows.contract.api import Approve, Outcome, PendingApproval, Request, RequestStatus
from workflows.contract.internal import ToolCall
from workflows.contract.messages import omitted
from workflows.contract.values import Arguments


class EventType(StrEnum):
    """What has happened."""

    STARTED = "started"
    MESSAGE = "message"
    ANSWERED = "answered"
    NOT_ANSWERED = "not_answered"
    LISTENING = "listening"
    CLOSING = "closing"
    THINKING = "thinking"
    DECIDED = "decided"
    SHAPING = "shaping"
    SHAPED = "shaped"
    CORRECTED = "corrected"
    CALLING = "calling"
    RETURNED = "returned"
    SETTLING = "settling"
    SETTLED = "settled"
    NOT_RUN = "not_run"
    FAILED = "failed"
    WAITING = "waiting"
    WAITING_FOR_ANSWER = "waiting_for_answer"
    GOING_ON = "going_on"
    REPLIED = "replied"
    APPROVED = "approved"
    REJECTED = "rejected"
    EDIT_REFUSED = "edit_refused"
    ASKED_AGAIN = "asked_again"
    CANCELLING = "cancelling"
    STUCK = "stuck"
    NOTICE = "notice"
    ENDED = "ended"


class Event(BaseModel):
    """One step of a request. A field that does not matter to its type is not there."""

    model_config = ConfigDict(frozen=True)

    type: EventType
    at: datetime
    turn: int | None = omitted(None, description="of the model's, that it belongs to")
    key: str | None = omitted(None, description="of the call")
    tool: str | None = omitted(None)
    tools: tuple[str, ...] | None = omitted(None, description="that the model asks for now")
    arguments: Arguments | None = omitted(None)
    about: str | None = omitted(None, description='for people: "to ann@example.com"')
    result: JsonValue = omitted(None)
    text: str | None = omitted(None, description="that was said: by the requester, by the model, by who rejected")
    by: str | None = omitted(None, description="whoever said or decided it")
    message_id: str | None = omitted(None)
    status: str | None = omitted(None)
    error: str | None = omitted(None)
    seconds: float | None = omitted(None, description="that it took")
    attempts: int | None = omitted(None, description="if more than one")
    request: Request | None = omitted(None)
    waits: PendingApproval | None = omitted(None, description="the call, as it waits now")
    outcome: Outcome | None = omitted(None)


def event_of(step: Step, at: datetime) -> Event:
    """A step, told to a caller."""
    kind, fields = _told(step)
    return Event.model_validate({"type": kind, "at": at, **fields})


Fields = dict[str, object]


def _told(step: Step) -> tuple[EventType, Fields]:
    match step:
        case steps.Thinking() | steps.Shaping() | steps.Calling() | steps.Settling():
            return _begun(step)
        case steps.Decided() | steps.Shaped() | steps.Returned() | steps.Settled() | steps.Broke():
            return _done(step)
        case steps.Ruled() | steps.EditRefused() | steps.AskedAgain() | steps.Waiting():
            return _by_people(step)
        case steps.MessageCame() | steps.Answered() | steps.NotAnswered() | steps.CloseAsked() | steps.Listening():
            return _of_messages(step)
        case steps.WaitingForAnswer(yes):
            return (EventType.WAITING_FOR_ANSWER if yes else EventType.GOING_ON), {}
        case steps.Replied(message, question):
            said: Fields = {"message_id": message.id, "text": message.text, "by": message.by or None}
            return EventType.REPLIED, {**said, "key": question or None}
        case steps.Asked(request):
            return EventType.STARTED, {"request": request.model_copy(update={"carried": None})}
        case steps.Demoted(what):
            return EventType.NOTICE, {"text": what}
        case steps.Corrected(text):
            return EventType.CORRECTED, {"text": text}
        case steps.NotRun(tool, status, error):
            return EventType.NOT_RUN, {"tool": tool, "status": status, "error": error}
        case steps.CancelAsked():
            return EventType.CANCELLING, {}
        case steps.Stuck(error):
            return EventType.STUCK, {"error": error}
        case steps.Ended(outcome):
            return EventType.ENDED, {"status": outcome.status, "outcome": outcome}
        case steps.Crashed(how, error):
            status = RequestStatus.CANCELLED if how == "cancelled" else RequestStatus.FAILED
            return EventType.ENDED, {"status": status, "error": f"{how}: {error}"}


def _begun(step: Doing) -> tuple[EventType, Fields]:
    match step:
        case steps.Thinking(turn):
            return EventType.THINKING, {"turn": turn}
        case steps.Shaping(turn):
            return EventType.SHAPING, {"turn": turn}
        case steps.Calling(call, about):
            return EventType.CALLING, {**_call(call), "about": about or None}
        case steps.Settling(call):
            return EventType.SETTLING, _call(call)


def _done(
    step: steps.Decided | steps.Shaped | steps.Returned | steps.Settled | steps.Broke,
) -> tuple[EventType, Fields]:
    match step:
        case steps.Decided(turn, decision, took):
            tools = tuple(call.tool for call in decision.calls) or None
            said: Fields = {"text": decision.text or None, "error": decision.problem, "tools": tools}
            return EventType.DECIDED, {"turn": turn, **said, **_took(took)}
        case steps.Shaped(turn, shaped, took):
            return EventType.SHAPED, {"turn": turn, "result": shaped.output, "error": shaped.problem, **_took(took)}
        case steps.Returned(calling, result, took):
            return EventType.RETURNED, {**_call(calling.call), "result": result.value, **_took(took)}
        case steps.Settled(call, settlement, took):
            news: Fields = {"status": settlement.status, "error": settlement.error}
            return EventType.SETTLED, {**_call(call), **news, **_took(took)}
        case steps.Broke(doing, error, took):
            _, what = _begun(doing)
            return EventType.FAILED, {**what, "error": error, **_took(took)}


def _by_people(
    step: steps.Ruled | steps.EditRefused | steps.AskedAgain | steps.Waiting,
) -> tuple[EventType, Fields]:
    match step:
        case steps.Ruled(Approve() as yes):
            return EventType.APPROVED, {"key": yes.key, "by": yes.by, "arguments": yes.arguments}
        case steps.Ruled(no):
            return EventType.REJECTED, {"key": no.key, "by": no.by, "text": getattr(no, "reason", None)}
        case steps.EditRefused(verdict, error):
            return EventType.EDIT_REFUSED, {"key": verdict.key, "by": verdict.by, "error": error}
        case steps.AskedAgain(verdict, pending):
            return EventType.ASKED_AGAIN, {"key": verdict.key, "by": verdict.by, "waits": pending}
        case steps.Waiting(yes):
            return (EventType.WAITING if yes else EventType.GOING_ON), {}


def _of_messages(
    step: steps.MessageCame | steps.Answered | steps.NotAnswered | steps.CloseAsked | steps.Listening,
) -> tuple[EventType, Fields]:
    match step:
        case steps.MessageCame(message):
            return EventType.MESSAGE, {"message_id": message.id, "text": message.text, "by": message.by or None}
        case steps.Answered(message_id, outcome):
            return EventType.ANSWERED, {"message_id": message_id, "status": outcome.status, "outcome": outcome}
        case steps.NotAnswered(message_id, error):
            return EventType.NOT_ANSWERED, {"message_id": message_id, "error": error}
        case steps.CloseAsked():
            return EventType.CLOSING, {}
        case steps.Listening(text):
            return EventType.LISTENING, {"text": text or None}


def _call(call: ToolCall) -> Fields:
    return {"key": call.key, "tool": call.tool, "arguments": call.arguments}


def _took(took: Took) -> Fields:
    return {"seconds": round(took.seconds, 3), "attempts": took.attempts if took.attempts > 1 else None}
