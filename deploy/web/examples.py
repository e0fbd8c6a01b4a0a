"""Examples for the door's document; each is made of the messages themselves, so that it is one."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi.openapi.models import Example
from pydantic import BaseModel, Field

from activities.model.origins import Origin, Source
from deploy.client.schedules import Scheduled, ScheduledRun, ScheduleState
from deploy.client.timetables import Preview, Timetable
from deploy.client.traced_approvals import TracedApproval, TracedState
from workflows.contract.api import (
    Outcome,
    Receipt,
    ReceiptStatus,
    Request,
    RequestStatus,
    Usage,
)
from workflows.contract.values import Arguments

Time = Annotated[datetime, Field(examples=["2026-01-31T08:00:00Z"])]

AT = datetime(2026, 1, 31, 8, tzinfo=UTC)
ID = "invoice-4711"
TEXT = "Get the weather in Paris and send it to ann@example.com."
WRITTEN: Arguments = {"to": ["ann@example.com"], "subject": "Weather in Paris", "body": "Light rain, 11 degrees."}
DIGEST = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"


def _json(message: BaseModel) -> dict[str, Any]:
    return message.model_dump(mode="json")


_FROM_REQUEST = Origin(where="request")
_FROM_TOOL = Origin(where="tool", tool="get_weather", position="1.1")
PENDING = TracedApproval(
    key=f"{ID}/2.1",
    digest=DIGEST,
    tool="send_email",
    arguments=WRITTEN,
    about="to ann@example.com",
    reason="no rule of the policy allows it",
    expires_at=AT,
    sources=(
        Source(argument="to[0]", value="ann@example.com", origins=(_FROM_REQUEST,)),
        Source(argument="subject", value=WRITTEN["subject"], origins=(Origin(where="worded"),)),
        Source(argument="body", value=WRITTEN["body"], origins=(Origin(where="worded"),)),
        Source(argument="body", value="11", origins=(_FROM_TOOL,), piece=True),
    ),
)
SENT = Receipt(
    key=f"{ID}/2.1",
    tool="send_email",
    arguments=WRITTEN,
    effect="write",
    status=ReceiptStatus.DONE,
    result={"message_id": "<1@example.com>"},
    attempts=1,
    approved_by="bob",
    started_at=AT,
    finished_at=AT,
)
USED = Usage(model_calls=3, input_tokens=1200, output_tokens=90)

STARTED = {"request_id": ID, "requester": "billing"}
RUNNING = {"request_id": ID, "status": "running", "message_id": None}
_STATE = TracedState(
    request_id=ID, status=RequestStatus.RUNNING, turn=2, doing="turn 2: send_email", awaiting_approval=(PENDING,)
)
VIEW = _json(_STATE) | {
    "requester": "billing",
    "text": TEXT,
    "started_at": "2026-01-31T08:00:00Z",
    "closed_at": None,
    "keep_open": False,
}
OUTCOME = _json(
    Outcome(request_id=ID, status=RequestStatus.COMPLETED, summary="The mail was sent.", receipts=(SENT,), usage=USED)
)
LISTED = {
    "requests": [
        {
            "request_id": ID,
            "status": "running",
            "requester": "billing",
            "awaiting_approval": True,
            "awaiting_answer": False,
            "started_at": "2026-01-31T08:00:00Z",
            "closed_at": None,
            "summary": TEXT,
            "without_outcome": None,
            "keep_open": False,
        }
    ],
    "next": None,
}

DECIDED = {"key": f"{ID}/2.1", "status": "approved", "by": "bob", "waits": None}

EVENTS = (
    f'event: state\ndata: {{"request_id":"{ID}","status":"running","turn":1,"doing":"turn 1: thinking", …}}\n\n'
    "event: thinking\nid: 01a4c8fe-6f0c-7d55-9b7e-0a3a5c1f2d11:5.0\n"
    'data: {"type":"thinking","at":"2026-01-31T08:00:00Z","turn":1}\n\n'
)
ACTION = {
    "key": f"{ID}/2.1",
    "digest": DIGEST,
    "tool": "send_email",
    "arguments": WRITTEN,
    "request_id": ID,
    "requester": "billing",
    "approved_by": "bob",
    "state": "unknown",
    "attempt": 1,
    "begun_at": "2026-01-31T08:00:00Z",
    "finished_at": None,
    "result": None,
    "error": "the connection was lost after the last dot",
    "resolved_by": None,
}
RESOLUTIONS: dict[str, Example] = {
    "it happened": {"value": {"delivered": True}},
    "it did not": {"value": {"delivered": False}},
}
TOOL: dict[str, object] = {
    "name": "get_weather",
    "source": "activities/tools/weather.py:40",
    "effect": "read",
    "description": "Get the current weather in a city.",
    "schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "left_out": "",
    "notes": [],
}

SUBMISSIONS: dict[str, Example] = {
    "a request": {"value": _json(Request(text=TEXT)) | {"request_id": ID}},
    "a rehearsal": {"value": _json(Request(text=TEXT, rehearse=True)) | {"request_id": ID}},
    "a conversation": {"value": _json(Request(keep_open=True)) | {"request_id": "talk-1"}},
}
APPLICATIONS: dict[str, Example] = {
    "as it was shown": {"value": {"digest": DIGEST}},
    "with the caller's yes": {"value": {"digest": DIGEST, "approve": True}},
}
ANSWERED = {"key": f"{ID}/1.1", "by": "billing"}
REPLIES: dict[str, Example] = {"an answer": {"value": {"text": "The one in Texas."}}}

_WEEKDAYS = Timetable(cron="0 8 * * 1-5", zone="Europe/Berlin", words="every weekday at eight")
_DAILY = Scheduled(
    schedule_id="daily", timetable=_WEEKDAYS, text=TEXT, requester="billing", paused=False, next_times=(AT,)
)
_RUN = ScheduledRun(request_id="daily-2026-01-30T08:00:00Z", scheduled_at=AT, started_at=AT)
SCHEDULED = _json(_DAILY)
SCHEDULE = _json(ScheduleState(**dict(_DAILY), request=Request(text=TEXT), latest=(_RUN,), started=1))
PREVIEW = _json(Preview(next_times=(AT,)))
TIMETABLES: dict[str, Example] = {"every weekday at eight": {"value": _json(_WEEKDAYS)}}
NEW_SCHEDULES: dict[str, Example] = {
    "every weekday at eight": {
        "value": {"schedule_id": "daily", "timetable": _json(_WEEKDAYS), "request": {"text": TEXT}}
    }
}
NOTES: dict[str, Example] = {"a note": {"value": {"note": "until the prices are right"}}}
PERIODS: dict[str, Example] = {"one day": {"value": {"start": "2026-01-30T00:00:00Z", "end": "2026-01-31T00:00:00Z"}}}
MESSAGES: dict[str, Example] = {"a message": {"value": {"text": "And in Bergen?", "message_id": "m-2"}}}
VERDICTS: dict[str, Example] = {
    "yes": {"value": {"decision": "approve", "digest": DIGEST}},
    "yes, with other arguments": {
        "value": {"decision": "approve", "digest": DIGEST, "arguments": WRITTEN | {"subject": "Paris"}}
    },
    "no": {"value": {"decision": "reject", "digest": DIGEST, "reason": "Not to this address."}},
}
