"""One question to the model becomes a decision in which every call says how it is to be run, or why it is not."""

import dataclasses
import json
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import pytest
from pydantic import AfterValidator, Field
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.errors import ConfigurationError
from activities.model.call_validation import LONGEST_ARGUMENTS, LONGEST_HINT
from activities.model.decide import LONGEST_HELD_BACK, Decide
from activities.model.endpoint import Endpoint
from activities.model.system_prompts import BRIEF
from activities.model.tool_schemas import Offers
from activities.policy import Policy, Rule
from activities.settings.model import ModelSettings
from activities.toolkit.tool import Tool, tool, tool_of
from tests.completions import completion
from tests.scripted_model import Answer, Raw, ScriptedModel, call, calls, say
from workflows.contract.api import Usage
from workflows.contract.conversation import UserEntry
from workflows.contract.internal import (
    CONTEXT_TOO_LONG,
    PERHAPS_TOO_LONG,
    Decision,
    EditedCall,
    ModelInput,
    ToolCall,
    UsageSoFar,
)


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


@tool(effect="write", about="{to}", grounded=("to",))
async def invite(to: Annotated[str, Field(json_schema_extra={"format": "email"})]) -> str:
    """Invite somebody."""
    return to


@tool(about="{place}")
async def odd(place: Annotated[str, Field(json_schema_extra={"examples": ["ä" * 25_000]})]) -> str:
    """Take what needs a long description."""
    return place


def offered(*functions: Callable[..., object]) -> dict[str, Tool]:
    found = [tool_of(each) for each in functions]
    return {each.name: each for each in found if each is not None}


TOOLS = offered(get_weather, send_email)
SITUATION = ModelInput(requester="ann", conversation=(UserEntry(text="Mail the weather to ann@example.com"),))


OF_NOBODY = ModelSettings.model_validate({"openai_model": "tiny", "openai_base_url": "http://127.0.0.1:9"})
USED = {"prompt_tokens": 100, "completion_tokens": 10}
beats: list[tuple[object, ...]] = []
"""The heartbeat details of the last decision."""


async def decide(
    model: ScriptedModel,
    answer: Answer,
    *,
    policy: Policy | None = None,
    address_book: tuple[str, ...] = (),
    attempt: int = 1,
    tools: dict[str, Tool] = TOOLS,
    situation: ModelInput = SITUATION,
    details: tuple[object, ...] = (),
    **settings: Any,
) -> Decision:
    """A decision of a second model call, if `attempt` is 2, whose first left `details` in its heartbeats."""
    model.trouble.append(answer if isinstance(answer, Raw) else Raw(200, completion(answer, usage=USED)))
    of_model = {"openai_model": "tiny", "openai_base_url": model.url}
    endpoint = Endpoint.from_settings(ModelSettings.model_validate(of_model | settings))
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=attempt, heartbeat_details=details)
    environment.on_heartbeat = lambda *left: beats.append(left)
    beats.clear()
    try:
        decider = Decide(endpoint, tools, policy or Policy(), address_book)
        return await environment.run(decider.decide, situation)
    finally:
        await endpoint.aclose()


