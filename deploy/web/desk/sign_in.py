"""Signing in with a key, and out again."""

from fastapi import APIRouter, Request, Response

from deploy.web.callers import not_authenticated
from deploy.web.desk.forms import Form, back_to
from deploy.web.desk.pages import SIGN_IN, page
from deploy.web.door import Door, TheDoor
from deploy.web.problems import Kind, Problem, of_the_door

router = APIRouter(include_in_schema=False)
UNKNOWN = "sign-in"
"""Under which tries with keys that there are not are counted together."""


@router.get(SIGN_IN)
async def get_sign_in(request: Request, door: TheDoor) -> Response:
    return page("sign_in.html", door, request, None, {"problem": "", "at_issuer": at_issuer(door)})


@router.post(SIGN_IN)
async def sign_in(form: Form, request: Request, door: TheDoor) -> Response:
    with of_the_door():
        key = door.keys.key_of(form.said("key"))
    if key is None:
        if wait := door.limit.take(UNKNOWN):
            raise Problem(Kind.TOO_MANY, "too many tries with keys that there are not", again_in=wait)
        problem = not_authenticated("there is no such key, or not any more")
        known = {"problem": str(problem), "at_issuer": at_issuer(door)}
        return page("sign_in.html", door, request, None, known, problem.kind.status)
    answer = back_to("/")
    door.sessions.begin(answer, key)
    return answer


@router.post("/sign-out")
async def sign_out(form: Form, door: TheDoor) -> Response:
    answer = back_to(SIGN_IN)
    door.sessions.end(answer)
    return answer


def at_issuer(door: Door) -> str | None:
    """The issuer at which people sign in too, where there is one."""
    return door.settings.oidc_issuer if door.code_flow else None
