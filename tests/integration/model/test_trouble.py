"""An endpoint that is slow, busy, silent or picky: the request goes on, and says what it has cost."""

import asyncio
import json
import time
from typing import ClassVar, cast

import pytest
from pydantic import JsonValue
from temporalio.client import Client

from activities.settings import Settings
from tests.completions import completion
from tests.conftest import changed, running_worker, settings_for
from tests.integration.model.silent import silent_endpoint
from tests.integration.requests.asking import Handle, ask, start
from tests.scripted_model import Object, Raw, ScriptedModel, call, calls, say
from workflows.contract.api import Limits, RequestStatus, Usage
from workflows.contract.internal import DECIDE, Decision, ModelInput

pytestmark = pytest.mark.long

USED = {"prompt_tokens": 100, "completion_tokens": 10}
NO_TOOLS = json.dumps({"error": {"message": "scripted does not support tools"}})


def envelope(**content: JsonValue) -> Raw:
    return Raw(200, completion({"content": json.dumps(content)}, usage=USED))


async def decisions(handle: Handle) -> list[tuple[ModelInput, Decision]]:
    """What went into every model call of a request, and what came out."""
    converter = handle._client.data_converter  # pyright: ignore[reportPrivateUsage]
    asked: dict[int, ModelInput] = {}
    found: list[tuple[ModelInput, Decision]] = []
    async for event in handle.fetch_history_events():
        if event.HasField("activity_task_scheduled_event_attributes"):
            scheduled = event.activity_task_scheduled_event_attributes
            if scheduled.activity_type.name == DECIDE:
                (asked[event.event_id],) = await converter.decode(scheduled.input.payloads, [ModelInput])
        if event.HasField("activity_task_completed_event_attributes"):
            completed = event.activity_task_completed_event_attributes
            if completed.scheduled_event_id in asked:
                (decision,) = await converter.decode(completed.result.payloads, [Decision])
                found.append((asked[completed.scheduled_event_id], decision))
    return found


class TestPicky:
    async def test_an_endpoint_without_functions_is_asked_in_another_way_and_the_request_remembers(
        self, client: Client, model: ScriptedModel, settings: Settings
    ) -> None:
        look_up: list[JsonValue] = [{"name": "look_up", "arguments": {"word": "owl"}}]
        model.trouble += [Raw(400, NO_TOOLS), envelope(tool_calls=look_up), envelope(final="It is a bird.")]
        async with running_worker(client, settings):
            handle = await start(client, settings, "What is an owl?")
            outcome = await handle.result()
        assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "It is a bird.")
        assert outcome.usage == Usage(model_calls=3, input_tokens=200, output_tokens=20)
        assert ["tools" in each for each in model.asked] == [True, False, False]
        step = "calling: native → json_schema (scripted answered 400: scripted does not support tools)"
        (first, told), (second, _) = await decisions(handle)
        assert (first.demoted, told.demoted, second.demoted) == ((), (step,), (step,))

    async def test_the_next_request_does_not_ask_in_vain(
        self, client: Client, model: ScriptedModel, settings: Settings
    ) -> None:
        model.trouble += [Raw(400, NO_TOOLS), envelope(final="One."), envelope(final="Two.")]
        async with running_worker(client, settings):
            assert (await ask(client, settings, "Say one")).summary == "One."
            assert (await ask(client, settings, "Say two")).usage.model_calls == 1
        assert ["tools" in each for each in model.asked] == [True, False, False]


class Signing(ScriptedModel):
    """Signs its calls, and wants the signatures back: a Gemini behind a gateway of which nothing is known."""

    SIGNATURE: ClassVar[Object] = {"extra_content": {"google": {"thought_signature": "Zm9v"}}}
    refused = 0

    def answer(self, body: Object) -> Raw:
        for message in cast("list[Object]", body["messages"]):
            for made in cast("list[Object]", message.get("tool_calls") or []):
                if not made.items() >= self.SIGNATURE.items():
                    self.refused += 1
                    words = "Function call is missing a thought_signature in functionCall parts."
                    return Raw(400, json.dumps([{"error": {"message": words, "status": "INVALID_ARGUMENT"}}]))
        return super().answer(body)


class TestSigning:
    async def test_what_it_wants_back_is_learned_from_its_first_complaint_and_shown(self, client: Client) -> None:
        with Signing() as model:
            signed = calls({**call("look_up", word="owl"), **model.SIGNATURE})
            for text in ("One.", "Two."):
                model.scripts[text] = [signed, signed, say("A bird.")]
            settings = settings_for(model)
            async with running_worker(client, settings):
                handle = await start(client, settings, "One.")
                outcome = await handle.result()
                details = await handle.query("__temporal_workflow_metadata")
                assert (outcome.status, outcome.usage.model_calls, model.refused) == (RequestStatus.COMPLETED, 4, 1)
                assert "⚠ model: `extras: wanted (scripted answered 400: Function call is missing" in str(details)
                assert (await ask(client, settings, "Two.")).usage.model_calls == 3
        assert model.refused == 1


