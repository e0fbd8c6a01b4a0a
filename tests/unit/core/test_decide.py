"""One question to the model becomes a decision in which every call says how it is to be run, or why it is not."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.decide import LONGEST_ARGUMENTS, SYSTEM_PROMPT, Decide
from activities.endpoint import Endpoint
from activities.policy import Policy, Rule
from activities.settings import Settings
from activities.tool import Tool, tool, tool_of
from tests.scripted_model import Answer, Raw, ScriptedModel, call, calls, say
from workflows.contract import Decision, Situation, Usage, UserEntry


@tool(about="{city}", untrusted=True)
async def get_weather(city: str) -> str:
    """Get the weather.

    Args:
        city: Name of the city.
    """
    return city


@tool(effect="write", about="to {to}", grounded=("to",))
async def send_email(to: list[str], body: str = "") -> str:
    """Send an email."""
    return body


def offered(*functions: Callable[..., object]) -> dict[str, Tool]:
    found = [tool_of(each) for each in functions]
    return {each.name: each for each in found if each is not None}


TOOLS = offered(get_weather, send_email)
SITUATION = Situation(requester="ann", conversation=(UserEntry(text="Mail the weather to ann@example.com"),))


async def decide(
    model: ScriptedModel,
    answer: Answer,
    *,
    policy: Policy | None = None,
    address_book: tuple[str, ...] = (),
    attempt: int = 1,
    tools: dict[str, Tool] = TOOLS,
) -> Decision:
    model.scripts["Mail the weather to ann@example.com"] = [answer]
    settings = {"openai_model": "tiny", "openai_base_url": model.url}
    endpoint = Endpoint.from_settings(Settings.model_validate(settings))
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=attempt)
    try:
        decider = Decide(endpoint, tools, policy or Policy(), address_book)
        return await environment.run(decider.decide, SITUATION)
    finally:
        await endpoint.aclose()


class TestAsking:
    async def test_the_model_is_told_the_rules_and_offered_every_tool(self, model: ScriptedModel) -> None:
        await decide(model, say("Done."))
        (asked,) = model.asked
        assert asked["messages"] == [
            {"role": "system", "content": SYSTEM_PROMPT},
            {"role": "user", "content": "Mail the weather to ann@example.com"},
        ]
        offers: Any = asked["tools"]
        assert [each["function"]["name"] for each in offers] == ["get_weather", "send_email"]
        assert offers[0]["function"]["description"] == "Get the weather."
        assert offers[0]["function"]["parameters"]["properties"]["city"]["description"] == "Name of the city."

    async def test_without_tools_none_are_offered(self, model: ScriptedModel) -> None:
        await decide(model, say("Done."), tools={})
        assert "tools" not in model.asked[0]


class TestDecision:
    async def test_text_ends_the_request(self, model: ScriptedModel) -> None:
        decision = await decide(model, say("Done."))
        assert decision == Decision(text="Done.", usage=Usage(model_calls=1, input_tokens=100, output_tokens=10))

    async def test_every_attempt_counts_as_a_model_call(self, model: ScriptedModel) -> None:
        assert (await decide(model, say("Done."), attempt=3)).usage.model_calls == 3

    async def test_a_call_that_fits_carries_its_route_and_what_it_is_about(self, model: ScriptedModel) -> None:
        (made,) = (await decide(model, calls(call("get_weather", city="Paris")))).calls
        assert (made.tool, made.arguments, made.about, made.error) == ("get_weather", {"city": "Paris"}, "Paris", None)
        assert made.route == TOOLS["get_weather"].route.model_copy(update={"untrusted": True, "ruling": "allow"})

    async def test_the_calls_keep_the_models_order(self, model: ScriptedModel) -> None:
        cities = ["Rome", "Paris", "Rome"]
        made = (await decide(model, calls(*(call("get_weather", city=city) for city in cities)))).calls
        assert [each.arguments["city"] for each in made] == cities

    async def test_a_write_carries_the_policys_ruling_and_its_reason(self, model: ScriptedModel) -> None:
        answer = calls(call("send_email", to=["ann@example.com"]))
        policy = Policy(rule=(Rule(tool="send_email", requester="ann", ruling="deny"),))
        for rules, ruling in (
            (policy, ("deny", "rule 1 of the policy")),
            (Policy(), ("ask", "no rule of the policy allows it")),
        ):
            (made,) = (await decide(model, answer, policy=rules)).calls
            assert made.route is not None
            assert (made.route.ruling, made.route.reason) == ruling

    async def test_values_that_nobody_mentioned_are_named(self, model: ScriptedModel) -> None:
        answer = calls(call("send_email", to=["ann@example.com", "eve@evil.test", "bob@example.com"]))
        (made,) = (await decide(model, answer, address_book=("bob@example.com",))).calls
        assert made.route is not None
        assert made.route.ungrounded == ("eve@evil.test",)


def raw_call(name: Any, arguments: Any) -> Any:
    return {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}


class TestWrongCalls:
    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            pytest.param(raw_call("get_wether", "{}"), ["'get_wether'", "get_weather, send_email"], id="unknown"),
            pytest.param(raw_call("functions.get_weather", "{}"), ["'functions.get_weather'"], id="nearly known"),
            pytest.param(raw_call("", "{}"), ["there is no function"], id="no name"),
            pytest.param({"type": "custom", "custom": {"input": "x"}}, ["there is no function"], id="custom"),
            pytest.param(raw_call("get_weather", '{"city":'), ["not valid JSON", '"city"'], id="malformed"),
            pytest.param(raw_call("get_weather", '{"city": NaN}'), ["NaN"], id="NaN"),
            pytest.param(raw_call("get_weather", '{"city": "a", "city": "b"}'), ["twice"], id="a name twice"),
            pytest.param(raw_call("get_weather", '{"city": "\\ud83d"}'), ["not valid JSON"], id="half a character"),
            pytest.param(raw_call("get_weather", '{"city":' * 300), ["not valid JSON"], id="cut off, deep"),
            pytest.param(raw_call("get_weather", "[" * 300 + "]" * 300), ["nested too deeply"], id="deep"),
            pytest.param(raw_call("get_weather", "{}"), ["city: Field required", '"required":["city"]'], id="missing"),
            pytest.param(raw_call("get_weather", '{"city": 3}'), ["city: Input should be a valid string"], id="type"),
            pytest.param(raw_call("get_weather", '{"city": "a", "to": 1}'), ["to: Extra inputs"], id="extra"),
            pytest.param(
                raw_call("get_weather", json.dumps({"city": "x" * LONGEST_ARGUMENTS})), ["longer than"], id="too long"
            ),
        ],
    )
    async def test_a_wrong_call_is_not_run_and_the_model_is_told_why(
        self, model: ScriptedModel, wrong: Any, told: list[str]
    ) -> None:
        first, second = (await decide(model, calls(wrong, call("get_weather", city="Paris")))).calls
        assert first.route is None
        assert all(each in f"{first.error} {first.hint}" for each in told)
        assert second.route is not None

    async def test_of_an_answer_that_was_cut_off_no_call_is_run(self, model: ScriptedModel) -> None:
        message = {"content": None, "tool_calls": [raw_call("get_weather", '{"city": "Par"}')]}
        body = json.dumps({"choices": [{"message": message, "finish_reason": "length"}]})
        (made,) = (await decide(model, Raw(200, body))).calls
        assert made.route is None
        assert "cut off" in (made.error or "")


class TestErrors:
    @pytest.mark.parametrize(
        ("reply", "kind", "retried"),
        [
            (Raw(500, "{}"), "ModelUnavailable", True),
            (Raw(401, "{}"), "ModelRefused", False),
            (Raw(200, "<html>"), "ModelReplyUnusable", True),
            (Raw(200, '{"error": {"message": "busy"}}'), "ModelUnavailable", True),
            (Raw(200, '{"choices": [{"message": {"content": ""}}]}'), "ModelReplyUnusable", True),
        ],
    )
    async def test_a_failure_says_by_its_type_whether_it_may_pass(
        self, model: ScriptedModel, reply: Raw, kind: str, retried: bool
    ) -> None:
        with pytest.raises(ApplicationError) as raised:
            await decide(model, reply)
        assert raised.value.type == kind
        assert raised.value.non_retryable is not retried
        assert len(model.asked) == 1
