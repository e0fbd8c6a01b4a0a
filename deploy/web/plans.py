"""Plans: apply what a rehearsal came to."""

from typing import Annotated

from fastapi import APIRouter, Body, Response
from pydantic import Field

from deploy.client.keys import Right
from deploy.client.listing import Found
from deploy.client.plans import request_to_apply, start_to_apply
from deploy.client.requests import RequestHandle, TakenId, handle_of, outcome_or_account
from deploy.web import examples
from deploy.web.callers import Caller
from deploy.web.door import OF_ONE, WITH_BODY, AnyCaller, Door, Own, StrictRoute, TheDoor, in_time
from deploy.web.problems import Kind, Problem, documented
from deploy.web.requests import Started, told_started
from workflows.contract.messages import Flag, Input

router = APIRouter(tags=["requests"], route_class=StrictRoute)


class Application(Input):
    """The plan that is to be applied, as it was shown."""

    digest: str = Field(min_length=1, max_length=200, description="of the plan")
    approve: Flag = Field(default=False, description="the caller's yes to the whole plan; it takes the right approve")


@router.post(
    "/v1/requests/{request_id}/apply",
    status_code=201,
    response_model=Started,
    response_description="The request that applies it was started",
    responses={
        200: {
            "model": Started,
            "description": "It was started before: a plan is applied once",
            "content": {"application/json": {"example": examples.STARTED}},
        },
        201: {"content": {"application/json": {"example": examples.STARTED}}},
        **documented(*OF_ONE, *WITH_BODY, Kind.TAKEN_ID, Kind.STALE_DIGEST),
    },
)
async def apply_plan(
    application: Annotated[Application, Body(openapi_examples=examples.APPLICATIONS)],
    found: Own,
    caller: AnyCaller,
    door: TheDoor,
) -> Response:
    """Make exactly the writes of a rehearsal's plan, by a request of its own: its outcome says whether all was still as
    planned."""
    handle, is_new = await applied(application, found, caller, door)
    return told_started(handle, caller, is_new=is_new)


async def applied(application: Application, found: Found, caller: Caller, door: Door) -> tuple[RequestHandle, bool]:
    """Start the request that applies a plan, or join it; and whether it is a new one.

    Raises:
        Problem: the caller may not say yes, the plan is another one or cannot be applied, or somebody else has applied
            it.
    """
    if application.approve and not caller.may(Right.APPROVE):
        raise Problem(Kind.FORBIDDEN, f"approve: {caller.name} may not approve: it takes the right approve")
    await _check_plan(application.digest, found, door)
    request = request_to_apply(found.request_id, application.digest, requester=caller.name, approve=application.approve)
    try:
        return await in_time(start_to_apply(door.client, request, task_queue=door.service.worker.task_queue))
    except TakenId as taken:
        whose = "by somebody else, who has applied the plan, or by another request"
        raise Problem(Kind.TAKEN_ID, f"{taken.request_id} is taken {whose}; a plan is applied once") from taken


async def _check_plan(digest: str, found: Found, door: Door) -> None:
    """Refuse what would start a request only to have it fail: there is one request for a plan, and it is used up then.

    Raises:
        Problem: there is no plan, it is another one, or it cannot be applied.
    """
    request_id = found.request_id
    if found.closed_at is None:
        raise Problem(Kind.NOT_FOUND, f"{request_id} goes on; a rehearsal has its plan when it has ended")
    plan = (await in_time(outcome_or_account(handle_of(door.client, request_id)))).plan
    if plan is None:
        raise Problem(Kind.NOT_FOUND, f"{request_id} has no plan: it is no rehearsal, or has ended without one")
    if plan.digest != digest:
        raise Problem(Kind.STALE_DIGEST, f"{request_id}: its plan is another one by now; look at it before applying it")
    if plan.problem or not plan.writes:
        raise Problem(Kind.INVALID, f"the plan of {request_id} cannot be applied: {plan.problem or 'it has no write'}")
