"""What goes wrong, as problem details (RFC 9457): one translation of the error tree, of Temporal's errors, and of what
is wrong with a call."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import (
    BadRequest,
    ConfigurationError,
    ErrandError,
    InvalidArguments,
    NotOpen,
    ServiceUnavailable,
    Unreachable,
)
from activities.redaction import redacted
from deploy.client.conversations import TakenMessage
from deploy.client.payloads import reason
from deploy.client.requests import TakenId
from deploy.client.schedule_runs import BackfillUnderWay
from deploy.client.schedules import NoSchedule, TakenScheduleId
from workflows.contract.messages import Input
from workflows.refusals import sentence_of

MEDIA_TYPE = "application/problem+json"
AGAIN_IN = 5
"""Seconds until a call is worth making again when Temporal or a worker is away."""


class Kind(Enum):
    """Every problem there is: the end of its `type`, the status, and what it is called."""

    UNREADABLE = ("unreadable", 400, "The call cannot be read")
    NO_KEY = ("idempotency-key-missing", 400, "The call does not say which request it is")
    NOT_AUTHENTICATED = ("not-authenticated", 401, "Nobody knows who calls")
    FORBIDDEN = ("forbidden", 403, "The caller may not do this")
    ELSEWHERE = ("cross-site", 403, "The call comes from another site")
    NOT_FOUND = ("not-found", 404, "There is no such thing")
    NOT_ALLOWED = ("method-not-allowed", 405, "This cannot be done with it")
    TAKEN_ID = ("id-taken", 409, "The id belongs to something else")
    NOT_OPEN = ("not-open", 409, "It is over")
    NOT_WAITING = ("not-waiting", 409, "The call does not wait any more")
    STALE_DIGEST = ("stale-digest", 409, "It is another one than was shown")
    TOO_LARGE = ("too-large", 413, "The body is too large")
    NOT_JSON = ("not-json", 415, "The body is no JSON")
    WRONG_HOST = ("wrong-host", 421, "The door is not called that")
    INVALID = ("invalid", 422, "The call asks for what cannot be")
    KEY_REUSED = ("idempotency-key-reused", 422, "The key belongs to another call")
    TOO_MANY = ("too-many", 429, "Too many calls")
    MISTAKE = ("mistake", 500, "A mistake in Errand")
    UNAVAILABLE = ("unavailable", 503, "Nobody answers now")

    def __init__(self, name: str, status: int, title: str) -> None:
        self.type = f"urn:errand:problem:{name}"
        self.status = status
        self.title = title


class ProblemDetails(BaseModel):
    """RFC 9457. `type` is stable; `detail` is for people."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(examples=[Kind.NOT_FOUND.type])
    title: str
    status: int
    detail: str
    decided_by: str | None = Field(default=None, description="who was first, where a call was decided before")


