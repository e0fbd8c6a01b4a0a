"""The desk's pages: what every template knows, the headers that every page has, and the files beside them."""

import gzip
import hashlib
import tomllib
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import cast

from fastapi import APIRouter, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import JsonValue
from starlette.responses import HTMLResponse, RedirectResponse

from activities.budgets import amount_text
from activities.callbacks.links import Links
from activities.model.origins import told as told_origins
from deploy.client.explanation_lines import facts
from deploy.web.callers import Caller
from deploy.web.desk.visible_text import as_text, cut, hides_something, in_one_line, shown
from deploy.web.door import Door
from deploy.web.problems import Kind, Problem
from workflows.timeline import SETTLED

HERE = Path(__file__).parent
STATIC = HERE.parent / "static"
TYPES: Mapping[str, str] = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Content-Security-Policy: no script and no style but the files beside this one."""
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    # Without it, browsers say `Origin: null` of the page's own forms.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
SIGN_IN = "/sign-in"
A_DAY = 86_400

router = APIRouter(include_in_schema=False)


class Static:
    """The files of the pages, as they go over the wire: packed, under a name that changes with what they are."""

    def __init__(self) -> None:
        files = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir()) if path.suffix in TYPES}
        self.packed = {name: gzip.compress(content, mtime=0) for name, content in files.items()}
        self.plain = files
        self.hashes = {name: b64encode(hashlib.sha256(content).digest()).decode() for name, content in files.items()}

    def integrity(self, name: str) -> str:
        return f"sha256-{self.hashes[name]}"

    def url(self, name: str) -> str:
        return f"/static/{name}?{hashlib.sha256(self.plain[name]).hexdigest()[:12]}"


@cache
def static() -> Static:
    return Static()


def vendored() -> Mapping[str, Mapping[str, str]]:
    """What others have made: by file, its package, licence and SHA-256."""
    return tomllib.loads((STATIC / "vendored.toml").read_text(encoding="utf-8"))


@router.get("/static/{name}")
async def get_static(name: str, request: Request) -> Response:
    files = static()
    if name not in files.packed:
        raise Problem(Kind.NOT_FOUND, f"there is no file {name[:100]}")
    headers = {"Cache-Control": f"public, max-age={A_DAY * 365}, immutable", "Vary": "Accept-Encoding"}
    kind = TYPES[Path(name).suffix]
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return Response(files.packed[name], headers=headers | {"Content-Encoding": "gzip"}, media_type=kind)
    return Response(files.plain[name], headers=headers, media_type=kind)


@cache
def templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Typed as the dicts of their own.
    cast("dict[str, object]", made.filters).update(
        {
            "shown": shown,
            "line": in_one_line,
            "text": as_text,
            "cut": cut,
            "time": time_of,
            "how": SETTLED.get,
            "left": left_of,
            "amount": amount_text,
        }
    )
    cast("dict[str, object]", made.tests).update({"hiding": hides_something})
    cast("dict[str, object]", made.globals).update(
        {"static": static(), "is_mail": is_mail, "files_in": files_in, "told": told_origins, "facts": facts}
    )
    return made


def page(
    template: str, door: Door, request: Request, caller: Caller | None, known: Mapping[str, object], status: int = 200
) -> HTMLResponse:
    """A whole page for this caller."""
    text = templates().get_template(template).render(**common(door, request, caller), **known)
    return HTMLResponse(text, status, HEADERS)


def common(door: Door, request: Request, caller: Caller | None) -> dict[str, object]:
    """What every template is given."""
    links = Links(None, door.service.worker.ui_url, door.client.namespace)
    signed_in = door.sessions.cookie in request.cookies
    return {"caller": caller, "signed_in": signed_in, "token": door.sessions.token(request), "ui": links.to}


def told(request: Request, door: Door, problem: Problem) -> Response:
    """A problem, for whoever looks at a page."""
    if problem.kind is Kind.NOT_AUTHENTICATED and request.method == "GET":
        return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
    answer = page("problem.html", door, request, None, {"problem": problem.details()}, problem.kind.status)
    answer.headers.update(problem.headers)
    return answer


def is_for_a_reader(request: Request) -> bool:
    """Whether a page is answered with, and not JSON."""
    path = request.url.path
    return not path.startswith(("/v1/", "/static/", "/openapi")) and "text/html" in request.headers.get("Accept", "")


def is_mail(arguments: Mapping[str, JsonValue]) -> bool:
    return "to" in arguments and isinstance(arguments.get("subject"), str) and isinstance(arguments.get("body"), str)


def files_in(value: JsonValue) -> list[tuple[str, str]]:
    """The name and the content of each, where an argument is files and nothing else."""
    files = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    named = [(each.get("name"), each.get("content")) for each in files if each.keys() == {"name", "content"}]
    found = [(name, text) for name, text in named if isinstance(name, str) and isinstance(text, str)]
    return found if isinstance(value, list) and len(found) == len(value) else []


def time_of(moment: datetime) -> str:
    return f"{moment:%d %b %Y %H:%M:%S} {moment.tzname() or ''}".strip()


def left_of(moment: datetime) -> str:
    """How much time is left until then."""
    minutes = int((moment - datetime.now(UTC)).total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return f"{minutes} minutes"
    hours = minutes // 60
    return f"{hours} hours" if hours < 72 else f"{hours // 24} days"
