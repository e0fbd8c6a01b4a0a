"""An error under status 200 is an error, and known for one that asking again may help against, or for another."""

import json
from typing import Any

import pytest

from activities.errors import ErrandError, ModelRefused, ModelUnavailable
from activities.model.wire.replies import read

MAY_PASS = [
    pytest.param({"error": {"message": "busy!", "code": 503}}, id="a server error"),
    pytest.param({"error": {"message": "busy!", "code": 429}}, id="too many requests"),
    pytest.param({"error": {"message": "busy!", "code": "429"}}, id="too many requests, as text"),
    pytest.param({"error": {"message": "busy!", "code": "rate_limit_exceeded", "type": "tokens"}}, id="in words"),
    pytest.param({"error": {"message": "busy!", "code": 408}}, id="time-out"),
    pytest.param({"error": {"message": "busy!", "code": None}}, id="no code"),
    pytest.param({"error": {"message": "busy!", "code": "oops"}}, id="an unknown code"),
    pytest.param({"error": {"message": "busy!", "code": 1305}}, id="a code of the endpoint's own"),
    pytest.param({"error": {"message": "busy!", "code": 500, "type": "invalid_request_error"}}, id="a code and a name"),
    pytest.param(
        {"error": {"message": "busy!", "type": "invalid_request_error", "code": "tool_use_failed"}}, id="Groq"
    ),
    pytest.param({"type": "error", "error": {"type": "overloaded_error", "message": "busy!"}}, id="Anthropic"),
    pytest.param({"error": {"code": 429, "message": "busy!", "status": "RESOURCE_EXHAUSTED"}}, id="Gemini"),
    pytest.param([{"error": {"code": 503, "message": "busy!", "status": "UNAVAILABLE"}}], id="Gemini, in a list"),
    pytest.param({"error": "busy!"}, id="text"),
    pytest.param({"error": ["busy!"]}, id="a list"),
    pytest.param({"error": {"reason": "busy!"}}, id="no message"),
    pytest.param({"error": {"message": {"text": "busy!"}}}, id="a message that is no text"),
    pytest.param({"error": True, "message": "busy!"}, id="true"),
    pytest.param({"error": "busy!", "error_type": "overloaded"}, id="TGI"),
    pytest.param({"object": "error", "message": "busy!", "type": "InternalServerError", "code": 500}, id="vLLM"),
    pytest.param({"detail": "busy!"}, id="FastAPI"),
    pytest.param({"choices": [], "error": {"message": "busy!"}}, id="beside no choices"),
    pytest.param({"choices": None, "error": {"message": "busy!"}}, id="beside choices null"),
    pytest.param({"error": "busy!", "choices": [{"message": {"content": "Sun"}}]}, id="beside an answer"),
    pytest.param({"choices": [{"finish_reason": "error", "error": {"code": 502, "message": "busy!"}}]}, id="choice"),
]
STAYS = [
    pytest.param({"error": {"message": "bad!", "code": 401}}, id="unauthorized"),
    pytest.param({"error": {"message": "bad!", "code": "404"}}, id="not found, as text"),
    pytest.param({"error": {"message": "bad!", "status": 400}}, id="status instead of code"),
    pytest.param({"error": {"message": "bad!", "code": "context_length_exceeded"}}, id="too long"),
    pytest.param({"error": {"message": "bad!", "code": None, "type": "invalid_request_error"}}, id="only a type"),
    pytest.param({"error": {"message": "bad!", "code": "insufficient_quota"}}, id="quota"),
    pytest.param({"error": {"message": "bad!", "code": 429, "type": "insufficient_quota"}}, id="quota, as 429"),
    pytest.param({"error": "bad!", "code": 400}, id="text and a code"),
    pytest.param({"error": "bad!", "error_type": "validation"}, id="TGI"),
    pytest.param({"object": "error", "message": "bad!", "type": "BadRequestError", "code": 400}, id="vLLM"),
    pytest.param({"object": "error", "message": "bad!", "type": "BadRequestError"}, id="vLLM without a code"),
    pytest.param({"detail": [{"loc": ["body"], "msg": "bad!"}], "status": 422}, id="FastAPI"),
    pytest.param({"choices": [{"error": {"code": 403, "message": "bad!"}}]}, id="in a choice"),
]


def error_of(body: Any) -> ErrandError:
    with pytest.raises(ErrandError) as raised:
        read(json.dumps(body))
    return raised.value


@pytest.mark.parametrize("body", MAY_PASS)
def test_an_error_that_may_pass_is_asked_again(body: Any) -> None:
    error = error_of(body)
    assert type(error) is ModelUnavailable
    assert "busy!" in str(error)


@pytest.mark.parametrize("body", STAYS)
def test_an_error_that_stays_is_final(body: Any) -> None:
    error = error_of(body)
    assert type(error) is ModelRefused
    assert "bad!" in str(error)


def test_an_error_quotes_no_more_than_the_beginning() -> None:
    assert len(str(error_of({"error": {"message": "x" * 100_000}}))) < 600


@pytest.mark.parametrize("nothing", [None, "", {}, [], False, 0])
def test_an_error_that_is_empty_is_none(nothing: Any) -> None:
    assert read(json.dumps({"error": nothing, "choices": [{"message": {"content": "Sunny."}}]})).text == "Sunny."
