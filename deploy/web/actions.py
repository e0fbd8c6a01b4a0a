"""Actions: what the ledger knows of writes, and a person's word on those of which nobody knows whether they happened.

The ledger itself is asked, so this works where Temporal does not answer.
"""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from deploy.client.actions import ledger_of_the_workers
from deploy.web import examples
from deploy.web.callers import Caller
from deploy.web.door import (
    ALWAYS,
    WITH_BODY,
    Door,
    Reader,
    Resolver,
    StrictRoute,
    TheDoor,
    answer,
    own_word,
)
from deploy.web.moments import Moment
from deploy.web.problems import Kind, Problem, documented, of_the_door
from deploy.web.recorded_action import Action, ActionState
from workflows.contract.messages import Flag, Input

router = APIRouter(tags=["actions"], route_class=StrictRoute)


class Actions(BaseModel):
    """Writes, the latest first."""

    model_config = ConfigDict(frozen=True)

    actions: list[Action]


class Resolution(Input):
    """What became of a write, by the word of somebody who has looked."""

    delivered: Flag = Field(description="whether it happened")
    even_if_under_way: Flag = Field(default=False, description="also one that has just begun")
    by: str | None = Field(default=None, max_length=200, description="who says so: whoever calls, and nobody else")


@router.get(
    "/v1/actions",
    response_model=Actions,
    responses={
        200: {"content": {"application/json": {"example": {"actions": [examples.ACTION]}}}},
        **documented(*ALWAYS),
    },
)
async def list_actions(
    caller: Reader,
    door: TheDoor,
    request: Annotated[str | None, Query(max_length=200, description="only those of this request")] = None,
    state: Annotated[ActionState | None, Query(description="only those in this state")] = None,
    since: Annotated[
        Moment | None, Query(description="only those begun since", examples=["2026-01-31T08:00:00Z"])
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="how many at most")] = 100,
) -> Response:
    """List the writes that the ledger knows: everybody's, or with the right `read` alone one's own."""
    from activities.ledger.rows import State

    with of_the_door():
        async with ledger_of_the_workers(door.service) as ledger:
            found = await ledger.search(
                request_id=request,
                requester=None if caller.sees_all else caller.name,
                state=State(state) if state else None,
                since=since,
                limit=limit,
            )
    return answer(Actions(actions=[Action.model_validate(each) for each in found]))


@router.post(
    "/v1/actions/{key:path}/resolve",
    response_model=Action,
    responses={
        200: {"content": {"application/json": {"example": examples.ACTION}}},
        **documented(*ALWAYS, *WITH_BODY, Kind.NOT_FOUND, Kind.NOT_OPEN),
    },
)
async def resolve_action(
    key: Annotated[str, Path(max_length=400, description="of the call", examples=["invoice-4711/2.1"])],
    resolution: Annotated[Resolution, Body(openapi_examples=examples.RESOLUTIONS)],
    caller: Resolver,
    door: TheDoor,
) -> Response:
    """Settle a write of which nobody knows whether it happened, after having looked."""
    own_word("by", resolution.by, caller)
    return answer(await settle(key, resolution, caller, door))


async def settle(key: str, resolution: Resolution, caller: Caller, door: Door) -> Action:
    """Put the caller's word down.

    Raises:
        Problem: there is no such write.
        ErrandError: it is none that waits for a word.
    """
    with of_the_door():
        async with ledger_of_the_workers(door.service) as ledger:
            known = await ledger.find(key)
            if known is None or (known.requester != caller.name and not caller.sees_all):
                raise Problem(Kind.NOT_FOUND, f"there is no action {key}")
            settled = await ledger.resolve(
                key,
                delivered=resolution.delivered,
                by=caller.name,
                even_if_under_way=resolution.even_if_under_way,
            )
    return Action.model_validate(settled)
