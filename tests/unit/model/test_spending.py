"""The attempts of one model call share what the request has left, and each counts, whether or not it was heard of."""

import dataclasses
import json
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.model.decide import Decide
from activities.model.endpoint import Endpoint
from activities.policy import Policy
from activities.settings.model import ModelSettings
from tests.completions import completion
from tests.scripted_model import Raw, ScriptedModel
from workflows.contract.api import Usage
from workflows.contract.conversation import UserEntry
from workflows.contract.internal import ModelInput, UsageSoFar

SITUATION = ModelInput(conversation=(UserEntry(text="Hello"),))
HI = Raw(200, completion({"content": "Hi."}, usage={"prompt_tokens": 100, "completion_tokens": 10}))
EMPTY = Raw(200, completion({"content": ""}, usage={"prompt_tokens": 100, "completion_tokens": 40}))
LOST = Raw(504, "")
UNCOUNTED = Raw(200, completion({"content": "x" * 300}))


async def attempts(
    model: ScriptedModel, *replies: Raw, situation: ModelInput = SITUATION, lost: int = 0, **settings: Any
) -> tuple[Usage, str]:
    """What all attempts of one activity have used, and how the last one ended: attempts go on while they are retried.

    Args:
        model: who is asked.
        replies: one for each attempt.
        situation: the input of all.
        lost: attempts before these of which nothing was heard.
        settings: the endpoint's.
    """
    model.trouble += replies
    of_model = {"openai_model": "tiny", "openai_base_url": model.url}
    endpoint = Endpoint.from_settings(ModelSettings.model_validate(of_model | settings))
    beats: list[tuple[object, ...]] = []
    details: tuple[object, ...] = ()
    attempt = lost
    try:
        while True:
            attempt += 1
            environment = ActivityEnvironment()
            environment.info = dataclasses.replace(environment.info, attempt=attempt, heartbeat_details=details)
            environment.on_heartbeat = lambda *left: beats.append(left)
            try:
                decision = await environment.run(Decide(endpoint, {}, Policy()).decide, situation)
            except ApplicationError as error:
                if error.non_retryable:
                    return error.details[0].usage, error.type or ""
                details = tuple(UsageSoFar.model_validate(each).model_dump(mode="json") for each in beats[-1])
            else:
                return decision.usage, decision.text
    finally:
        await endpoint.aclose()


def caps(model: ScriptedModel) -> list[object]:
    return [each.get("max_tokens") for each in model.asked]


def allowing(**left: Any) -> ModelInput:
    return SITUATION.model_copy(update=left)


class TestNoCounts:
    async def test_what_was_read_and_written_is_estimated(self, model: ScriptedModel) -> None:
        usage, _ = await attempts(model, UNCOUNTED)
        question = len(json.dumps(model.asked[0]["messages"]))
        assert usage.output_tokens == 100
        assert question / 4 < usage.input_tokens < question / 2

    async def test_the_estimate_costs(self, model: ScriptedModel) -> None:
        usage, _ = await attempts(model, UNCOUNTED, model_prices="tiny=0/10000")
        assert usage.cost == 1

    async def test_where_there_are_counts_nothing_is_estimated(self, model: ScriptedModel) -> None:
        assert await attempts(model, HI) == (Usage(model_calls=1, input_tokens=100, output_tokens=10), "Hi.")