class ShortOfContext(ScriptedModel):
    """Refuses a question of more than 16,000 bytes, and does not say why."""

    def answer(self, body: Object) -> Raw:
        if len(json.dumps(body)) > 16_000:
            self.refused += 1
            return Raw(400, json.dumps({"error": {"message": "the request is not acceptable"}}))
        return super().answer(body)

    refused = 0


class TestShortOfContext:
    async def test_a_long_question_is_shortened_once_where_nobody_says_why_it_is_refused(self, client: Client) -> None:
        with ShortOfContext() as model:
            model.scripts["Read a lot."] = [*[calls(call("long_text", size=16_000))] * 2, say("Done.")]
            settings = settings_for(model)
            async with running_worker(client, settings):
                outcome = await ask(client, settings, "Read a lot.")
        assert (outcome.status, outcome.summary) == (RequestStatus.COMPLETED, "Done.")
        assert model.refused == 2


class TestBusy:
    async def test_the_pause_that_is_asked_for_is_kept(
        self, client: Client, model: ScriptedModel, settings: Settings
    ) -> None:
        model.scripts["Hello"] = [say("Hi.")]
        model.trouble.append(Raw(429, "{}", {"Retry-After": "3.5"}))
        begun = time.monotonic()
        async with running_worker(client, settings):
            assert (await ask(client, settings, "Hello")).summary == "Hi."
        assert 3.5 <= time.monotonic() - begun < 30

    async def test_of_an_answer_that_never_came_the_longest_counts(self, client: Client, model: ScriptedModel) -> None:
        """For longer than heartbeats are apart, so that one of them may not wipe the account."""
        settings = settings_for(model, model_timeout=4, model_max_tokens=70, model_prices="scripted=0/100000")
        async with silent_endpoint() as silent:
            slow = changed(settings, model={"openai_base_url": silent.url})
            async with running_worker(client, slow):
                handle = await start(client, slow, "Hello")
                await asyncio.wait_for(silent.left_alone.wait(), 10)
        model.scripts["Hello"] = [say("Hi.")]
        async with running_worker(client, settings):
            outcome = await handle.result()
        used = outcome.usage
        assert (used.model_calls, used.output_tokens, used.cost) == (2, 80, 8)
        assert used.input_tokens > 100

    async def test_a_limit_is_reached_although_no_answer_has_come(self, client: Client, model: ScriptedModel) -> None:
        model.trouble.append(Raw(504, ""))
        settings = settings_for(model, model_prices="scripted=0/100000")
        async with running_worker(client, settings):
            outcome = await ask(client, settings, "Hello", limits=Limits(cost=5))
        assert (outcome.status, outcome.usage.cost) == (RequestStatus.LIMIT_REACHED, 5)
        assert len(model.asked) == 1

    async def test_a_limit_is_reached_although_the_endpoint_counts_nothing(
        self, client: Client, model: ScriptedModel, settings: Settings
    ) -> None:
        called = completion(calls(call("look_up", word="owl")), "tool_calls")
        model.trouble += [Raw(200, called)] * 9
        async with running_worker(client, settings):
            outcome = await ask(client, settings, "Hello", limits=Limits(input_tokens=1000))
        assert outcome.status is RequestStatus.LIMIT_REACHED
        assert len(model.asked) < 9

    async def test_what_a_failure_has_cost_stands_in_the_outcome(
        self, client: Client, model: ScriptedModel, settings: Settings
    ) -> None:
        model.trouble += [Raw(500, "{}"), Raw(401, "{}")]
        async with running_worker(client, settings):
            outcome = await ask(client, settings, "Hello")
        assert (outcome.status, outcome.usage.model_calls) == (RequestStatus.FAILED, 2)


class TestSilent:
    async def test_a_cancelled_request_does_not_wait_for_the_model(self, client: Client, model: ScriptedModel) -> None:
        async with silent_endpoint() as silent:
            settings = settings_for(model, openai_base_url=silent.url)
            async with running_worker(client, settings):
                handle = await start(client, settings, "Hello")
                await asyncio.wait_for(silent.asked.wait(), 10)
                begun = time.monotonic()
                await handle.cancel()
                outcome = await handle.result()
                await asyncio.wait_for(silent.left_alone.wait(), 5)
                assert time.monotonic() - begun < 5
        assert outcome.status is RequestStatus.CANCELLED
