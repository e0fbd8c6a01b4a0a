"""What the workflow and its activities exchange about rehearsals and plans."""

from datetime import datetime

from pydantic import Field, JsonValue

from workflows.contract.conversation import Entry
from workflows.contract.internal import ProposedCall, ToolCall
from workflows.contract.messages import Message, omitted
from workflows.contract.values import Arguments

PREVIEW = "preview"
TAKE_PLAN = "take_plan"


class WriteBefore(Message):
    """A write that is in the plan already."""

    tool: str
    arguments: Arguments


class RehearsedCall(Message):
    """The input of `preview`: a write that is not made, and all that was said and planned before it."""

    call: ToolCall
    conversation: tuple[Entry, ...]
    planned: tuple[WriteBefore, ...] = omitted((), description="whose shares of the budgets are gone before this one")


class Preview(Message):
    """The output of `preview`."""

    result: JsonValue = Field(default=None, description="the stand-in for the tool's result")
    depends_on: tuple[str, ...] = omitted((), description="the positions of the reads that the arguments rest on")
    stand_ins: tuple[str, ...] = omitted((), description="the positions of the writes whose stand-ins they rest on")
    refused: str = omitted("", description="which budget would refuse it")
    over_budget: str = omitted("", description="which budget would have a person asked")


class WantedPlan(Message):
    """The input of `take_plan`."""

    request_id: str
    digest: str
    requester: str = omitted("", description="who applies it")
    notify: tuple[str, ...] = omitted((), description="an endpoint that there is not is refused before the first write")


class TakenWrite(Message):
    """A planned write, held to the tools and the policy as they are now."""

    proposed: ProposedCall
    untrusted: bool = omitted(False)
    repeats: bool = omitted(False)


class TakenRead(Message):
    """A read that planned writes rest on, as it would be made again."""

    key: str
    proposed: ProposedCall
    digest: str
    at: datetime


class TakenPlan(Message):
    """The output of `take_plan`."""

    writes: tuple[TakenWrite, ...] = ()
    reads: tuple[TakenRead, ...] = omitted(())
    plan_seconds: float = omitted(0, description="how long a result counts without being read again")
    ledger: str = omitted("", description="the identity of the worker's ledger")
    problem: str = omitted("", description="why nothing of it can be done")
