"""Answers to the questions that a model has."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from deploy.client.conversations import say
from deploy.web import examples
from deploy.web.callers import Caller
from deploy.web.door import OF_ONE, WITH_BODY, AnyCaller, Door, Own, StrictRoute, TheDoor, answer, in_time, own_word
from deploy.web.idempotency import NOT_BLANK
from deploy.web.problems import Kind, documented
from workflows.contract.messages import Input
from workflows.contract.values import sha256

router = APIRouter(tags=["requests"], route_class=StrictRoute)


class Reply(Input):
    """The answer to a question of the model's."""

    text: str = Field(min_length=1, max_length=20_000, json_schema_extra=NOT_BLANK)
    by: str | None = Field(default=None, max_length=200, description="who answers: whoever calls, and nobody else")


class Answered(BaseModel):
    """The question has its answer, and the request goes on."""

    model_config = ConfigDict(frozen=True)

    key: str
    by: str


@router.post(
    "/v1/requests/{request_id}/answers/{key:path}",
    response_model=Answered,
    responses={
        200: {"content": {"application/json": {"example": examples.ANSWERED}}},
        **documented(*OF_ONE, *WITH_BODY, Kind.NOT_OPEN),
    },
)
async def answer_question(
    key: Annotated[
        str, Path(max_length=300, description="of the question: whole, or the part behind the id", examples=["1.1"])
    ],
    reply: Annotated[Reply, Body(openapi_examples=examples.REPLIES)],
    found: Own,
    caller: AnyCaller,
    door: TheDoor,
) -> Response:
    """Answer a question of the model's that waits. The same answer again is the same answer."""
    own_word("by", reply.by, caller)
    whole = key if "/" in key else f"{found.request_id}/{key}"
    await replied(found.request_id, whole, reply.text, caller, door)
    return answer(Answered(key=whole, by=caller.name))


async def replied(request_id: str, key: str, text: str, caller: Caller, door: Door) -> None:
    """Give the request the caller's answer.

    Raises:
        NotOpen: it does not wait, or not any more.
    """
    message_id = sha256(["answer", key, text, caller.name])[:32]
    await in_time(say(door.client, request_id, text, by=caller.name, message_id=message_id, question=key))
