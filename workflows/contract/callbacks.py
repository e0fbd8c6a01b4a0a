"""What is told to callback endpoints: the messages between a request, the workflow that tells, and its activity."""

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import Field

from workflows.contract.messages import Message, omitted
from workflows.contract.values import Arguments

CALLBACK_WORKFLOW = "CallbackWorkflow"
DELIVER = "deliver_callback"

EventType: TypeAlias = Literal[
    "request.completed",
    "request.failed",
    "request.cancelled",
    "request.limit_reached",
    "approval.requested",
    "approval.reminder",
    "question.asked",
    "action.unknown",
]


class Event(Message):
    """Something that has happened in a request. `id` is the same for the same thing, however often it is told."""

    id: str
    type: EventType
    request_id: str
    at: datetime
    data: Arguments = Field(description="only what is needed to look for the rest")


class Delivery(Message):
    """The input of `CallbackWorkflow` and its activity: one event for one endpoint."""

    endpoint: str
    requester: str = omitted("")
    by_policy: bool = omitted(False, description="the policy names the endpoint, and not the requester")
    event: Event


class Delivered(Message):
    """The output of both: the endpoint has taken it."""

    status: int = Field(description="the endpoint's HTTP status")
    attempts: int
