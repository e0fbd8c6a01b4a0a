"""Signing in at an issuer: the way there, and back."""

import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from activities.errors import Unreachable
from deploy.web.callers import Caller
from deploy.web.desk.pages import SIGN_IN, page
from deploy.web.desk.sign_in import UNKNOWN, at_issuer
from deploy.web.door import Door, TheDoor
from deploy.web.problems import Kind, Problem, of_the_door, problem_of

if TYPE_CHECKING:
    from deploy.web.code_flow import Begun, CodeFlow

router = APIRouter(include_in_schema=False)
BEGIN, BACK = f"{SIGN_IN}/issuer", f"{SIGN_IN}/back"
TRIES = 10
LATE = "this sign-in was not begun in this browser, or more than ten minutes ago: sign in again"


@router.get(BEGIN)
async def begin(request: Request, door: TheDoor) -> Response:
    from deploy.web.code_flow import Begun

    flow, begun = _flow(door), Begun.new()
    for _ in range(TRIES):  # so that it takes the place of none that was begun in another tab
        if not door.sessions.has_begun(request, begun.state):
            break
        begun = Begun.new()
    page_there = await flow.where_to_begin(begun, _here(request, door))
    answer = RedirectResponse(page_there, HTTPStatus.SEE_OTHER)
    door.sessions.begin_sign_in(answer, begun.state, begun.model_dump_json())
    return answer


@router.get(BACK)
async def come_back(request: Request, door: TheDoor) -> Response:
    """The issuer has sent the browser back. Whatever it says, the sign-in is over that it speaks of; no other is."""
    begun = _begun(request, door)
    try:
        caller = await _caller(request, door, begun)
    except (Problem, Unreachable) as error:
        problem = problem_of(error)
        known = {"problem": str(problem), "at_issuer": at_issuer(door)}
        answer = page("sign_in.html", door, request, None, known, problem.kind.status)
    else:
        # Not a redirect: to a browser it would still come from the issuer's site, and bring no strict cookie along.
        answer = page("signed_in.html", door, request, caller, {})
        door.sessions.begin_by_issuer(answer, caller)
    if begun:
        door.sessions.end_sign_in(answer, begun.state)
    return answer


def _begun(request: Request, door: Door) -> "Begun | None":
    """The sign-in that was begun in this browser, and of which the issuer speaks."""
    from deploy.web.code_flow import Begun

    state = request.query_params.get("state", "")
    known = door.sessions.sign_in_of(request, state)
    begun = Begun.model_validate_json(known) if known else None
    return begun if begun and hmac.compare_digest(begun.state.encode(), state.encode()) else None


async def _caller(request: Request, door: Door, begun: "Begun | None") -> Caller:
    flow = _flow(door)
    if begun is None:
        raise Problem(Kind.ELSEWHERE, LATE)
    if wait := door.limit.take(UNKNOWN):
        raise Problem(Kind.TOO_MANY, "too many try to sign in at the issuer", again_in=wait)
    with of_the_door():
        return await flow.signed_in(begun, dict(request.query_params), _here(request, door))


def _flow(door: Door) -> "CodeFlow":
    if door.code_flow is None:
        raise Problem(Kind.NOT_FOUND, "people do not sign in at an issuer here (ERRAND_WEB_OIDC_CLIENT_ID)")
    return door.code_flow


def _here(request: Request, door: Door) -> str:
    """Where the issuer sends people back to. The name that the door is called by was checked."""
    base = door.settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    return f"{base.rstrip('/')}{BACK}"
