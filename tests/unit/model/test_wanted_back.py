"""What an endpoint put on its calls is given back once it asks for it, as a Gemini does behind an unknown gateway."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any, cast

import pytest
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.model.decide import Decide
from activities.model.endpoint import Endpoint
from activities.policy import Policy
from activities.settings.model import ModelSettings
from tests.completions import calling, completion
from tests.scripted_model import Raw, ScriptedModel, call
from workflows.contract.conversation import AssistantEntry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import Decision, ModelInput

MISSING = "Function call is missing a thought_signature in functionCall parts. This is required for tools to work."
SIGNED: dict[str, JsonValue] = {"extra_content": {"google": {"thought_signature": "Zm9v"}}}
DONE = Raw(200, completion({"content": "Done."}))


def complaint(words: str, status: int = 400) -> Raw:
    return Raw(status, json.dumps({"error": {"message": words, "code": 400, "status": "INVALID_ARGUMENT"}}))


def after_a_call(extra: dict[str, JsonValue]) -> ModelInput:
    """The second turn of a request, after a call that the endpoint put this on."""
    made = ToolCallRecord(tool="get_weather", arguments={"city": "Paris"}, told=ToolMessage(value="Sunny"), extra=extra)
    return ModelInput(conversation=(UserEntry(text="Go"), AssistantEntry(turn=1, calls=(made,))))


class Asking:
    """The attempts of decisions, which are one worker's."""

    def __init__(self, model: ScriptedModel, **settings: Any) -> None:
        of_model = {"openai_model": "tiny", "openai_base_url": model.url, **settings}
        self.endpoint = Endpoint.from_settings(ModelSettings.model_validate(of_model))
        self._decide = Decide(self.endpoint, {}, Policy())
        self._model = model

    async def attempt(self, situation: ModelInput) -> Decision:
        return await ActivityEnvironment().run(self._decide.decide, situation)

    async def failure(self, situation: ModelInput) -> ApplicationError:
        with pytest.raises(ApplicationError) as raised:
            await self.attempt(situation)
        return raised.value

    @property
    def given_back(self) -> list[Any]:
        """The message with the call, in each question."""
        return [cast(Any, each["messages"])[2] for each in self._model.asked]


@pytest.fixture
async def asking(model: ScriptedModel) -> AsyncGenerator[Asking]:
    asking = Asking(model)
    yield asking
    await asking.endpoint.aclose()


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (SIGNED, MISSING),
        (SIGNED, "tool_calls[0].extra_content: Field required"),
        ({"thoughtSignature": "Zm9v"}, MISSING),
        ({"provider_specific_fields": {"thought_signature": "Zm9v"}}, "a thought signature is required"),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 422])
async def test_at_the_first_complaint_it_is_given_back_from_then_on_and_shown(
    model: ScriptedModel, asking: Asking, status: int, extra: dict[str, JsonValue], words: str
) -> None:
    model.trouble += [complaint(words, status), DONE]
    failure = await asking.failure(after_a_call(extra))
    assert (failure.type, failure.non_retryable) == ("WantedBack", False)
    assert timedelta() < (failure.next_retry_delay or timedelta()) < timedelta(seconds=1)
    decision = await asking.attempt(after_a_call(extra))
    first, second = (each["tool_calls"][0] for each in asking.given_back)
    assert second == {**first, **extra}
    assert extra.keys().isdisjoint(first)
    (step,) = decision.demoted
    assert step.startswith(f"extras: wanted (tiny answered {422 if status == 422 else 400}: ")
    assert words in step


async def test_reasoning_too_although_that_of_earlier_turns_is_not_known_any_more(
    model: ScriptedModel, asking: Asking
) -> None:
    words = "The `reasoning_content` in the thinking mode must be passed back to the API."
    model.trouble += [complaint(words), Raw(200, calling(call("get_weather", city="Rome"), reasoning_content="Hm."))]
    assert (await asking.failure(after_a_call({}))).type == "WantedBack"
    decision = await asking.attempt(after_a_call({}))
    assert [each.get("reasoning_content") for each in asking.given_back] == [None, ""]
    assert decision.reasoning == "Hm."
    assert decision.demoted[0].startswith("reasoning_content: wanted (tiny answered 400: ")


async def test_two_questions_at_once_are_both_put_again(model: ScriptedModel, asking: Asking) -> None:
    model.trouble += [complaint(MISSING)] * 2
    both = await asyncio.gather(*(asking.failure(after_a_call(SIGNED)) for _ in range(2)))
    assert [each.type for each in both] == ["WantedBack"] * 2
    assert len(asking.endpoint.demoted) == 1


@pytest.mark.parametrize(
    ("extra", "words"),
    [(SIGNED, MISSING), ({}, "`reasoning_content` must be passed back")],
    ids=["extras", "reasoning"],
)
async def test_who_got_it_back_and_still_complains_is_not_asked_again(
    model: ScriptedModel, asking: Asking, extra: dict[str, JsonValue], words: str
) -> None:
    model.trouble += [complaint(words)] * 3
    assert (await asking.failure(after_a_call(extra))).type == "WantedBack"
    assert (await asking.failure(after_a_call(extra))).non_retryable
    assert len(model.asked) == 2


@pytest.mark.parametrize("words", ["no", "messages: missing role", "google: unknown", "content is required"])
async def test_another_complaint_is_not_taken_for_one(model: ScriptedModel, asking: Asking, words: str) -> None:
    model.trouble.append(complaint(words))
    failure = await asking.failure(after_a_call({**SIGNED, "type": "x", "content": "y"}))
    assert (failure.type, asking.endpoint.demoted) == ("ModelRefused", ())