class TestAsking:
    async def test_the_model_is_told_the_rules_and_offered_every_tool(self, model: ScriptedModel) -> None:
        await decide(model, say("Done."))
        (asked,) = model.asked
        assert asked["messages"] == [
            {"role": "system", "content": BRIEF},
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
            pytest.param(raw_call("tools.get_weather", "{}"), ["'tools.get_weather'"], id="nearly known"),
            pytest.param(raw_call("", "{}"), ["there is no function"], id="no name"),
            pytest.param({"type": "custom", "custom": {"input": "x"}}, ["there is no function"], id="custom"),
            pytest.param(raw_call("get_weather", '{"city":'), ["not valid JSON", '"city"'], id="malformed"),
            pytest.param(raw_call("get_weather", '{"city": NaN}'), ["city: Input should be a valid string"], id="NaN"),
            pytest.param(raw_call("get_weather", "NaN"), ["not valid JSON", "NaN"], id="NaN alone"),
            pytest.param(raw_call("get_weather", '{"city": "a", "city": "b"}'), ["twice"], id="a name twice"),
            pytest.param(raw_call("get_w\ud83d", "{}"), ["get_w\ufffd"], id="half a character in the name"),
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

    async def test_the_schema_of_each_function_is_told_once(self, model: ScriptedModel) -> None:
        wrong = [call("get_weather"), call("get_weather", town="Rome"), call("send_email"), call("get_weather")]
        made = (await decide(model, calls(*wrong))).calls
        assert [bool(each.hint) for each in made] == [True, False, True, False]
        assert all(each.error for each in made)

    async def test_however_large_a_schema_is_a_decision_can_be_delivered(self, model: ScriptedModel) -> None:
        made = (await decide(model, calls(*[call("odd")] * 100), tools=offered(odd))).calls
        assert len(made) == 100
        assert len(made[0].hint.encode()) <= LONGEST_HINT
        assert "shortened" in made[0].hint

    async def test_of_an_answer_that_was_cut_off_no_call_is_run(self, model: ScriptedModel) -> None:
        message = {"content": None, "tool_calls": [raw_call("get_weather", '{"city": "Par"}')]}
        body = json.dumps({"choices": [{"message": message, "finish_reason": "length"}]})
        (made,) = (await decide(model, Raw(200, body))).calls
        assert made.route is None
        assert "cut off" in (made.error or "")


def _crashing(city: str) -> str:
    raise RuntimeError(f"no idea of {len(city)}")


@tool(about="{city}")
async def crashing(city: Annotated[str, AfterValidator(_crashing)]) -> str:
    """Break on every city."""
    return city


class TestMistakesOfTools:
    async def test_a_call_on_which_the_types_of_a_tool_break_is_the_tools_mistake_and_costs_one_question(
        self, model: ScriptedModel
    ) -> None:
        decision = await decide(model, calls(call("crashing", city="Paris")), tools=offered(crashing))
        (made,) = decision.calls
        assert (made.route, made.crashed, made.arguments, made.hint) == (None, True, {"city": "Paris"}, "")
        assert made.error == "a mistake in crashing: its types broke on argument city: RuntimeError: no idea of 5"
        assert decision.usage == Usage(model_calls=1, input_tokens=100, output_tokens=10)

    async def test_so_is_one_that_a_person_has_edited_or_given(self, model: ScriptedModel) -> None:
        decider = Decide(Endpoint.from_settings(OF_NOBODY), offered(crashing), Policy())
        given = EditedCall(call=ToolCall(key="r/1.1", tool="crashing", arguments={"city": "Rome"}), conversation=())
        (made,) = (await ActivityEnvironment().run(decider.prepare, given)).calls
        assert (made.route, made.crashed) == (None, True)
        assert (await ActivityEnvironment().run(decider.check, given)).crashed


class TestDialects:
    async def test_a_schema_that_is_fit_for_it_is_strict_where_the_endpoint_can_be(self, model: ScriptedModel) -> None:
        for profile, strict in (("openai", [True, None]), ("compatible", [None, None])):
            model.asked.clear()
            await decide(model, say("Done."), model_profile=profile)
            offers: Any = model.asked[0]["tools"]
            assert [each["function"].get("strict") for each in offers] == strict

    @pytest.mark.parametrize(
        ("calling", "form"), [("json_schema", "json_schema"), ("json_object", "json_object"), ("prompt", None)]
    )
    async def test_without_functions_the_calls_come_in_an_envelope(
        self, model: ScriptedModel, calling: str, form: str | None
    ) -> None:
        envelope = {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Paris"}}]}
        decision = await decide(model, say(json.dumps(envelope)), model_calling=calling)
        asked: Any = model.asked[0]
        assert "tools" not in asked
        assert asked.get("response_format", {}).get("type") == form
        assert "get_weather" in asked["messages"][0]["content"]
        (made,) = decision.calls
        assert (made.tool, made.arguments, made.error) == ("get_weather", {"city": "Paris"}, None)
        assert made.route is not None

    @pytest.mark.parametrize(
        ("settings", "listed"),
        [
            ({}, False),
            ({"model_profile": "llama.cpp"}, True),
            ({"model_constrained": True}, True),
            ({"model_profile": "llama.cpp", "model_constrained": False}, False),
        ],
    )
    async def test_schemas_stay_the_same_from_turn_to_turn_unless_the_endpoint_holds_the_model_to_them(
        self, model: ScriptedModel, settings: dict[str, Any], listed: bool
    ) -> None:
        await decide(model, say("Done."), tools=offered(invite), **settings)
        assert ("ann@example.com" in json.dumps(model.asked[0]["tools"])) is listed

    @pytest.mark.parametrize("calling", ["native", "json_schema", "prompt"])
    async def test_a_recipient_that_nobody_mentioned_is_left_to_a_person_on_every_rung(
        self, model: ScriptedModel, calling: str
    ) -> None:
        made = {"to": "eve@evil.test"}
        envelope = say(json.dumps({"tool_calls": [{"name": "invite", "arguments": made}]}))
        answer = calls(call("invite", **made)) if calling == "native" else envelope
        (proposed,) = (await decide(model, answer, tools=offered(invite), model_calling=calling)).calls
        assert ("enum" in json.dumps(model.asked[0])) is (calling == "json_schema")
        assert proposed.error is None
        assert proposed.route is not None
        assert proposed.route.ungrounded == ("eve@evil.test",)

    @pytest.mark.parametrize("address_book", [(), ("bob@example.com",)])
    async def test_an_edited_call_is_held_to_what_was_said_and_to_the_address_book(
        self, model: ScriptedModel, address_book: tuple[str, ...]
    ) -> None:
        of_model = {"openai_model": "tiny", "openai_base_url": model.url}
        endpoint = Endpoint.from_settings(ModelSettings.model_validate(of_model))
        checked = Decide(endpoint, TOOLS, Policy(), address_book).check
        call = ToolCall(key="r/1.1", tool="send_email", arguments={"to": ["ann@example.com", "bob@example.com"]})
        unknown = () if address_book else ("bob@example.com",)
        for said, ungrounded in ((SITUATION.conversation, unknown), ((), ("ann@example.com", *unknown))):
            proposed = await ActivityEnvironment().run(checked, EditedCall(call=call, conversation=said))
            assert proposed.route is not None
            assert proposed.route.ungrounded == ungrounded
        await endpoint.aclose()

    async def test_a_call_that_leaked_is_one_only_where_calls_are_known_to_leak(self, model: ScriptedModel) -> None:
        leaked = say(json.dumps({"name": "get_weather", "arguments": {"city": "Paris"}}))
        for profile, found in (("vllm", 1), ("compatible", 0)):
            assert len((await decide(model, leaked, model_profile=profile)).calls) == found

    async def test_what_the_endpoint_may_want_back_is_kept(self, model: ScriptedModel) -> None:
        made = {**call("get_weather", city="Paris"), "extra_content": {"google": "signed"}}
        answer: Any = {"content": None, "tool_calls": [made], "reasoning_content": "Hm.", "signature": "abc"}
        for profile, reasoning in (("compatible", ""), ("gemini", ""), ("deepseek", "Hm.")):
            kept = await decide(model, answer, model_profile=profile)
            assert (kept.reasoning, kept.extra) == (reasoning, {"signature": "abc"})
            assert kept.calls[0].extra == {"extra_content": {"google": "signed"}}

    async def test_what_nobody_has_asked_for_is_kept_beside_calls_only_and_while_it_is_short(
        self, model: ScriptedModel
    ) -> None:
        long: Any = {"signature": "x" * LONGEST_HELD_BACK}
        said: Any = {"content": "Done.", "signature": "abc"}
        called: Any = calls({**call("get_weather", city="Paris"), **long})
        signed: Any = calls({**call("get_weather", city="Paris"), "signature": "abc"})
        wanted: Any = {"model_profile": "gemini"}
        assert (await decide(model, said)).extra == {}
        assert (await decide(model, said, **wanted)).extra == {"signature": "abc"}
        assert (await decide(model, called)).calls[0].extra == {}
        assert (await decide(model, called, **wanted)).calls[0].extra == long
        envelope = await decide(model, signed, model_calling="json_schema")
        assert envelope.calls[0].extra == {}

    async def test_a_name_that_endpoints_do_not_take_is_sent_as_another(self, model: ScriptedModel) -> None:
        odd = {"größe": dataclasses.replace(TOOLS["get_weather"], name="größe")}
        (made,) = (await decide(model, calls(call("gr__e", city="Paris")), tools=odd)).calls
        assert (made.tool, made.route is not None) == ("größe", True)
        offers: Any = model.asked[0]["tools"]
        assert offers[0]["function"]["name"] == "gr__e"

    def test_two_tools_with_one_such_name_are_a_mistake(self) -> None:
        odd = {name: dataclasses.replace(TOOLS["get_weather"], name=name) for name in ("größe", "gräße")}
        with pytest.raises(ConfigurationError, match="gräße, größe"):
            Offers(odd)


class TestWhatEndsOtherwise:
    async def test_a_refusal_is_one(self, model: ScriptedModel) -> None:
        decision = await decide(model, {"content": None, "refusal": "I will not."})
        assert (decision.refused, decision.text, decision.calls) == (True, "I will not.", ())

    async def test_a_text_that_reached_its_limit_has_no_end(self, model: ScriptedModel) -> None:
        asked = SITUATION.model_copy(update={"output_tokens": 10})
        assert (await decide(model, say("It is"), situation=asked)).cut_off
        assert model.asked[0]["max_tokens"] == 10

    async def test_reasoning_alone_is_a_problem(self, model: ScriptedModel) -> None:
        decision = await decide(model, {"content": None, "reasoning_content": "call get_weather"})
        assert decision.calls == ()
        assert "nothing was run" in (decision.problem or "")

    async def test_calls_that_the_endpoint_could_not_read_are_told_to_the_model(self, model: ScriptedModel) -> None:
        body = {"error": {"message": "no", "code": "tool_use_failed", "failed_generation": "<f>" + "x" * 9000}}
        decision = await decide(model, Raw(400, json.dumps(body)))
        assert "You wrote: <f>xxx" in (decision.problem or "")
        assert len(decision.problem or "") < 1000
        assert decision.usage.model_calls == 1


class TestUsage:
    async def test_what_failed_before_counts_too(self, model: ScriptedModel) -> None:
        before = Usage(model_calls=2, input_tokens=7, output_tokens=8)
        left = {"attempt": 2, "before": before.model_dump(mode="json")}
        decision = await decide(model, say("Done."), attempt=3, details=(left,))
        assert decision.usage == Usage(model_calls=3, input_tokens=107, output_tokens=18)

    @pytest.mark.parametrize(
        "details", [(), ("?",), ({"attempt": 1, "at_most": {"model_calls": 1, "output_tokens": 70}},)]
    )
    async def test_of_an_attempt_that_was_lost_all_that_it_may_have_written_counts(
        self, model: ScriptedModel, details: tuple[object, ...]
    ) -> None:
        decision = await decide(model, say("Done."), attempt=2, details=details, model_max_tokens=70)
        assert (decision.usage.model_calls, decision.usage.output_tokens) == (2, 80)

    async def test_it_has_a_cost_where_the_model_has_a_price(self, model: ScriptedModel) -> None:
        decision = await decide(model, say("Done."), model_prices="tiny=10000/100000 other=1/1")
        assert decision.usage.cost == 2

    async def test_a_failure_tells_what_all_attempts_have_used(self, model: ScriptedModel) -> None:
        left = {"attempt": 1, "before": {"model_calls": 1, "output_tokens": 5}}
        for reply, tokens, unusable in ((Raw(429, "{}"), 5, 0), (Raw(200, "<html>"), 75, 1)):
            with pytest.raises(ApplicationError) as raised:
                await decide(model, reply, attempt=2, details=(left,), model_max_tokens=70)
            (detail,) = raised.value.details
            assert (detail.usage.model_calls, detail.usage.output_tokens) == (2, tokens)
            assert beats[-1] == (UsageSoFar(attempt=2, before=detail.usage, unusable=unusable),)


class Breaking(Policy):
    """Has a mistake in it."""

    def rule_on(self, *_: object, **__: object) -> NoReturn:
        raise KeyError("rule")


class TestMistakesOfOurOwn:
    async def test_what_the_model_has_answered_is_paid_although_our_code_breaks_on_it(
        self, model: ScriptedModel
    ) -> None:
        with pytest.raises(ApplicationError) as raised:
            await decide(model, calls(call("get_weather", city="Paris")), policy=Breaking())
        assert raised.value.message == "a mistake in the worker's code broke on the reply: KeyError: 'rule'"
        assert (raised.value.type, raised.value.non_retryable) == ("ModelReplyUnusable", False)
        assert raised.value.details[0].usage == Usage(model_calls=1, input_tokens=100, output_tokens=10)

    async def test_it_is_not_paid_again_and_again(self, model: ScriptedModel) -> None:
        before = UsageSoFar(attempt=2, before=Usage(model_calls=2, output_tokens=20), unusable=2)
        with pytest.raises(ApplicationError) as raised:
            await decide(
                model, calls(call("get_weather", city="Paris")), policy=Breaking(), attempt=3, details=(before,)
            )
        assert (raised.value.type, raised.value.non_retryable) == ("NoUsableReply", True)
        assert raised.value.details[0].usage == Usage(model_calls=3, input_tokens=100, output_tokens=30)


class TestDemotion:
    async def test_what_the_request_knows_holds_from_the_first_attempt_and_is_told_on(
        self, model: ScriptedModel
    ) -> None:
        step = "calling: native → json_schema (tiny answered 400: no tools)"
        knowing = SITUATION.model_copy(update={"demoted": (step, "nonsense")})
        decision = await decide(model, say('{"final": "Done."}'), situation=knowing)
        assert (decision.text, decision.demoted) == ("Done.", (step,))
        assert "tools" not in model.asked[0]


class TestErrors:
    @pytest.mark.parametrize(
        ("reply", "kind", "retried"),
        [
            (Raw(500, "{}"), "ModelUnavailable", True),
            (Raw(401, "{}"), "ModelRefused", False),
            (Raw(400, '{"error": {"message": "tiny does not support tools"}}'), "ParameterUnsupported", True),
            (Raw(413, "{}"), CONTEXT_TOO_LONG, False),
            (Raw(200, '{"error": {"message": "no", "code": "context_length_exceeded"}}'), CONTEXT_TOO_LONG, False),
            (
                Raw(200, '{"error": {"message": "prompt length 9 is over its limit", "code": 400}}'),
                CONTEXT_TOO_LONG,
                False,
            ),
            (Raw(200, '{"error": {"message": "no", "code": 400}}'), "ModelRefused", False),
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

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            ('{"error": {"message": "no", "code": 400}}', PERHAPS_TOO_LONG),
            ('{"object": "error", "message": "no", "type": "BadRequestError", "code": 400}', PERHAPS_TOO_LONG),
            ('{"error": {"message": "no", "type": "invalid_request_error"}}', PERHAPS_TOO_LONG),
            ('{"error": {"message": "no", "code": "invalid_api_key"}}', "ModelRefused"),
            ('{"choices": [{"message": {"content": "x"}, "finish_reason": "content_filter"}]}', "ModelRefused"),
        ],
    )
    async def test_of_a_long_question_a_refusal_in_disguise_may_be_about_its_length(
        self, model: ScriptedModel, body: str, kind: str
    ) -> None:
        long = SITUATION.model_copy(update={"conversation": (UserEntry(text="word " * 4000),)})
        with pytest.raises(ApplicationError) as raised:
            await decide(model, Raw(200, body), situation=long)
        assert (raised.value.type, raised.value.non_retryable) == (kind, True)
