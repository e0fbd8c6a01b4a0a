"""An endpoint, or a service, that answers as nobody should: the request ends, asks no oftener than it says, and costs
the worker no memory."""

import json
import time
import uuid
from typing import Any

import pytest
from temporalio.client import Client

from activities.settings import Settings
from tests.completions import call, calling, completion
from tests.conftest import running_worker, settings_for
from tests.hostile_server import JSON, OK, TOO_MUCH, Peak, drip, hostile, text
from tests.integration.requests.asking import ask, start, why_it_is_tried_again
from tests.quirky_replies import streamed
from tests.scripted_model import Raw, ScriptedModel, calls, say
from tests.scripted_model import call as scripted_call
from workflows.contract.api import ReceiptStatus, RequestStatus

pytestmark = pytest.mark.long


class TestOfNoUse:
    @pytest.mark.parametrize("way", TOO_MUCH)
    async def test_a_reply_without_end_is_asked_for_three_times_and_costs_no_memory(
        self, client: Client, model: ScriptedModel, way: str
    ) -> None:
        head, body = TOO_MUCH[way]
        async with hostile(*head, body=body) as server:
            settings = settings_for(model, openai_base_url=f"{server.url}/v1")
            async with running_worker(client, settings):
                peak = Peak()
                outcome = await ask(client, settings, "Hello")
                assert peak.grown < 100
            assert len(server.asked) == 3
        assert outcome.status is RequestStatus.FAILED
        assert "16,777,216" in outcome.summary
        assert outcome.usage.model_calls == 3

    @pytest.mark.parametrize(
        ("body", "shown"),
        [
            pytest.param(
                "<html>\n<h1>😀 Sign in</h1>\n" * 900, "cannot be read as JSON (Expecting value: ", id="a page"
            ),
            pytest.param("\x00\ud83d".encode(errors="replace").decode() * 9000, "cannot be read as JSON", id="garbage"),
            pytest.param(calling(*[call({"word": "x"}, "look_up")] * 5000), "5,000 calls at once", id="5,000 calls"),
            pytest.param(completion({"content": None}), "neither text nor a tool call", id="nothing"),
        ],
    )
    async def test_a_reply_of_no_use_is_asked_for_three_times_and_the_reason_is_shown(
        self, client: Client, model: ScriptedModel, settings: Settings, body: str, shown: str
    ) -> None:
        model.trouble += [Raw(200, body)] * 9
        async with running_worker(client, settings):
            handle = await start(client, settings, "Hello")
            reason = await why_it_is_tried_again(handle)
            outcome = await handle.result()
        assert shown in reason
        assert len(reason.splitlines()) == 1
        assert (outcome.status, outcome.usage.model_calls, len(model.asked)) == (RequestStatus.FAILED, 3, 3)
        assert shown in outcome.summary

    async def test_however_long_and_odd_an_errors_words_are_they_are_shown(
        self, client: Client, model: ScriptedModel, settings: Settings
    ) -> None:
        words = "\U0001f600\ud83d\x00" * 5000
        model.trouble.append(Raw(503, json.dumps({"error": {"message": words}})))
        model.scripts["Hello"] = [say("Hi.")]
        async with running_worker(client, settings):
            handle = await start(client, settings, "Hello")
            assert "answered 503: 😀" in await why_it_is_tried_again(handle)
            assert (await handle.result()).summary == "Hi."


class TestOfUse:
    async def test_a_stream_that_nobody_asked_for_is_understood_at_once(
        self, client: Client, model: ScriptedModel, settings: Settings
    ) -> None:
        made: Any = {"index": 0, **call('{"word": "owl"}', "look_up")}
        model.trouble += [streamed({"tool_calls": [made]}), streamed({"content": "A "}, {"content": "bird."})]
        async with running_worker(client, settings):
            outcome = await ask(client, settings, "What is an owl?")
        assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "A bird.")
        assert [receipt.arguments for receipt in outcome.receipts] == [{"word": "owl"}]
        assert (outcome.usage.model_calls, outcome.usage.input_tokens, len(model.asked)) == (2, 24, 2)

    async def test_a_character_that_cannot_be_said_costs_nothing_but_itself(
        self, client: Client, model: ScriptedModel, settings: Settings
    ) -> None:
        words = [call(json.dumps({"word": "o\ud83dwl"}), "look_up"), call("{}", "look\udc00up")]
        model.trouble += [
            Raw(200, calling(*words, reasoning="\ud83d")),
            Raw(200, completion({"content": "A bird \ud83d."}, usage={"completion_tokens": float("nan")})),
        ]
        async with running_worker(client, settings):
            outcome = await ask(client, settings, "What is an owl?")
        assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "A bird \ufffd.")
        done, invalid = outcome.receipts
        assert (done.status, done.arguments) == (ReceiptStatus.DONE, {"word": "o\ufffdwl"})
        assert (invalid.status, invalid.tool) == (ReceiptStatus.INVALID, "look\ufffdup")
        assert len(model.asked) == 2


class TestSlow:
    async def test_a_drip_has_the_time_of_an_answer(self, client: Client, model: ScriptedModel) -> None:
        async with hostile(OK, JSON, "Content-Length: 1000", body=drip) as server:
            settings = settings_for(model, openai_base_url=f"{server.url}/v1", model_timeout=0.5)
            async with running_worker(client, settings):
                handle = await start(client, settings, "Hello")
                begun = time.monotonic()
                assert "did not answer in time" in await why_it_is_tried_again(handle)
                assert time.monotonic() - begun < 5
                await handle.cancel()
                assert (await handle.result()).status is RequestStatus.CANCELLED


class TestElsewhere:
    async def test_a_redirect_is_followed_by_nobody_and_asked_for_once(
        self, client: Client, model: ScriptedModel
    ) -> None:
        head = ("HTTP/1.1 307 Temporary Redirect", f"Location: {model.url}/chat/completions", "Content-Length: 0")
        async with hostile(*head, body=text("")) as server:
            settings = settings_for(model, openai_base_url=f"{server.url}/v1")
            async with running_worker(client, settings):
                outcome = await ask(client, settings, "Hello")
            assert len(server.asked) == 1
        assert outcome.status is RequestStatus.FAILED
        assert "redirects" in outcome.summary
        assert model.asked == []


class TestServices:
    @pytest.mark.parametrize("way", TOO_MUCH)
    @pytest.mark.parametrize(
        ("tool", "arguments", "setting"),
        [
            ("get_weather", {"city": "Paris"}, "geocoding_url"),
            ("get_stock_price", {"symbol": "AAPL"}, "stocks_url"),
        ],
    )
    async def test_one_that_sends_too_much_is_asked_once_and_costs_no_memory(
        self, client: Client, model: ScriptedModel, way: str, tool: str, arguments: dict[str, Any], setting: str
    ) -> None:
        head, body = TOO_MUCH[way]
        question = f"What of {uuid.uuid4().hex}?"
        model.scripts[question] = [calls(scripted_call(tool, **arguments)), say("It sent too much.")]
        async with hostile(*head, body=body) as server:
            settings = settings_for(model, **{setting: server.url})
            async with running_worker(client, settings):
                peak = Peak()
                outcome = await ask(client, settings, question)
                assert peak.grown < 100
            assert len(server.asked) == 1
        (receipt,) = outcome.receipts
        assert receipt.status is ReceiptStatus.FAILED
        assert f"check ERRAND_{setting.upper()}" in (receipt.error or "")
