"""One question is one HTTP request, and every way in which it can fail is an error of the tree."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from activities.endpoint import Endpoint
from activities.errors import ConfigurationError, ErrandError, ModelRefused, ModelUnavailable
from activities.settings import Settings
from tests.scripted_model import Raw, ScriptedModel

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
TOOL: ChatCompletionToolParam = {"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}


@asynccontextmanager
async def endpoint(url: str | None, **settings: Any) -> AsyncGenerator[Endpoint]:
    values = {"openai_model": "tiny", "openai_base_url": url, "model_timeout": 5.0} | settings
    found = Endpoint.from_settings(Settings.model_validate(values))
    try:
        yield found
    finally:
        await found.aclose()


async def ask(url: str, *tools: ChatCompletionToolParam, **settings: Any) -> str:
    async with endpoint(url, **settings) as found:
        return await found.ask(HELLO, tools)


async def error_of(model: ScriptedModel, reply: Raw) -> ErrandError:
    """What a reply is turned into, after exactly one request."""
    model.trouble.append(reply)
    with pytest.raises(ErrandError) as raised:
        await ask(model.url)
    assert len(model.asked) == 1
    return raised.value


def error(message: Any = "no", code: Any = None) -> str:
    return json.dumps({"error": {"message": message, "type": "some_error", "param": None, "code": code}})


class TestAsking:
    async def test_the_body_of_the_reply_comes_back_as_it_is(self, model: ScriptedModel) -> None:
        for body in ('{"choices": []}', "", "<html>", "null", "[1]", '{"a": NaN', "ä😀"):
            model.trouble.append(Raw(200, body))
            assert await ask(model.url) == body

    async def test_a_question_has_the_model_the_messages_and_the_tools(self, model: ScriptedModel) -> None:
        model.trouble.append(Raw(200, "{}"))
        await ask(model.url, TOOL, model_max_tokens=77)
        assert model.asked == [{"model": "tiny", "messages": HELLO, "tools": [TOOL], "max_completion_tokens": 77}]

    async def test_what_is_not_set_is_not_sent(self, model: ScriptedModel) -> None:
        model.trouble.append(Raw(200, "{}"))
        await ask(model.url)
        assert model.asked == [{"model": "tiny", "messages": HELLO}]


class TestErrors:
    @pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
    async def test_what_may_pass_is_unavailable_and_was_asked_once(self, model: ScriptedModel, status: int) -> None:
        found = await error_of(model, Raw(status, error("busy")))
        assert type(found) is ModelUnavailable
        assert f"model tiny at {model.url}/ answered {status}: " in str(found)
        assert "busy" in str(found)

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 413, 415, 422, 451])
    async def test_what_will_not_pass_is_refused_and_was_asked_once(self, model: ScriptedModel, status: int) -> None:
        found = await error_of(model, Raw(status, error("no such model")))
        assert type(found) is ModelRefused
        assert str(status) in str(found)
        assert "no such model" in str(found)

    @pytest.mark.parametrize("code", ["insufficient_quota", "billing_hard_limit_reached"])
    async def test_an_empty_purse_is_refused_although_it_is_429(self, model: ScriptedModel, code: str) -> None:
        found = await error_of(model, Raw(429, error("pay", code)))
        assert type(found) is ModelRefused
        assert "quota" in str(found)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("<html><h1>Bad gateway</h1></html>", id="HTML"),
            pytest.param("", id="nothing"),
            pytest.param("null", id="null"),
            pytest.param('"busy"', id="text"),
            pytest.param("[1, 2]", id="a list"),
            pytest.param('{"error": "busy"}', id="error as text"),
            pytest.param('{"error": ["busy"]}', id="error as a list"),
            pytest.param('{"detail": "busy"}', id="no error"),
            pytest.param(error(5), id="message a number"),
            pytest.param(error(None), id="message null"),
            pytest.param(error({"en": "busy"}), id="message an object"),
            pytest.param(error("busy", ["a", "b"]), id="code a list"),
            pytest.param(error("busy", {"a": 1}), id="code an object"),
            pytest.param(error("x" * 100_000), id="endless"),
        ],
    )
    async def test_an_error_may_have_any_body(self, model: ScriptedModel, body: str) -> None:
        found = await error_of(model, Raw(502, body))
        assert type(found) is ModelUnavailable
        assert len(str(found)) < 1000

    @pytest.mark.parametrize(
        ("header", "pause"),
        [
            ({"Retry-After": "7"}, 7),
            ({"Retry-After": "0.5"}, 0.5),
            ({"Retry-After": "86400"}, 120),
            ({"Retry-After": "0"}, None),
            ({"Retry-After": "-3"}, None),
            ({"Retry-After": "soon"}, None),
            ({"Retry-After": "Mon, 01 Jan 2001 00:00:00 GMT"}, None),
            ({"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}, 120),
            ({}, None),
        ],
    )
    async def test_the_pause_that_is_asked_for_is_kept_within_reason(
        self, model: ScriptedModel, header: dict[str, str], pause: float | None
    ) -> None:
        found = await error_of(model, Raw(503, error("busy"), header))
        assert found.retry_after == (None if pause is None else timedelta(seconds=pause))

    async def test_no_error_quotes_the_key(self, model: ScriptedModel) -> None:
        model.trouble.append(Raw(401, error("Incorrect API key provided")))
        with pytest.raises(ModelRefused) as raised:
            await ask(model.url, openai_api_key="sk-hush")
        assert "hush" not in str(raised.value)


@asynccontextmanager
async def server(reply: bytes | None) -> AsyncGenerator[tuple[str, list[int]]]:
    """A server that answers with bytes, or never, and counts its connections."""
    seen: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(1)
        await reader.readuntil(b"\r\n\r\n")
        if reply is None:
            await reader.read()
        else:
            writer.write(reply)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1", seen


class TestConnection:
    async def test_refused(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            with pytest.raises(ModelUnavailable, match="cannot be reached"):
                await ask(f"http://127.0.0.1:{unused.getsockname()[1]}/v1")

    async def test_no_answer_in_time(self) -> None:
        begun = time.monotonic()
        async with server(None) as (url, seen):
            with pytest.raises(ModelUnavailable, match="did not answer in time"):
                await ask(url, model_timeout=0.2)
            assert len(seen) == 1
        assert time.monotonic() - begun < 3

    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(b"", id="closed without an answer"),
            pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="not HTTP"),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", id="cut off"),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", id="no gzip"),
        ],
    )
    async def test_a_broken_answer_is_unavailable_and_was_asked_for_once(self, reply: bytes) -> None:
        async with server(reply) as (url, seen):
            with pytest.raises(ModelUnavailable):
                await ask(url)
            assert len(seen) == 1


class TestSettings:
    def test_a_missing_model_is_named(self) -> None:
        with pytest.raises(ConfigurationError, match=r"^OPENAI_MODEL: missing"):
            Endpoint.from_settings(Settings.model_validate({"openai_model": None}))

    def test_a_missing_key_is_named_where_OpenAI_would_be_asked(self) -> None:
        with pytest.raises(ConfigurationError, match=r"^OPENAI_API_KEY: missing"):
            Endpoint.from_settings(
                Settings.model_validate({"openai_model": "m", "openai_base_url": None, "openai_api_key": None})
            )

    async def test_an_endpoint_of_ones_own_needs_no_key(self, model: ScriptedModel) -> None:
        model.trouble.append(Raw(200, "{}"))
        assert await ask(model.url, openai_api_key=None) == "{}"

    async def test_a_base_url_set_to_nothing_means_OpenAI(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", "")
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")  # so that nobody outside is asked
        async with endpoint(None, openai_api_key="sk-1") as found:
            with pytest.raises(ModelUnavailable, match=r"at https://api\.openai\.com/v1/ cannot be reached"):
                await found.ask(HELLO, [])
