"""Asking for something: a new request, a further message, the end of one."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from pydantic import ValidationError

from deploy.client.conversations import close, say_within
from deploy.client.requests import handle_of
from deploy.web.desk.forms import Form, back_to, page_of
from deploy.web.door import AnyCaller, Own, Submitter, TheDoor, in_time
from deploy.web.idempotency import Submission, own_prefix
from deploy.web.messages import Message
from deploy.web.problems import Kind, Problem
from deploy.web.requests import started
from workflows.refusals import sentence

router = APIRouter(include_in_schema=False)


@router.post("/requests")
async def submit(form: Form, caller: Submitter, door: TheDoor) -> Response:
    """Start a request. The form brings its id along, so that a second click is the same request."""
    try:
        submission = Submission(text=form.said("text"), keep_open="keep_open" in form, rehearse="rehearse" in form)
    except ValidationError as invalid:
        raise Problem(Kind.INVALID, sentence(invalid, Submission)) from invalid
    request_id = own_prefix(caller) + form.said("request_id")
    await started(submission, request_id, caller, door)
    return back_to(page_of(request_id))


@router.post("/requests/{request_id}/messages")
async def say(form: Form, found: Own, caller: AnyCaller, door: TheDoor) -> Response:
    try:
        message = Message(text=form.said("text"), message_id=form.said("message_id"))
    except ValidationError as invalid:
        raise Problem(Kind.INVALID, sentence(invalid, Message)) from invalid
    message_id = message.message_id or ""
    await say_within(door.client, found.request_id, message.text, by=caller.name, message_id=message_id, seconds=0)
    return back_to(page_of(found.request_id))


@router.post("/requests/{request_id}/cancel", status_code=HTTPStatus.SEE_OTHER)
async def cancel(_: Form, found: Own, door: TheDoor) -> Response:
    await in_time(handle_of(door.client, found.request_id).cancel())
    return back_to(page_of(found.request_id))


@router.post("/requests/{request_id}/close", status_code=HTTPStatus.SEE_OTHER)
async def close_request(_: Form, found: Own, door: TheDoor) -> Response:
    await close(handle_of(door.client, found.request_id))
    return back_to(page_of(found.request_id))
