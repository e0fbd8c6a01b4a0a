"""Which request a call means: what makes the same call again the same request, or the same message."""

import base64
import hashlib
from typing import Annotated

from fastapi import Header
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from deploy.client.keys import NAME, Right
from deploy.client.requests import TakenId
from deploy.web.callers import Caller
from deploy.web.problems import Kind, Problem
from workflows.contract.api import Request
from workflows.contract.plans import APPLIED
from workflows.refusals import REQUEST_ID, problem_with_id

AN_ID = f"^{REQUEST_ID.pattern}$"

IdempotencyKey = Annotated[
    str | None,
    Header(
        description="what makes the same call again the same request (draft-ietf-httpapi-idempotency-key-header); "
        "of one caller, so that others may use the same. In place of it the body may have the id: one of the two has "
        "to be said, and not both",
        examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
        json_schema_extra={"anyOf": [{"type": "string", "pattern": AN_ID}, {"type": "null"}]},
    ),
]


NOTHING: JsonDict = {"type": "null"}
NOT_BLANK: JsonDict = {"type": "string", "pattern": "\\S"}
NO: JsonDict = {"const": False}
A_CALL: JsonDict = {"required": ["call"], "properties": {"call": {"type": "object"}}}
"""Conditions, and no alternatives: of those, generators of clients make types that lack the other fields."""


class Submission(Request):
    """A request, and optionally its id. It has one here, or the call has the header Idempotency-Key: one of the two."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": A_CALL,
            "then": {"properties": {"apply": NOTHING, "keep_open": NO, "output_schema": NOTHING}},
            "else": {
                "if": {"required": ["keep_open"], "properties": {"keep_open": {"const": True}}},
                "then": {"properties": {"apply": NOTHING, "rehearse": NO}},
                "else": {"required": ["text"], "properties": {"text": NOT_BLANK, "apply": NOTHING}},
            },
        }
    )

    request_id: str | None = Field(
        default=None,
        description="its id, in place of the header Idempotency-Key: one of the two has to be said, and not both",
        json_schema_extra={"anyOf": [{"type": "string", "pattern": AN_ID}, {"type": "null"}]},
    )


def request_id_of(submission: Submission, key: str | None, caller: Caller) -> str:
    """The request's id: as it was given, or made of the caller's name and their key.

    Raises:
        Problem: it is not clear which, it belongs to another caller's keys, or a plan is to be applied under it.
    """
    given = the_one("request_id", submission.request_id, key)
    if given.endswith(APPLIED) and submission.apply is None:
        raise Problem(Kind.INVALID, f"request_id: ids that end in {APPLIED} are those of requests that apply a plan")
    if submission.request_id is None:
        return own_prefix(caller) + given
    must_be_own_id("request_id", given, caller)
    return given


def own_prefix(caller: Caller) -> str:
    """What the ids of a caller's keys begin with."""
    return f"{_as_id(caller.name)}:"


def must_be_own_id(field: str, given: str, caller: Caller) -> None:
    """Refuse an id of another caller's keys.

    Raises:
        Problem: it is one.
    """
    if ":" in given and not given.startswith(own_prefix(caller)) and not caller.may(Right.ADMIN):
        whose = given.partition(":")[0]
        raise Problem(Kind.FORBIDDEN, f"{field}: ids that begin with {whose}: are those of {whose}'s keys")


def the_one(field: str, given: str | None, key: str | None) -> str:
    """What a call is known by: a field of its body, or the header.

    Raises:
        Problem: it is neither, or both, or cannot be an id.
    """
    key = key.strip().strip('"') if key is not None else None
    match given, key:
        case None, None:
            how = f"say the header Idempotency-Key, or {field} in the body: then the same call again does nothing twice"
            raise Problem(Kind.NO_KEY, how)
        case str(), str():
            raise Problem(Kind.INVALID, f"{field} and the header Idempotency-Key: give one of them")
        case _:
            name, value = (field, given) if given is not None else ("the header Idempotency-Key", key)
    assert value is not None, "one of them is there"
    if problem := problem_with_id(value, name):
        raise Problem(Kind.INVALID, problem)
    return value


def _as_id(name: str) -> str:
    """A caller's name, as it can stand in an id in front of a colon."""
    if NAME.fullmatch(name):
        return name
    return f"u-{base64.b32encode(hashlib.sha256(name.encode()).digest()[:10]).decode().lower()}"


def taken_problem(taken: TakenId, key: str | None) -> Problem:
    if not taken.fields or "requester" in taken.fields:
        return Problem(Kind.TAKEN_ID, f"{taken.request_id} is taken; use another id")
    differs = " and ".join(sorted(taken.fields))
    if key is None:
        return Problem(Kind.TAKEN_ID, str(taken))
    return Problem(Kind.KEY_REUSED, f"Idempotency-Key: it was used for a request that differs in {differs}")
