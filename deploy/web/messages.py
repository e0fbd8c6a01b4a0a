"""Having to do with a request that runs: say more to it, end it."""

from typing import Annotated

from fastapi import APIRouter, Body, Response
from pydantic import Field

from deploy.client.conversations import close, say_within
from deploy.client.requests import handle_of
from deploy.web import examples
from deploy.web.door import (
    OF_ONE,
    WITH_BODY,
    AnyCaller,
    Own,
    Running,
    StrictRoute,
    TheDoor,
    Wait,
    answer,
    in_time,
    own_word,
)
from deploy.web.idempotency import AN_ID, NOT_BLANK, IdempotencyKey, the_one
from deploy.web.problems import Kind, Problem, documented
from workflows.contract.api import Outcome, Say

router = APIRouter(tags=["requests"], route_class=StrictRoute)


class Message(Say):
    """A message to a request that is kept open, or the answer to a question of the model's that waits."""

    text: str = Field(min_length=1, max_length=20_000, json_schema_extra=NOT_BLANK)
    message_id: str | None = Field(
        default=None,
        description="its id, in place of the header Idempotency-Key: one of the two has to be said, and not both",
        json_schema_extra={"anyOf": [{"type": "string", "pattern": AN_ID}, {"type": "null"}]},
    )


@router.post(
    "/v1/requests/{request_id}/messages",
    response_model=Outcome,
    responses={
        200: {"content": {"application/json": {"example": examples.OUTCOME}}},
        202: {
            "model": Running,
            "description": "It was taken, and is not answered yet",
            "content": {"application/json": {"example": examples.RUNNING}},
        },
        **documented(*OF_ONE, *WITH_BODY, Kind.NO_KEY, Kind.NOT_OPEN, Kind.KEY_REUSED),
    },
)
async def say(
    message: Annotated[Message, Body(openapi_examples=examples.MESSAGES)],
    found: Own,
    caller: AnyCaller,
    door: TheDoor,
    idempotency_key: IdempotencyKey = None,
    wait: Wait = 0,
) -> Response:
    """Say more to a request that is kept open, and wait for the answer; the same message again waits on.

    While a question of the model's waits, what is said is the answer to it: to the one that `question` names, or else
    the first. The outcome's status is `running` then.
    """
    own_word("by", message.by, caller)
    message_id = the_one("message_id", message.message_id, idempotency_key)
    outcome = await say_within(
        door.client,
        found.request_id,
        message.text,
        by=caller.name,
        message_id=message_id,
        seconds=wait,
        question=message.question,
    )
    if outcome is None:
        return answer(Running(request_id=found.request_id, message_id=message_id), 202)
    return answer(outcome)


@router.post(
    "/v1/requests/{request_id}/cancel",
    status_code=202,
    response_class=Response,
    response_description="It was asked to end",
    responses=documented(*OF_ONE, Kind.NOT_OPEN),
)
async def cancel_request(found: Own, door: TheDoor) -> Response:
    """Ask a request to end. A write that is under way is awaited, and every receipt is kept."""
    if found.closed_at:
        raise Problem(Kind.NOT_OPEN, f"{found.request_id} has ended: {found.without_outcome or found.status}")
    await in_time(handle_of(door.client, found.request_id).cancel())
    return Response(status_code=202)


@router.post(
    "/v1/requests/{request_id}/close",
    status_code=202,
    response_class=Response,
    response_description="It takes no further message",
    responses=documented(*OF_ONE, Kind.NOT_OPEN),
)
async def close_request(found: Own, door: TheDoor) -> Response:
    """Let a request that is kept open end, once everything that was said before is answered."""
    await close(handle_of(door.client, found.request_id))
    return Response(status_code=202)
