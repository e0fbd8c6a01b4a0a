"""The published schema says what callers may write and what they can count on."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from activities.schema.json_schema import JsonSchema, check
from client import app
from deploy.client.contract import MessageName
from workflows.contract.api import (
    Approve,
    Limits,
    Outcome,
    PendingApproval,
    PendingQuestion,
    Receipt,
    ReceiptStatus,
    Refusal,
    Reject,
    Request,
    RequestState,
    RequestStatus,
    Say,
    Usage,
)

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
RECEIPT = Receipt(key="r/1.1", tool="t", arguments={}, status=ReceiptStatus.INVALID)
DONE = RECEIPT.model_copy(update={"effect": "write", "result": {"n": 1}, "approved_by": "ann", "started_at": AT})
OUTCOME = Outcome(request_id="r", status=RequestStatus.COMPLETED, summary="Done.")
STATE = RequestState(request_id="r", status=RequestStatus.RUNNING, turn=1, doing="waiting")
WAITS = PendingApproval(key="r/1.1", digest="d", tool="t", arguments={}, expires_at=AT)
MESSAGES: list[BaseModel] = [
    Request(text="Go"),
    Request(keep_open=True, requester="ann", approve=("*",), limits=Limits(cost=1), output_schema={"type": "object"}),
    Say(text="More", by="ann"),
    Approve(key="k", digest="d", by="ann", arguments={"a": None}),
    Reject(key="k", digest="d", by="ann"),
    OUTCOME,
    OUTCOME.model_copy(update={"receipts": (RECEIPT, DONE), "usage": Usage(cost=0.5), "output": [1]}),
    Refusal(type="Busy", message="5 messages wait already; say it again later"),
    WAITS,
    PendingQuestion(key="r/1.1", text="Which Ann?", expires_at=AT),
    DONE,
    STATE,
    STATE.model_copy(update={"awaiting_approval": (WAITS,), "receipts": (DONE,)}),
]


def printed(*words: str) -> dict[str, Any]:
    shown = CliRunner().invoke(app, ["schema", *words])
    assert shown.exit_code == 0
    return json.loads(shown.stdout)


@cache
def checked(*words: str) -> dict[str, Any]:
    """What is printed, of which it is made sure once that it is a schema."""
    check(schema := printed(*words))
    return schema


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_fits_its_schema_and_the_one_that_all_stand_in(message: BaseModel) -> None:
    name, value = type(message).__name__, message.model_dump(mode="json")
    for schema in (checked(name), {**checked(), "$ref": f"#/$defs/{name}"}):
        JsonSchema(schema).require(value)


@pytest.mark.parametrize("message", [OUTCOME, RECEIPT, STATE, WAITS, Usage()], ids=lambda each: type(each).__name__)
def test_of_what_comes_back_exactly_the_fields_are_required_that_are_always_there(message: BaseModel) -> None:
    assert printed()["$defs"][type(message).__name__]["required"] == [*message.model_dump(mode="json")]


def test_of_what_a_caller_writes_only_what_must_be_written_is_required_and_nothing_else_is_taken() -> None:
    schemas = printed()["$defs"]
    required = {name: schemas[name].get("required", []) for name in ("Request", "Limits", "Say", "Approve", "Reject")}
    decision = ["key", "digest", "by"]
    assert required == {"Request": [], "Limits": [], "Say": ["text"], "Approve": decision, "Reject": decision}
    assert all(schemas[name]["additionalProperties"] is False for name in required)


def test_nothing_is_said_of_what_only_the_workflow_sets() -> None:
    written = json.dumps([printed(), *(printed(name) for name in MessageName)])
    assert not any(word in written for word in ("carried", "Progress", "QueuedMessage"))