class TestWhatIsLeft:
    async def test_an_attempt_may_use_what_the_ones_before_it_have_left(self, model: ScriptedModel) -> None:
        usage, text = await attempts(model, EMPTY, EMPTY, HI, situation=allowing(output_tokens=100))
        assert (text, caps(model)) == ("Hi.", [100, 60, 20])
        assert usage == Usage(model_calls=3, input_tokens=300, output_tokens=90)

    async def test_the_settings_limit_each_answer_and_not_all_together(self, model: ScriptedModel) -> None:
        await attempts(model, EMPTY, EMPTY, HI, model_max_tokens=50)
        assert caps(model) == [50, 50, 50]

    async def test_where_no_token_is_left_the_model_is_not_asked(self, model: ScriptedModel) -> None:
        usage, end = await attempts(model, EMPTY, LOST, HI, situation=allowing(output_tokens=50))
        assert (usage.model_calls, usage.output_tokens, end) == (2, 50, "LimitExhausted")
        assert caps(model) == [50, 10]

    async def test_where_no_money_is_left_the_model_is_not_asked(self, model: ScriptedModel) -> None:
        prices: Any = {"model_prices": "tiny=0/10000"}  # 100 tokens for 1
        usage, end = await attempts(model, EMPTY, LOST, HI, situation=allowing(cost_left=0.5), **prices)
        assert (usage.model_calls, usage.cost, end) == (2, 0.5, "LimitExhausted")
        assert caps(model) == [50, 10]

    async def test_what_is_not_written_costs_too(self, model: ScriptedModel) -> None:
        prices: Any = {"model_prices": "tiny=10000/10000"}
        usage, _ = await attempts(model, EMPTY, HI, situation=allowing(cost_left=2), **prices)
        assert usage.cost == 2.5
        assert caps(model) == [200, 60]

    async def test_where_writing_costs_nothing_money_is_no_limit_of_what_is_written(self, model: ScriptedModel) -> None:
        await attempts(model, HI, situation=allowing(cost_left=0.5), model_prices="tiny=10/0")
        assert caps(model) == [None]

    @pytest.mark.parametrize("prices", ["", "other=10/10"])
    async def test_without_a_price_no_cost_can_be_limited_and_the_model_is_not_asked(
        self, model: ScriptedModel, prices: str
    ) -> None:
        usage, end = await attempts(model, HI, situation=allowing(cost_left=0.5), model_prices=prices)
        assert (usage, end, model.asked) == (None, "BadRequest", [])

    async def test_the_lowest_limit_holds(self, model: ScriptedModel) -> None:
        left = allowing(output_tokens=70, cost_left=0.5)
        await attempts(model, HI, situation=left, model_prices="tiny=0/10000", model_max_tokens=60)
        assert caps(model) == [50]


class TestLost:
    async def test_an_answer_that_never_came_counts_as_the_longest_that_can_be_paid_for(
        self, model: ScriptedModel
    ) -> None:
        usage, end = await attempts(model, LOST, HI, situation=allowing(cost_left=0.5), model_prices="tiny=0/10000")
        assert (usage.model_calls, usage.output_tokens, usage.cost, end) == (1, 50, 0.5, "LimitExhausted")
        assert usage.input_tokens > 0

    async def test_attempts_of_which_nothing_was_heard_count_as_the_longest_that_was_left(
        self, model: ScriptedModel
    ) -> None:
        left = allowing(output_tokens=100)
        usage, _ = await attempts(model, HI, situation=left, lost=1, model_max_tokens=60)
        assert (usage.model_calls, usage.output_tokens, caps(model)) == (2, 70, [40])
        usage, end = await attempts(model, HI, situation=left, lost=3, model_max_tokens=60)
        assert (usage.model_calls, usage.output_tokens, end) == (3, 100, "LimitExhausted")

    async def test_a_busy_endpoint_uses_nothing(self, model: ScriptedModel) -> None:
        usage, _ = await attempts(model, Raw(429, "{}"), HI, situation=allowing(output_tokens=100))
        assert usage == Usage(model_calls=2, input_tokens=100, output_tokens=10)
        assert caps(model) == [100, 100]

    async def test_an_error_under_status_200_has_read_the_question(self, model: ScriptedModel) -> None:
        usage, _ = await attempts(model, Raw(200, '{"error": {"message": "broken"}}'), HI)
        assert usage.input_tokens > 100
        assert usage.output_tokens == 10


class TestOfNoUse:
    async def test_after_three_replies_of_no_use_the_model_is_not_asked_again(self, model: ScriptedModel) -> None:
        usage, end = await attempts(model, EMPTY, Raw(200, "<html>"), Raw(200, "{}"), HI)
        assert (usage.model_calls, end, len(model.asked)) == (3, "NoUsableReply", 3)

    async def test_what_may_pass_counts_for_nothing_and_loses_no_count(self, model: ScriptedModel) -> None:
        busy = Raw(503, "{}")
        _, end = await attempts(model, EMPTY, busy, EMPTY, busy, busy, busy, busy, EMPTY, HI)
        assert (end, len(model.asked)) == ("NoUsableReply", 8)
        model.trouble.clear()
        assert (await attempts(model, busy, EMPTY, busy, EMPTY, busy, HI))[1] == "Hi."
