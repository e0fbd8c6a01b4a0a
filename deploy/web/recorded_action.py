"""A write, as callers are shown it."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from workflows.contract.values import Arguments


class ActionState(StrEnum):
    """As in the ledger, which is not loaded before it is needed."""

    BEGUN = "begun"
    DONE = "done"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"


class Action(BaseModel):
    """A write, as the ledger has it."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    key: str = Field(description="of the call: `<request id>/<turn>.<index>`")
    digest: str
    tool: str
    arguments: Arguments
    request_id: str
    requester: str
    approved_by: str
    state: ActionState
    attempt: int
    begun_at: datetime
    finished_at: datetime | None
    result: JsonValue
    error: str | None
    resolved_by: str | None
