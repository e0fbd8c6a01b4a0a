"""The door, put together: its operations, who may call them, and what it answers when something goes wrong."""

import getpass
from typing import TYPE_CHECKING

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from temporalio.client import Client
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError

from activities.errors import ErrandError
from activities.settings import Settings
from deploy.web import actions, answers, approvals, events, health, messages, plans, requests, schedules, tools
from deploy.web.callers import Callers, Way, as_the_local_user, by_key, must_be_closed
from deploy.web.desk import (
    deciding,
    explaining,
    issuer_sign_in,
    pages,
    planning,
    reading,
    sign_in,
    submitting,
    timetables,
)
from deploy.web.desk.sessions import Sessions, by_session, secret_beside
from deploy.web.document import completed
from deploy.web.door import Door
from deploy.web.event_stream import StreamLimit
from deploy.web.guard import Guard
from deploy.web.keys import Keys
from deploy.web.problems import Problem, body_of, http_problem, problem_of, unreadable
from deploy.web.rate_limit import RateLimit
from deploy.web.settings import WebSettings

if TYPE_CHECKING:
    from deploy.web.code_flow import CodeFlow

log = structlog.stdlib.get_logger("errand")

ROUTERS = (
    requests.router,
    events.router,
    messages.router,
    answers.router,
    approvals.router,
    plans.router,
    schedules.router,
    actions.router,
    tools.router,
    health.router,
)

DESK = (
    pages.router,
    sign_in.router,
    issuer_sign_in.router,
    reading.router,
    explaining.router,
    deciding.router,
    submitting.router,
    planning.router,
    timetables.router,
)
"""What people look at."""

DESCRIPTION = """Say in plain words what should happen; get receipts.

Every error is a problem (RFC 9457, `application/problem+json`) with a stable `type`. Times are RFC 3339."""


def application(client: Client, settings: WebSettings, service: Settings) -> FastAPI:
    """The door over one connection to Temporal.

    Raises:
        ConfigurationError: nobody could call it, or anybody.
    """
    app = FastAPI(
        title="Errand",
        version="1",
        summary="Requests in plain words, with receipts",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        generate_unique_id_function=_operation_id,
    )
    keys, secret = Keys(settings.keys), secret_beside(settings.keys)
    sessions = Sessions(secret, settings.url.startswith("https:"), f"{settings.oidc_issuer} {settings.oidc_client_id}")
    tokens, code_flow = _issuer(settings, keys)
    callers = callers_of(settings, keys, sessions, tokens)
    limit, streams = RateLimit(settings.rate_limit), StreamLimit(settings.event_streams)
    app.state.door = Door(settings, service, client, callers, limit, streams, keys, sessions, code_flow)
    for router in (*ROUTERS, *DESK):
        app.include_router(router)
    for kind in (ErrandError, RPCError, TemporalError, TimeoutError, Problem):
        app.add_exception_handler(kind, _refuse)
    app.add_exception_handler(HTTPException, _refuse_http)
    app.add_exception_handler(RequestValidationError, _refuse_unreadable)
    app.add_exception_handler(Exception, _mistake)
    completed(app)
    app.add_middleware(Guard, names=settings.names, largest_body=settings.largest_body)
    return app


def _operation_id(route: APIRoute) -> str:
    """What clients that are generated from the document call an operation: `submit`, not `submit_v1_requests_post`."""
    return route.name


def _issuer(settings: WebSettings, keys: Keys) -> "tuple[Way | None, CodeFlow | None]":
    """How the issuer's tokens are taken, and how people sign in there; where there is one."""
    if not settings.oidc_issuer:
        return None, None
    from deploy.service.issuer import Issuer
    from deploy.web.code_flow import CodeFlow
    from deploy.web.oidc import by_token

    issuer = Issuer(settings.oidc_issuer)
    code_flow = CodeFlow(settings, issuer, keys) if settings.oidc_client_id else None
    return by_token(settings, keys, issuer), code_flow


def callers_of(settings: WebSettings, keys: Keys, sessions: Sessions, tokens: Way | None) -> Callers:
    """Who is let in.

    Raises:
        ConfigurationError: nobody would be, or anybody.
    """
    ways: list[Way] = [by_key(keys)]
    if tokens:
        ways.append(tokens)
    ways.append(by_session(sessions, keys))
    if not must_be_closed(settings, keys):
        name = _login_name()
        log.warning("no key is there: whoever calls on this machine is let in", as_user=name, keys=str(settings.keys))
        ways.append(as_the_local_user(keys, name))
    return Callers(ways)


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "local"


async def _refuse(request: Request, error: Exception) -> Response:
    return _told(request, problem_of(error))


async def _refuse_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _told(request, http_problem(error, _allowed(request)))


def _allowed(request: Request) -> str:
    """The methods that a path takes: each is a route of its own, and the framework names those of the first alone."""
    every = (*request.app.routes, *(route for router in (*ROUTERS, *DESK) for route in router.routes))
    routes = [each for each in every if isinstance(each, Route) and each.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in routes for method in route.methods or ()}))


async def _refuse_unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _told(request, unreadable(error, body_of(request)))


def _told(request: Request, problem: Problem) -> Response:
    """As JSON for programs, and as a page for whoever looks at one."""
    if pages.is_for_a_reader(request):
        return pages.told(request, request.app.state.door, problem)
    return problem.response()


async def _mistake(request: Request, error: Exception) -> Response:
    log.error("a call failed by a mistake in code", method=request.method, path=request.url.path, exc_info=error)
    return _told(request, problem_of(error))