class Problem(Exception):
    """A call that cannot be answered as was hoped."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        decided_by: str | None = None,
        again_in: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.headers = {**(headers or {})}
        if again_in is not None:
            self.headers["Retry-After"] = str(max(1, round(again_in)))
        self.decided_by = decided_by

    def details(self) -> ProblemDetails:
        kind = self.kind
        return ProblemDetails(
            type=kind.type,
            title=kind.title,
            status=kind.status,
            detail=redacted(str(self)),
            decided_by=self.decided_by,
        )

    def response(self) -> Response:
        body = self.details().model_dump_json(exclude_none=True)
        return Response(body, self.kind.status, self.headers, MEDIA_TYPE)


@contextmanager
def of_the_door() -> Generator[None]:
    """What is wrong within the block with the door's own settings is none of the caller's doing."""
    try:
        yield
    except ConfigurationError as error:
        raise Problem(Kind.UNAVAILABLE, str(error), again_in=60) from error


def no_such_request(request_id: str) -> Problem:
    """Also where there is one that this caller may not see."""
    return Problem(Kind.NOT_FOUND, f"there is no request {request_id}")


def problem_of(error: Exception) -> Problem:
    """The one translation. What is not foreseen is a mistake of ours, of which the caller is told no more."""
    match error:
        case Problem():
            return error
        case TakenId() | TakenScheduleId():
            return Problem(Kind.TAKEN_ID, str(error))
        case TakenMessage():
            return Problem(Kind.KEY_REUSED, str(error))
        case NoSchedule():
            return Problem(Kind.NOT_FOUND, str(error))
        case NotOpen():
            return Problem(Kind.NOT_OPEN, str(error))
        case Unreachable() | ServiceUnavailable():
            return Problem(Kind.UNAVAILABLE, str(error), again_in=AGAIN_IN)
        case BackfillUnderWay():
            return Problem(Kind.NOT_OPEN, str(error))
        case ConfigurationError() | InvalidArguments() | BadRequest():
            return Problem(Kind.INVALID, str(error))
        case WorkflowUpdateRPCTimeoutOrCancelledError():
            late = "no worker took it in time; it may still arrive: make the same call again"
            return Problem(Kind.UNAVAILABLE, late, again_in=AGAIN_IN)
        case TimeoutError():
            late = "neither Temporal nor a worker of the request's version answered in time; make the same call again"
            return Problem(Kind.UNAVAILABLE, late, again_in=AGAIN_IN)
        case WorkflowUpdateFailedError():
            return _refused(error)
        case RPCError():
            return _not_answered(error)
        case ErrandError():
            return Problem(Kind.INVALID, str(error))
        case _:
            return Problem(Kind.MISTAKE, "the log of the door has the rest")


REFUSALS: Mapping[str | None, Kind] = {
    "NotWaiting": Kind.NOT_WAITING,
    "DigestMismatch": Kind.STALE_DIGEST,
    "OwnRequest": Kind.FORBIDDEN,
    "NotAnApprover": Kind.FORBIDDEN,
    "InvalidArguments": Kind.INVALID,
    "BadRequest": Kind.INVALID,
    "NotOpen": Kind.NOT_OPEN,
    "AnsweredBefore": Kind.NOT_OPEN,
}
"""What a request answers an Update with that it does not take."""


def _refused(error: WorkflowUpdateFailedError) -> Problem:
    cause = error.cause
    if not isinstance(cause, ApplicationError):
        return Problem(Kind.NOT_OPEN, reason(error))
    if cause.type in ("Busy", "Moved"):
        return Problem(Kind.TOO_MANY, cause.message, again_in=1)
    decided_by = next(iter(cause.details), None)
    return Problem(
        REFUSALS.get(cause.type, Kind.NOT_OPEN),
        cause.message,
        decided_by=decided_by if isinstance(decided_by, str) else None,
    )


def _not_answered(error: RPCError) -> Problem:
    match error.status:
        case RPCStatusCode.NOT_FOUND if "already completed" in error.message or "closing workflow" in error.message:
            return Problem(Kind.NOT_OPEN, "the request has ended")
        case RPCStatusCode.NOT_FOUND:
            return Problem(Kind.NOT_FOUND, error.message.replace("workflow not found for ID: ", "there is no request "))
        case RPCStatusCode.INVALID_ARGUMENT:
            return Problem(Kind.INVALID, error.message)
        case _:
            return Problem(Kind.UNAVAILABLE, f"Temporal does not answer: {error.message}", again_in=AGAIN_IN)


def unreadable(error: RequestValidationError, kind: type[BaseModel]) -> Problem:
    """What is wrong with a call's parameters or body, in one sentence that quotes no more than the wrong value."""
    errors: Sequence[ErrorDetails] = error.errors()
    placed = [{**each, "loc": _without_place(each["loc"])} for each in errors]
    if any(each["type"] == "json_invalid" for each in errors):
        return Problem(
            Kind.UNREADABLE,
            f"the body is not JSON that can be read in one way: {errors[0].get('ctx', {}).get('error', '')}",
        )
    if any(each["type"] == "missing" and each["loc"] == ("body",) for each in errors):
        return Problem(Kind.UNREADABLE, "there is no body: expected one in JSON")
    in_body = any(each["loc"][0] == "body" for each in errors)
    return Problem(Kind.INVALID, sentence_of(placed, kind if in_body else Input))  # pyright: ignore[reportArgumentType]  # the same fields


def _without_place(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Where a value stands, without "body" or "query" in front."""
    return loc[1:]


def http_problem(error: HTTPException, allowed: str = "") -> Problem:
    """What the framework itself refuses.

    Args:
        error: says what.
        allowed: the methods that the path takes.
    """
    headers = error.headers
    match error.status_code:
        case 404:
            return Problem(
                Kind.NOT_FOUND, "there is nothing at this path; /openapi.json lists what there is", headers=headers
            )
        case 405:
            said = f"this path takes {allowed}" if allowed else "this path takes other methods"
            return Problem(Kind.NOT_ALLOWED, said, headers={"Allow": allowed} if allowed else headers)
        case status if status >= 500:
            return Problem(Kind.MISTAKE, str(error.detail), headers=headers)
        case _:
            return Problem(Kind.UNREADABLE, str(error.detail), headers=headers)


def documented(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of the problems that an operation may answer with."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        entry = by_status.setdefault(
            kind.status,
            {
                "description": kind.title,
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}, "examples": {}}},
            },
        )
        example = Problem(kind, f"{kind.title}.").details().model_dump(exclude_none=True)
        entry["content"][MEDIA_TYPE]["examples"][kind.type.rpartition(":")[2]] = {"value": example}
    return by_status


def body_of(request: Request) -> type[BaseModel]:
    """What the operation that is called takes as its body."""
    field = getattr(request.scope.get("route"), "body_field", None)
    kind = getattr(getattr(field, "field_info", None), "annotation", None)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else Input
