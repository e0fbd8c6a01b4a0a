"""One question is one HTTP request, and every way in which it can fail is an error of the tree."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import httpcore2
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from activities.errors import (
    CallsUnreadable,
    ConfigurationError,
    ErrandError,
    ModelError,
    ModelRefused,
    ModelReplyUnusable,
    ModelUnavailable,
    ParameterUnsupported,
    PerhapsTooLong,
)
from activities.model.endpoint import Endpoint
from activities.model.profiles import Calling
from activities.model.question import Question
from activities.settings.model import ModelSettings
from tests.hostile_server import hostile, plain
from tests.scripted_model import Raw, ScriptedModel
from workflows.contract.api import Usage
from workflows.contract.internal import CONTEXT_TOO_LONG

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
LONG: list[ChatCompletionMessageParam] = [{"role": "user", "content": "word " * 4000}]
LOST = Usage(model_calls=1, input_tokens=Question(HELLO).tokens, output_tokens=70)
"""Of `HELLO`, if the answer may have 70 tokens and never comes."""
TOOL: ChatCompletionToolParam = {"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}


@asynccontextmanager
async def endpoint(url: str | None, **settings: Any) -> AsyncGenerator[Endpoint]:
    values = {"openai_model": "tiny", "openai_base_url": url, "model_timeout": 5.0} | settings
    found = Endpoint.from_settings(ModelSettings.model_validate(values))
    try:
        yield found
    finally:
        await found.aclose()


async def ask(url: str, *tools: ChatCompletionToolParam, **settings: Any) -> str:
    async with endpoint(url, **settings) as found:
        return await found.ask(Question(HELLO, tools=tools))


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

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
    async def test_a_body_is_read_in_the_form_of_Unicode_that_it_is_in(self, encoding: str) -> None:
        body = '{"a": "ä😀"}'.encode(encoding)
        async with server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body) as (url, _):
            assert json.loads((await ask(url)).removeprefix("\ufeff")) == {"a": "ä😀"}

    async def test_a_question_has_the_model_the_messages_and_the_tools(self, model: ScriptedModel) -> None:
        model.trouble.append(Raw(200, "{}"))
        await ask(model.url, TOOL, model_max_tokens=77)
        assert model.asked == [{"model": "tiny", "messages": HELLO, "tools": [TOOL], "max_tokens": 77}]

    async def test_what_is_not_set_is_not_sent(self, model: ScriptedModel) -> None:
        model.trouble.append(Raw(200, "{}"))
        await ask(model.url)
        assert model.asked == [{"model": "tiny", "messages": HELLO}]


class TestTooMuch:
    async def test_a_reply_longer_than_any_is_of_no_use_and_says_so_in_one_line(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 600000000\r\n\r\n"
        async with server(head) as (url, seen):
            with pytest.raises(ModelReplyUnusable, match=r"^model tiny at .* 600,000,000 bytes.*") as raised:
                await ask(url)
        assert (len(seen), "\n" in str(raised.value)) == (1, False)

    async def test_of_an_error_without_end_the_status_counts(self) -> None:
        async with hostile("HTTP/1.1 503 Busy", "Connection: close", body=plain) as endless:
            with pytest.raises(ModelUnavailable, match="answered 503: xxx"):
                await ask(f"{endless.url}/v1")


class TestErrors:
    @pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
    async def test_what_may_pass_is_unavailable_and_was_asked_once(self, model: ScriptedModel, status: int) -> None:
        found = await error_of(model, Raw(status, error("busy")))
        assert type(found) is ModelUnavailable
        assert f"model tiny at {model.url}/ answered {status}: " in str(found)
        assert "busy" in str(found)

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 415, 422, 451])
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
            ({"retry-after-ms": "1500", "Retry-After": "7"}, 1.5),
            ({"retry-after-ms": "soon", "Retry-After": "7"}, 7),
            ({"retry-after-ms": "0", "Retry-After": "7"}, 7),
            ({"retry-after-ms": "99999999"}, 120),
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
        model.trouble.append(Raw(401, error("Incorrect API key provided: sk-hush")))
        with pytest.raises(ModelRefused) as raised:
            await ask(model.url, openai_api_key="sk-hush")
        assert "hush" not in str(raised.value)

    async def test_a_question_that_is_too_long_is_an_error_of_its_own(self, model: ScriptedModel) -> None:
        for reply in (
            Raw(400, error("maximum context length is 10", "context_length_exceeded")),
            Raw(413, "<html>"),
            Raw(500, error("Context size has been exceeded.")),
        ):
            model.asked.clear()
            found = await error_of(model, reply)
            assert (type(found).__name__, found.retryable) == (CONTEXT_TOO_LONG, False)

    async def test_a_filter_that_withholds_the_question_is_named(self, model: ScriptedModel) -> None:
        found = await error_of(model, Raw(400, error("no tools, no support", "content_filter")))
        assert type(found) is ModelRefused
        assert "content filter" in str(found)

    async def test_calls_that_Groq_could_not_read_come_along(self, model: ScriptedModel) -> None:
        body = {"error": {"message": "Failed to call", "code": "tool_use_failed", "failed_generation": "<f>x</f>"}}
        found = await error_of(model, Raw(400, json.dumps(body)))
        assert isinstance(found, CallsUnreadable)
        assert found.written == "<f>x</f>"

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    async def test_a_redirect_is_not_followed(self, model: ScriptedModel, status: int) -> None:
        found = await error_of(model, Raw(status, "", {"Location": f"{model.url}/chat/completions"}))
        assert type(found) is ModelRefused
        assert "OPENAI_BASE_URL" in str(found)


class TestPerhapsTooLong:
    """A long question that is refused as invalid in words that say nothing of its length."""

    async def refused(self, model: ScriptedModel, reply: Raw, messages: list[ChatCompletionMessageParam]) -> type:
        model.trouble.append(reply)
        async with endpoint(model.url) as found:
            with pytest.raises(ErrandError) as raised:
                await found.ask(Question(messages))
        return type(raised.value)

    @pytest.mark.parametrize("status", [400, 422])
    async def test_it_may_be_too_long_where_it_is_long(self, model: ScriptedModel, status: int) -> None:
        reply = Raw(status, error("the request is not acceptable"))
        assert await self.refused(model, reply, LONG) is PerhapsTooLong
        assert await self.refused(model, reply, HELLO) is ModelRefused

    @pytest.mark.parametrize("status", [401, 402, 403, 404, 405, 451])
    async def test_a_refusal_of_something_else_is_not_about_its_length(self, model: ScriptedModel, status: int) -> None:
        assert await self.refused(model, Raw(status, error("no")), LONG) is ModelRefused

    async def test_nor_is_one_that_says_why(self, model: ScriptedModel) -> None:
        assert await self.refused(model, Raw(400, error("no", "content_filter")), LONG) is ModelRefused
        assert await self.refused(model, Raw(400, error("no", "insufficient_quota")), LONG) is ModelRefused
        assert await self.refused(model, Raw(429, error("slow down")), LONG) is ModelUnavailable


class TestWhatIsNotTaken:
    async def test_a_parameter_that_is_named_is_left_out_from_then_on(self, model: ScriptedModel) -> None:
        async with endpoint(model.url, model_profile="llama.cpp", model_max_tokens=9) as found:
            model.trouble += [
                Raw(400, error("Unknown field: parallel_tool_calls")),
                Raw(422, error("max_tokens: extra fields not permitted")),
                Raw(200, "{}"),
            ]
            for _ in range(2):
                with pytest.raises(ParameterUnsupported) as raised:
                    await found.ask(Question(HELLO, tools=[TOOL]))
                assert timedelta() < (raised.value.retry_after or timedelta()) < timedelta(seconds=1)
            await found.ask(Question(HELLO, tools=[TOOL]))
        assert [sorted(each.keys() - {"model", "messages"}) for each in model.asked] == [
            ["max_tokens", "parallel_tool_calls", "tools"],
            ["max_tokens", "tools"],
            ["max_completion_tokens", "tools"],
        ]
        assert found.demoted == (
            "parallel_tool_calls: not taken (tiny answered 400: Unknown field: parallel_tool_calls)",
            "max_tokens: not taken (tiny answered 422: max_tokens: extra fields not permitted)",
        )

    async def test_a_model_without_functions_is_a_rung_lower(self, model: ScriptedModel) -> None:
        async with endpoint(model.url) as found:
            model.trouble.append(Raw(400, error("tiny does not support tools")))
            with pytest.raises(ParameterUnsupported):
                await found.ask(Question(HELLO, tools=[TOOL]))
            assert found.profile.calling is Calling.JSON_SCHEMA
            model.trouble.append(Raw(400, error("response_format is not supported")))
            with pytest.raises(ParameterUnsupported):
                await found.ask(Question(HELLO, response_format={"type": "json_schema", "json_schema": {}}))
            assert found.profile.calling is Calling.JSON_OBJECT

    async def test_two_questions_at_once_lead_one_rung_down(self, model: ScriptedModel) -> None:
        async with endpoint(model.url) as found:
            model.trouble += [Raw(400, error("tiny does not support tools"))] * 2
            errors = await asyncio.gather(
                *(found.ask(Question(HELLO, tools=[TOOL])) for _ in range(2)), return_exceptions=True
            )
            assert [type(each) for each in errors] == [ParameterUnsupported, ParameterUnsupported]
            assert found.profile.calling is Calling.JSON_SCHEMA

    async def test_a_question_that_breaks_the_endpoint_again_and_again_is_put_without_functions(
        self, model: ScriptedModel
    ) -> None:
        kinds: list[type[Exception]] = []
        async with endpoint(model.url) as found:
            model.trouble += [Raw(500, error("Value is not callable: null at row 3"))] * 3
            for _ in range(3):
                with pytest.raises(ErrandError) as raised:
                    await found.ask(Question(HELLO, tools=[TOOL]))
                kinds.append(type(raised.value))
            assert kinds == [ModelUnavailable, ModelUnavailable, ParameterUnsupported]
            assert found.profile.calling is Calling.JSON_SCHEMA

    async def test_failures_that_differ_are_not_taken_for_one(self, model: ScriptedModel) -> None:
        async with endpoint(model.url) as found:
            model.trouble += [Raw(500, error(f"failure {number}")) for number in range(4)]
            for _ in range(4):
                with pytest.raises(ModelUnavailable):
                    await found.ask(Question(HELLO, tools=[TOOL]))
            assert found.demoted == ()

    async def test_what_a_request_knows_holds_for_its_model_only(self, model: ScriptedModel) -> None:
        async with endpoint(model.url, model_profile="llama.cpp") as found:
            steps = found.profile.step("parallel_tool_calls", "tiny answered 400: no"), "nonsense"
            knowing = found.knowing(steps)
            assert (knowing.profile.parallel, knowing.demoted) == (None, steps[:1])
            of_another = found.knowing([found.profile.step("native", "huge answered 400: no")])
            assert (of_another.profile, of_another.demoted) == (found.profile, ())

    async def test_what_one_request_finds_out_others_know(self, model: ScriptedModel) -> None:
        async with endpoint(model.url) as found:
            other = found.knowing([found.profile.step("json_object", "tiny answered 400: no")])
            model.trouble.append(Raw(400, error("tiny does not support tools")))
            with pytest.raises(ParameterUnsupported):
                await found.ask(Question(HELLO, tools=[TOOL]))
            assert other.profile.callings == (Calling.JSON_SCHEMA, Calling.PROMPT)


class TestCap:
    @pytest.mark.parametrize(
        ("allowed", "wanted", "sent"),
        [(None, None, None), (9, None, 9), (None, 5, 5), (9, 5, 5), (9, 50, 9), (9, -3, 1)],
    )
    async def test_the_lower_limit_is_sent(
        self, model: ScriptedModel, allowed: int | None, wanted: int | None, sent: int | None
    ) -> None:
        model.trouble.append(Raw(200, "{}"))
        async with endpoint(model.url, model_max_tokens=allowed) as found:
            await found.ask(Question(HELLO, max_tokens=wanted))
        assert model.asked[0].get("max_tokens") == sent

    @pytest.mark.parametrize(
        ("wanted", "affordable", "sent"), [(None, 5, 5), (9, 5, 5), (3, 5, 3), (None, 8192, 8192), (None, 8193, None)]
    )
    async def test_no_more_than_can_be_paid_for_as_long_as_every_model_can_write_so_much(
        self, model: ScriptedModel, wanted: int | None, affordable: int, sent: int | None
    ) -> None:
        model.trouble.append(Raw(200, "{}"))
        async with endpoint(model.url) as found:
            await found.ask(Question(HELLO, max_tokens=wanted, affordable=affordable))
        assert model.asked[0].get("max_tokens") == sent

    @pytest.mark.parametrize(("profile", "name"), [("openai", "max_completion_tokens"), ("ollama", "max_tokens")])
    async def test_under_the_name_that_the_endpoint_knows(self, model: ScriptedModel, profile: str, name: str) -> None:
        model.trouble.append(Raw(200, "{}"))
        async with endpoint(model.url, model_profile=profile, model_max_tokens=9) as found:
            await found.ask(Question(HELLO))
        assert model.asked == [{"model": "tiny", "messages": HELLO, name: 9}]


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
            with pytest.raises(ModelUnavailable, match="cannot be reached") as raised:
                await ask(f"http://127.0.0.1:{unused.getsockname()[1]}/v1", model_max_tokens=70)
            assert raised.value.usage is None

    async def test_no_answer_in_time(self) -> None:
        begun = time.monotonic()
        async with server(None) as (url, seen):
            with pytest.raises(ModelUnavailable, match="did not answer in time") as raised:
                await ask(url, model_timeout=0.2, model_max_tokens=70)
            assert len(seen) == 1
            assert raised.value.usage == LOST
        assert time.monotonic() - begun < 3

    async def test_an_answer_that_trickles_in_has_no_more_time_than_another(self) -> None:
        async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            with suppress(ConnectionError):
                for _ in range(50):
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.1)
            writer.close()

        begun = time.monotonic()
        listening = await asyncio.start_server(trickle, "127.0.0.1", 0)
        async with listening:
            with pytest.raises(ModelUnavailable, match="did not answer in time"):
                await ask(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1", model_timeout=0.5)
            assert time.monotonic() - begun < 3

    @pytest.mark.parametrize(
        "reply",
        [
            pytest.param(b"", id="closed without an answer"),
            pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="not HTTP"),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", id="cut off"),
            pytest.param(
                b"HTTP/1.1 500 No\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", id="error, no gzip"
            ),
            pytest.param(b"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\n{", id="error, cut off"),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", id="no gzip"),
        ],
    )
    async def test_a_broken_answer_is_unavailable_and_was_asked_for_once(self, reply: bytes) -> None:
        async with server(reply) as (url, seen):
            with pytest.raises(ModelUnavailable):
                await ask(url)
            assert len(seen) == 1


class TestUsage:
    """What an error has used, as far as it is known to have used anything."""

    @pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"])
    async def test_an_answer_that_was_lost_on_its_way_counts_as_the_longest(self, reply: bytes) -> None:
        async with server(reply) as (url, _):
            with pytest.raises(ModelUnavailable) as raised:
                await ask(url, model_max_tokens=70)
        assert raised.value.usage == LOST

    @pytest.mark.parametrize("status", [504, 524])
    async def test_so_does_one_that_a_gateway_did_not_wait_for(self, model: ScriptedModel, status: int) -> None:
        model.trouble.append(Raw(status, ""))
        with pytest.raises(ModelUnavailable) as raised:
            await ask(model.url, model_max_tokens=70)
        assert raised.value.usage == LOST

    async def test_so_does_one_to_an_endpoint_that_takes_no_limit(self) -> None:
        async with server(None) as (url, _), endpoint(url, model_timeout=0.2) as found:
            knowing = found.knowing(
                found.profile.step(name, "tiny answered 400: no") for name in ("max_tokens", "max_completion_tokens")
            )
            with pytest.raises(ModelUnavailable) as raised:
                await knowing.ask(Question(HELLO, max_tokens=70))
        assert knowing.cap(Question(HELLO, max_tokens=70)) is None
        assert raised.value.usage == LOST

    @pytest.mark.parametrize("status", [500, 502, 503])
    async def test_an_endpoint_that_broke_has_read_the_question(self, model: ScriptedModel, status: int) -> None:
        found = await error_of(model, Raw(status, error("broken")))
        assert isinstance(found, ModelUnavailable)
        assert found.usage == Usage(model_calls=1, input_tokens=LOST.input_tokens)

    @pytest.mark.parametrize("status", [400, 401, 404, 408, 413, 429])
    async def test_a_question_that_was_turned_away_has_used_nothing(self, model: ScriptedModel, status: int) -> None:
        found = await error_of(model, Raw(status, error("no")))
        assert isinstance(found, ModelError)
        assert found.usage is None

    async def test_a_host_that_cannot_be_reached_in_time_has_used_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def never(*_: object, **__: object) -> None:
            raise httpcore2.ConnectTimeout

        monkeypatch.setattr(httpcore2.AsyncConnectionPool, "handle_async_request", never)
        with pytest.raises(ModelUnavailable, match="did not answer in time") as raised:
            await ask("http://127.0.0.1:1/v1", model_max_tokens=70)
        assert raised.value.usage is None

    async def test_calls_that_could_not_be_read_were_written(self, model: ScriptedModel) -> None:
        body = {"error": {"message": "no", "code": "tool_use_failed", "failed_generation": "x" * 30}}
        found = await error_of(model, Raw(400, json.dumps(body)))
        assert isinstance(found, CallsUnreadable)
        assert found.usage == Usage(model_calls=1, output_tokens=10)


class TestSettings:
    async def test_the_profile_is_the_one_that_is_named_or_that_the_URL_tells(self) -> None:
        for settings, name, calling in (
            ({}, "compatible", Calling.NATIVE),
            ({"model_profile": "mistral"}, "mistral", Calling.NATIVE),
            ({"model_profile": "vllm", "model_calling": "json_object"}, "vllm", Calling.JSON_OBJECT),
        ):
            async with endpoint("http://127.0.0.1:1/v1", **settings) as found:
                assert (found.profile.name, found.profile.calling) == (name, calling)

    def test_a_missing_model_is_named(self) -> None:
        with pytest.raises(ConfigurationError, match=r"^OPENAI_MODEL: missing"):
            Endpoint.from_settings(ModelSettings.model_validate({"openai_model": None}))

    def test_a_missing_key_is_named_where_OpenAI_would_be_asked(self) -> None:
        with pytest.raises(ConfigurationError, match=r"^OPENAI_API_KEY: missing"):
            Endpoint.from_settings(
                ModelSettings.model_validate({"openai_model": "m", "openai_base_url": None, "openai_api_key": None})
            )

    async def test_an_endpoint_of_ones_own_needs_no_key(self, model: ScriptedModel) -> None:
        model.trouble.append(Raw(200, "{}"))
        assert await ask(model.url, openai_api_key=None) == "{}"

    async def test_a_base_url_set_to_nothing_means_OpenAI(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", "")
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")  # so that nobody outside is asked
        async with endpoint(None, openai_api_key="sk-1") as found:
            with pytest.raises(ModelUnavailable, match=r"at https://api\.openai\.com/v1/ cannot be reached"):
                await found.ask(Question(HELLO))
