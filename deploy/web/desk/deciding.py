"""A person's word: on a call that waits, on a question, on a write of which nobody knows whether it happened."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import ValidationError

from activities.errors import ConfigurationError, InvalidArguments
from deploy.client.requests import handle_of, state
from deploy.web.actions import Resolution, settle
from deploy.web.answers import Reply, replied
from deploy.web.approvals import Verdict, decided, too_late
from deploy.web.desk.argument_form import Field, as_filled, edited, fields
from deploy.web.desk.deciders import why_no_yes
from deploy.web.desk.forms import Form, back_to, page_of, where_from
from deploy.web.desk.pages import page
from deploy.web.door import AnyCaller, Approver, Door, Own, Resolver, TheDoor, ToDecide
from deploy.web.problems import Kind, Problem
from deploy.web.tools import loaded
from workflows.contract.api import PendingApproval
from workflows.contract.values import sha256
from workflows.refusals import sentence

router = APIRouter(include_in_schema=False)
ARGUMENT = "argument."
"""What the names of the fields for a call's arguments begin with."""

Key = Annotated[str, Path(max_length=300)]


@router.post("/requests/{request_id}/approvals/{key}")
async def decide(key: Key, form: Form, found: ToDecide, caller: Approver, door: TheDoor) -> Response:
    said = form.get("decision")
    decision: Literal["approve", "reject"] = "approve" if said == "approve" else "reject"
    if said not in ("approve", "reject"):
        raise Problem(Kind.INVALID, "decision: expected approve or reject")
    reason = form.said("reason") if decision == "reject" else ""
    verdict = Verdict(decision=decision, digest=form.said("digest")[:200], reason=reason[:2000])
    await decided(f"{found.request_id}/{key}", verdict, found, caller, door)
    return back_to(where_from(form, found.request_id))


@router.get("/requests/{request_id}/approvals/{key}/edit")
async def get_edit(key: Key, request: Request, found: ToDecide, caller: Approver, door: TheDoor) -> Response:
    pending = await _pending(f"{found.request_id}/{key}", found.request_id, door)
    if why := why_no_yes(caller, found, pending):
        raise Problem(Kind.FORBIDDEN, why)
    known = {"found": found, "pending": pending, "fields": await _fields(pending), "position": key, "problem": ""}
    return page("edit.html", door, request, caller, known)


@router.post("/requests/{request_id}/approvals/{key}/edit")
async def edit(key: Key, form: Form, request: Request, found: ToDecide, caller: Approver, door: TheDoor) -> Response:
    """Approve the call with the arguments of the form; where one cannot be, the form is shown again."""
    whole = f"{found.request_id}/{key}"
    pending = await _pending(whole, found.request_id, door)
    if form.said("digest") != pending.digest:
        raise Problem(Kind.STALE_DIGEST, f"{whole}: it is another call by now; look at it before deciding")
    known = await _fields(pending)
    given = {name.removeprefix(ARGUMENT): text for name, text in form.items() if name.startswith(ARGUMENT)}
    try:
        arguments = edited(known, given)
        changed = None if sha256(arguments) == sha256(pending.arguments) else arguments
        verdict = Verdict(decision="approve", digest=pending.digest, arguments=changed)
        made = await decided(whole, verdict, found, caller, door)
    except (InvalidArguments, Problem) as error:
        if isinstance(error, Problem) and error.kind is not Kind.INVALID:
            raise
        filled = {"fields": as_filled(known, given), "position": key, "problem": str(error)}
        return page("edit.html", door, request, caller, {"found": found, "pending": pending, **filled}, 422)
    return back_to(page_of(found.request_id) if made.waits else where_from(form, found.request_id))


async def _pending(key: str, request_id: str, door: Door) -> PendingApproval:
    """The call, as it waits.

    Raises:
        Problem: it does not; it says who was first, where somebody has decided.
    """
    now = await state(handle_of(door.client, request_id))
    found = next((each for each in now.awaiting_approval if each.key == key), None)
    if found is None:
        raise await too_late(Problem(Kind.NOT_WAITING, f"{key}: it does not wait any more"), key, request_id, door)
    return found


async def _fields(pending: PendingApproval) -> list[Field]:
    """Of the tool's schema, where the door can load it; otherwise of the arguments alone."""
    try:
        tools = (await loaded.get()).tools
    except ConfigurationError:
        tools = []
    schema = next((each.schema for each in tools if each.name == pending.tool), None)
    return fields(schema, pending.arguments)


@router.post("/requests/{request_id}/answers/{key}")
async def answer(key: Key, form: Form, found: Own, caller: AnyCaller, door: TheDoor) -> Response:
    try:
        reply = Reply(text=form.said("text"))
    except ValidationError as invalid:
        raise Problem(Kind.INVALID, sentence(invalid, Reply)) from invalid
    await replied(found.request_id, f"{found.request_id}/{key}", reply.text, caller, door)
    return back_to(where_from(form, found.request_id))


@router.post("/actions/{key:path}/resolve")
async def resolve(key: Key, form: Form, caller: Resolver, door: TheDoor) -> Response:
    said = form.get("delivered")
    if said not in ("yes", "no"):
        raise Problem(Kind.INVALID, "delivered: expected yes or no")
    await settle(key, Resolution(delivered=said == "yes"), caller, door)
    return back_to(where_from(form, key.rpartition("/")[0]))
