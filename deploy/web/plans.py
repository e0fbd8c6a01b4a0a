"""Plans: apply what a rehearsal came to."""

from typing import Annotated

from fastapi import APIRouter, Body, Response
from pydantic import Field

from deploy.client.keys import Right
from deploy.client.plans import request_to_apply, start_to_apply
from deploy.web import examples
from deploy.web.door import OF_ONE, WITH_BODY, AnyCaller, Own, StrictRoute, TheDoor
from deploy.web.problems import Kind, Problem, documented
from deploy.web.requests import Started, told_started
from workflows.contract.messages import Input

router = APIRouter(tags=["requests"], route_class=StrictRoute)


class Application(Input):
    """The plan that is to be applied, as it was shown."""

    digest: str = Field(min_length=1, max_length=200, description="of the plan")
    approve: bool = Field(default=False, description="the caller's yes to the whole plan; it takes the right approve")


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
        **documented(*OF_ONE, *WITH_BODY, Kind.TAKEN_ID),
    },
)
async def apply(
    application: Annotated[Application, Body(openapi_examples=examples.APPLICATIONS)],
    found: Own,
    caller: AnyCaller,
    door: TheDoor,
) -> Response:
    """Make exactly the writes of a rehearsal's plan, by a request of its own: its outcome says whether all was still as
    planned."""
    if application.approve and not caller.may(Right.APPROVE):
        raise Problem(Kind.FORBIDDEN, f"approve: {caller.name} may not approve: it takes the right approve")
    request = request_to_apply(found.request_id, application.digest, requester=caller.name, approve=application.approve)
    started = start_to_apply(door.client, request, task_queue=door.service.worker.task_queue)
    return await told_started(started, caller)
