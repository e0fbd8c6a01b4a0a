"""A plan: what a rehearsal comes to, and how a request names the one that it applies."""

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import Field

from workflows.contract.messages import Input, Message, omitted
from workflows.contract.values import Arguments, position, sha256

APPLIED = ".apply"
"""Behind the id of a rehearsal: the id of the request that applies its plan."""

READS, WRITES = 1, 2
"""The turns in the keys of the calls of a plan that is applied."""
THE_PLAN = position(WRITES, 0)
"""In the key of the approval of a whole plan."""

Verdict: TypeAlias = Literal["allowed", "needs approval", "refused"]


class Apply(Input):
    """The plan that a request applies. It runs under the id `<request_id>.apply`, so a plan is applied once."""

    request_id: str = Field(min_length=1, max_length=200, description="of the rehearsal")
    digest: str = Field(min_length=1, max_length=200, description="of its plan, as it was shown")


class PlannedRead(Message):
    """A read that planned writes rest on."""

    key: str
    tool: str
    arguments: Arguments
    digest: str = Field(description="SHA-256 of its result")
    at: datetime


class PlannedWrite(Message):
    """A write exactly as it would be made, and what the rules say of it."""

    key: str = Field(description="of the call in the rehearsal")
    tool: str
    arguments: Arguments
    digest: str = Field(description="SHA-256 of tool and arguments")
    about: str = omitted("")
    verdict: Verdict
    why: str = omitted("", description="what allows it, why it needs a yes, or what forbids it")
    depends_on: tuple[str, ...] = omitted((), description="the keys of the reads that its arguments rest on")
    stand_ins: tuple[str, ...] = omitted(
        (), description="the keys of planned writes of whose stand-in results it has values: it cannot be applied"
    )
    ungrounded: tuple[str, ...] = omitted((), description="values that nobody mentioned before the model did")
    unsupported: tuple[str, ...] = omitted((), description="figures in its texts that nobody mentioned either")
    strangers: tuple[str, ...] = omitted((), description="figures and addresses that only a stranger's text mentions")
    untrusted: bool = omitted(False, description="a stranger's text had been read before it")
    repeats: bool = omitted(False, description="the same is planned before it")


class Rehearsed(Message):
    """What a rehearsal has come to so far."""

    writes: tuple[PlannedWrite, ...] = Field(default=(), description="those that would be made, in their order")
    refused: tuple[PlannedWrite, ...] = omitted((), description="those that would not be made")
    reads: tuple[PlannedRead, ...] = omitted((), description="those that the writes rest on")


class Plan(Rehearsed):
    """What a rehearsed request would do. Nothing of it has been done."""

    request_id: str = Field(description="of the rehearsal")
    made_at: datetime
    problem: str = omitted("", description="why it cannot be applied")
    digest: str = Field(default="", description="SHA-256 of all else: what a yes to the plan is bound to")

    def sealed(self) -> "Plan":
        """With its digest."""
        return self.model_copy(update={"digest": self.content_digest})

    @property
    def content_digest(self) -> str:
        return sha256(self.model_dump(mode="json", exclude={"digest"}))


def is_of_a_plan(key: str) -> bool:
    """Whether what waits under this key is a whole plan: calls are counted from 1."""
    return key.rpartition("/")[2] == THE_PLAN


def applied_id(rehearsal: str) -> str:
    """The id of the request that applies the plan of a rehearsal."""
    return f"{rehearsal}{APPLIED}"
