"""Approvals: a person's word on one exact call."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Response
from pydantic import BaseModel, ConfigDict, Field
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from deploy.client.listing import Found
from deploy.client.requests import decide, handle_of, state
from deploy.client.traced_approvals import TracedApproval, traced
from deploy.web import examples
from deploy.web.callers import Caller
from deploy.web.door import OF_ONE, WITH_BODY, Approver, Door, StrictRoute, TheDoor, ToDecide, answer, own_word
from deploy.web.problems import Kind, Problem, documented, problem_of
from workflows.contract.api import Approve, ReceiptStatus, Reject
from workflows.contract.messages import Input
from workflows.contract.values import Arguments

router = APIRouter(tags=["approvals"], route_class=StrictRoute)


class Verdict(Input):
    """A yes or a no to one call that waits, exactly as it was shown."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"properties": {"decision": {"const": "approve"}, "reason": {"const": ""}}},
                {"properties": {"decision": {"const": "reject"}, "arguments": {"type": "null"}}},
            ]
        }
    )

    decision: Literal["approve", "reject"]
    digest: str = Field(max_length=200, description="of the call, as it was shown")
    arguments: Arguments | None = Field(default=None, description="of a yes: in place of the call's own")
    reason: str = Field(default="", max_length=2000, description="of a no: the model is told it")
    by: str | None = Field(default=None, max_length=200, description="who decides: whoever calls, and nobody else")


class Decided(BaseModel):
    """What became of the call."""

    model_config = ConfigDict(frozen=True)

    key: str
    status: Literal["approved", "rejected", "waits"]
    by: str
    waits: TracedApproval | None = Field(
        default=None,
        description="where the rules say something of the new arguments that was not shown yet: nothing has run, and "
        "this is what a second yes is given to",
    )


@router.post(
    "/v1/requests/{request_id}/approvals/{key:path}",
    response_model=Decided,
    responses={
        200: {"content": {"application/json": {"example": examples.DECIDED}}},
        **documented(*OF_ONE, *WITH_BODY, Kind.NOT_WAITING, Kind.STALE_DIGEST, Kind.NOT_OPEN),
    },
)
async def decide_about_call(
    key: Annotated[
        str, Path(max_length=300, description="of the call: whole, or the part behind the id", examples=["2.1"])
    ],
    verdict: Annotated[Verdict, Body(openapi_examples=examples.VERDICTS)],
    found: ToDecide,
    caller: Approver,
    door: TheDoor,
) -> Response:
    """Say yes or no to a call that waits. Of two who decide, the second is told who was first (409)."""
    own_word("by", verdict.by, caller)
    return answer(await decided(_whole(key, found.request_id), verdict, found, caller, door))


async def decided(key: str, verdict: Verdict, found: Found, caller: Caller, door: Door) -> Decided:
    """Give the request the caller's word.

    Raises:
        Problem: it is not taken. Where the call does not wait any more, it says who was first.
    """
    word = _word(key, verdict, caller)
    try:
        again = await decide(handle_of(door.client, found.request_id), word)
    except (RPCError, WorkflowUpdateFailedError) as error:
        raise await too_late(problem_of(error), word.key, found.request_id, door) from error
    waits = (await traced(door.client, found.request_id, [again]))[0] if again else None
    status = "waits" if waits else "approved" if verdict.decision == "approve" else "rejected"
    return Decided(key=word.key, status=status, by=caller.name, waits=waits)


def _whole(key: str, request_id: str) -> str:
    return key if "/" in key else f"{request_id}/{key}"


def _word(key: str, verdict: Verdict, caller: Caller) -> Approve | Reject:
    if verdict.decision == "approve":
        if verdict.reason:
            raise Problem(Kind.INVALID, "reason: it belongs to a no")
        return Approve(key=key, digest=verdict.digest, by=caller.name, arguments=verdict.arguments)
    if verdict.arguments is not None:
        raise Problem(Kind.INVALID, "arguments: they belong to a yes")
    return Reject(key=key, digest=verdict.digest, by=caller.name, reason=verdict.reason)


async def too_late(problem: Problem, key: str, request_id: str, door: Door) -> Problem:
    """The problem, with what became of the call where it does not wait any more."""
    if problem.kind not in (Kind.NOT_WAITING, Kind.NOT_OPEN) or problem.decided_by:
        return problem
    now = await state(handle_of(door.client, request_id))
    receipt = next((each for each in now.receipts if each.key == key), None)
    if receipt is None:
        running = key in now.running
        return problem if running else Problem(Kind.NOT_FOUND, f"{key}: no such call waits for approval")
    if receipt.approved_by:
        what = f"it was approved by {receipt.approved_by}"
    elif receipt.status is ReceiptStatus.REJECTED:
        what = receipt.error or "it was rejected"
    else:
        what = f"it is {receipt.status}"
    return Problem(Kind.NOT_WAITING, f"{key}: {what}", decided_by=receipt.approved_by)
