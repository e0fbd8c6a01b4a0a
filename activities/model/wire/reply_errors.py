"""Errors that an endpoint reports under status 200, in whichever of many shapes. Pure functions on parsed JSON.

    {"error": {"message": …, "code": …, "type": …}}     OpenAI, OpenRouter (also inside of a choice), Gemini
    [{"error": {…}}]                                    Gemini
    {"error": "…", "error_type": "validation"}          TGI; Ollama without the type
    {"object": "error", "message": …, "code": …}        vLLM
    {"detail": "…" or [{"loc": …, "msg": …}]}           anything on FastAPI

A status of HTTP among its codes says whether asking again can help; without one, the name of the error does.
"""

import re
from http import HTTPStatus

from pydantic import JsonValue
from pydantic_core import to_json

from activities.errors import ModelRefused, ModelUnavailable
from activities.lenient_json import Object, is_object, one_line

OUT_OF_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached"})

_RETRYABLE = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)

_FOR_GOOD = frozenset(
    {
        "authentication_error",
        "badrequesterror",
        "content_filter",
        "content_policy_violation",
        "context_length_exceeded",
        "invalid_api_key",
        "invalid_request_error",
        "model_not_found",
        "not_found_error",
        "permission_error",
        "validation",
    }
)
"""What errors without a status are called that stay the same however often one asks, in lower case."""


def raise_error_in(reply: JsonValue) -> None:
    """Raise the error that a completion, or a choice of it, is instead.

    Raises:
        ModelRefused: it would be the same however often one asks.
        ModelUnavailable: any other.
    """
    error = error_in(reply)
    if error is None:
        return
    told = error.get("message") or error.get("detail") or error
    words = told if isinstance(told, str) else to_json(told).decode()
    message = f"the model's endpoint answered with an error: {one_line(words)}"
    raise ModelRefused(message) if _is_for_good(error) else ModelUnavailable(message)


def error_in(reply: JsonValue) -> Object | None:
    """The error that a completion, a choice of it, or an event is instead; all of its fields on one level."""
    if isinstance(reply, list) and len(reply) == 1:
        reply = reply[0]
    if not is_object(reply):
        return None
    error = reply.get("error")
    if is_object(error) and error:
        return {**reply, **error}
    if error:
        return reply if error is True else {**reply, "message": error}
    is_one = reply.get("object") == "error" or ("detail" in reply and "choices" not in reply)
    return reply if is_one else None


def _is_for_good(error: Object) -> bool:
    named = [str(error.get(field)).casefold() for field in ("code", "status", "type", "error_type")]
    if not OUT_OF_MONEY.isdisjoint(named):
        return True
    if "tool_use_failed" in named:  # Groq's, of calls that it could not read: the next ones may be better
        return False
    status = next((int(each) for each in named if re.fullmatch("[45][0-9][0-9]", each)), None)
    if status:
        return status < 500 and status not in _RETRYABLE
    return not _FOR_GOOD.isdisjoint(named)
