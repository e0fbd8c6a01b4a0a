"""Whatever an endpoint makes of a chat completion, it is read as what the model meant, or not at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue
from pydantic_core import from_json, to_json

from activities.errors import ErrandError, ModelRefused, ModelReplyUnusable, ModelUnavailable
from activities.replies import DEEPEST, RawCall, Reply, parse, read
from tests.unit.core.arbitrary import nearly_json_values, quick
from workflows.contract import Arguments, Decision, ProposedCall, Usage


def completion(message: Any, finish_reason: str | None = "stop", **more: Any) -> str:
    return json.dumps({"choices": [{"message": message, "finish_reason": finish_reason}], **more})


def calling(*calls: Any, finish_reason: str | None = "tool_calls", **message: Any) -> str:
    return completion({"role": "assistant", "content": None, "tool_calls": calls, **message}, finish_reason)


def call(arguments: Any, **more: Any) -> dict[str, Any]:
    return {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": arguments}, **more}


def only_call(body: str) -> RawCall:
    (made,) = read(body).calls
    return made


PARIS: Arguments = {"city": "Paris"}


class TestText:
    @pytest.mark.parametrize(
        ("message", "text"),
        [
            pytest.param({"content": "Sunny."}, "Sunny.", id="plain"),
            pytest.param({"content": "\n Sunny. \n"}, "Sunny.", id="with space around"),
            pytest.param({"content": [{"type": "text", "text": "Sun"}, {"text": "ny."}]}, "Sunny.", id="parts"),
            pytest.param({"content": [None, 3, {"type": "image"}, {"text": "Sunny."}]}, "Sunny.", id="odd parts"),
            pytest.param({"content": None, "refusal": "I cannot."}, "I cannot.", id="a refusal"),
            pytest.param({"content": "Sunny.", "tool_calls": None}, "Sunny.", id="calls null"),
            pytest.param({"content": "Sunny.", "tool_calls": []}, "Sunny.", id="calls empty"),
            pytest.param({"content": "Sunny.", "tool_calls": {}}, "Sunny.", id="calls an empty object"),
            pytest.param({"content": "Sunny.", "reasoning_content": "Hm."}, "Sunny.", id="unknown fields"),
            pytest.param({"content": "Sunny.", "function_call": {"name": ""}}, "Sunny.", id="old style"),
        ],
    )  # fmt: skip
    def test_text_is_the_answer(self, message: Any, text: str) -> None:
        assert read(completion(message)) == Reply(text, (), Usage(model_calls=1))

    @pytest.mark.parametrize("finish_reason", ["stop", "length", "content_filter", "tool_calls", "eos", "", None])
    def test_text_is_the_answer_whatever_the_finish_reason(self, finish_reason: str | None) -> None:
        assert read(completion({"content": "Sunny."}, finish_reason)).text == "Sunny."


class TestCalls:
    @pytest.mark.parametrize(
        ("arguments", "meant"),
        [
            pytest.param('{"city": "Paris"}', PARIS, id="JSON text"),
            pytest.param({"city": "Paris"}, PARIS, id="an object"),
            pytest.param('"{\\"city\\": \\"Paris\\"}"', PARIS, id="encoded twice"),
            pytest.param('{"a": {"b": [1, 2.5, null, true]}}', {"a": {"b": [1, 2.5, None, True]}}, id="nested"),
            pytest.param("", {}, id="empty"),
            pytest.param(" \n", {}, id="blank"),
            pytest.param("{}", {}, id="an empty object"),
            pytest.param("null", {}, id="null as text"),
            pytest.param(None, {}, id="null"),
        ],
    )
    def test_arguments_are_what_the_model_wrote(self, arguments: Any, meant: Arguments) -> None:
        assert only_call(calling(call(arguments))) == RawCall("get_weather", meant)

    def test_arguments_left_out_are_none(self) -> None:
        assert only_call(calling({"function": {"name": "now"}})) == RawCall("now", {})

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            pytest.param('{"city": "Par', "not valid JSON", id="cut off"),
            pytest.param("{'city': 'Paris'}", "not valid JSON", id="Python"),
            pytest.param("city=Paris", "not valid JSON", id="no JSON"),
            pytest.param('{"city": "Paris"}{"city": "Rome"}', "not valid JSON", id="two objects"),
            pytest.param('```json\n{"city": "Paris"}\n```', "not valid JSON", id="in a fence"),
            pytest.param('{"days": NaN}', "NaN is not JSON", id="NaN"),
            pytest.param('{"days": -Infinity}', "-Infinity is not JSON", id="infinity"),
            pytest.param('{"days": 1e999}', "1e999 is too large", id="infinity by another name"),
            pytest.param('{"city": "Paris", "city": "Rome"}', "'city' is there twice", id="a name twice"),
            pytest.param('{"a": {"to": "x", "to": "y"}}', "'to' is there twice", id="a name twice, deeper"),
            pytest.param('{"city": "\\ud83d"}', "not valid JSON", id="half a surrogate pair"),
            pytest.param('{"\\udc00": 1}', "not valid JSON", id="half a surrogate pair in a name"),
            pytest.param("[" * 100_000, "nested too deeply", id="nested without end"),
            pytest.param('{"a":' * 200 + "1" + "}" * 200, "nested too deeply", id="nested too deeply"),
            pytest.param("1" * 5000, "not valid JSON", id="an endless number"),
            pytest.param('["Paris"]', "must be a JSON object", id="a list"),
            pytest.param('"Paris"', "not valid JSON", id="text"),
            pytest.param("3", "must be a JSON object", id="a number"),
            pytest.param("false", "must be a JSON object", id="false"),
            pytest.param(0, "must be a JSON object", id="zero, not as text"),
            pytest.param(["Paris"], "must be a JSON object", id="a list, not as text"),
            pytest.param(json.dumps(json.dumps('{"city": "Paris"}')), "must be a JSON object", id="encoded thrice"),
        ],
    )  # fmt: skip
    def test_arguments_that_cannot_be_read_are_a_problem_and_never_a_guess(self, arguments: Any, problem: str) -> None:
        made = only_call(calling(call(arguments)))
        assert made.tool == "get_weather"
        assert made.arguments == {}
        assert problem in (made.problem or "")

    def test_a_problem_quotes_no_more_than_the_beginning(self) -> None:
        assert len(only_call(calling(call("x" * 100_000))).problem or "") < 1000

    @pytest.mark.parametrize("id_", ["", None, 7, "call_abc", {"odd": True}])
    def test_the_id_does_not_matter(self, id_: Any) -> None:
        assert only_call(calling(call(PARIS, id=id_))) == RawCall("get_weather", PARIS)

    def test_an_id_or_a_type_may_be_missing(self) -> None:
        assert only_call(calling({"function": {"name": "get_weather", "arguments": "{}"}})).problem is None

    def test_two_calls_with_one_id_are_two_calls(self) -> None:
        calls = read(calling(call({"city": "Paris"}), call({"city": "Rome"}), call({"city": "Rome"}))).calls
        assert [each.arguments["city"] for each in calls] == ["Paris", "Rome", "Rome"]

    @pytest.mark.parametrize("finish_reason", ["stop", "tool_calls", "tool_call", "eos", "", None])
    def test_calls_are_calls_whatever_the_finish_reason(self, finish_reason: str | None) -> None:
        assert only_call(calling(call(PARIS), finish_reason=finish_reason)) == RawCall("get_weather", PARIS)

    def test_text_beside_calls_is_kept(self) -> None:
        reply = read(calling(call(PARIS), content="Let me see."))
        assert (reply.text, len(reply.calls)) == ("Let me see.", 1)

    def test_of_an_answer_cut_off_at_its_length_no_call_is_run(self) -> None:
        calls = read(calling(call(PARIS), call('{"city": "Ro'), finish_reason="length")).calls
        assert [bool(each.problem) for each in calls] == [True, True]
        assert all("cut off" in (each.problem or "") for each in calls)

    @pytest.mark.parametrize(
        "odd",
        [
            pytest.param({"id": "c1", "type": "function"}, id="no function"),
            pytest.param({"type": "custom", "custom": {"name": "get_weather", "input": "Paris"}}, id="type custom"),
            pytest.param({"function": "get_weather"}, id="function as text"),
            pytest.param({"function": None}, id="function null"),
            pytest.param({"name": "get_weather", "arguments": "{}"}, id="function left out"),
            pytest.param("get_weather", id="text"),
            pytest.param(None, id="null"),
            pytest.param([], id="a list"),
        ],
    )
    def test_what_is_no_call_is_a_problem_in_its_place(self, odd: Any) -> None:
        first, second = read(calling(odd, call(PARIS))).calls
        assert (first.tool, first.arguments) == ("", {})
        assert first.problem
        assert second == RawCall("get_weather", PARIS)

    @pytest.mark.parametrize("name", [None, 3, ["get_weather"], {}])
    def test_a_name_that_is_no_text_names_no_function(self, name: Any) -> None:
        assert only_call(calling({"function": {"name": name, "arguments": "{}"}})).tool == ""

    @pytest.mark.parametrize("calls", [call(PARIS), "get_weather", 1, True])
    def test_calls_that_are_no_list_are_never_passed_over(self, calls: Any) -> None:
        with pytest.raises(ModelReplyUnusable, match="no list"):
            read(completion({"content": "Mail sent.", "tool_calls": calls}))


class TestUnusable:
    @pytest.mark.parametrize(
        "body",
        [
            pytest.param("", id="nothing"),
            pytest.param("<html><body>502 Bad Gateway</body></html>", id="HTML"),
            pytest.param('{"choices": [', id="cut off"),
            pytest.param("null", id="null"),
            pytest.param("[]", id="a list"),
            pytest.param('"Sunny."', id="text"),
            pytest.param("{}", id="an empty object"),
            pytest.param('{"choices": null}', id="choices null"),
            pytest.param('{"choices": []}', id="choices empty"),
            pytest.param('{"choices": {"0": {}}}', id="choices an object"),
            pytest.param('{"choices": ["Sunny."]}', id="a choice that is text"),
            pytest.param('{"choices": [null]}', id="a choice that is null"),
            pytest.param('{"choices": [{"text": "Sunny."}]}', id="no message"),
            pytest.param('{"choices": [{"message": null}]}', id="message null"),
            pytest.param('{"choices": [{"message": "Sunny."}]}', id="message text"),
            pytest.param('{"choices": [{"message": {"content": NaN}}]}', id="NaN"),
            pytest.param('{"choices": [{"message": {"content": "\\ud83d"}}]}', id="half a surrogate pair"),
            pytest.param("[" * 100_000, id="nested without end"),
            pytest.param('data: {"choices": []}\n\ndata: [DONE]\n', id="a stream"),
            pytest.param(completion({"content": None}), id="content null"),
            pytest.param(completion({"content": "  "}), id="content blank"),
            pytest.param(completion({"content": {"text": "Sunny."}}), id="content an object"),
            pytest.param(completion({"content": "", "reasoning_content": "call get_weather"}), id="only reasoning"),
            pytest.param(completion({"content": None, "tool_calls": []}, "tool_calls"), id="calls promised, none made"),
        ],
    )
    def test_what_is_neither_text_nor_calls_is_asked_for_again(self, body: str) -> None:
        with pytest.raises(ModelReplyUnusable):
            read(body)

    @pytest.mark.parametrize(
        ("error", "meaning"),
        [
            pytest.param({"message": "overloaded", "code": 503}, ModelUnavailable, id="a server error"),
            pytest.param({"message": "slow down", "code": 429}, ModelUnavailable, id="too many requests"),
            pytest.param({"message": "slow", "code": 408}, ModelUnavailable, id="time-out"),
            pytest.param({"message": "broken", "code": None}, ModelUnavailable, id="no code"),
            pytest.param({"message": "broken", "code": "oops"}, ModelUnavailable, id="an unknown code"),
            pytest.param("broken", ModelUnavailable, id="text"),
            pytest.param(["broken"], ModelUnavailable, id="a list"),
            pytest.param({"message": "bad key", "code": 401}, ModelRefused, id="unauthorized"),
            pytest.param({"message": "too long", "status": 400}, ModelRefused, id="status instead of code"),
            pytest.param({"message": "pay", "code": "insufficient_quota"}, ModelRefused, id="quota"),
        ],
    )
    def test_an_error_under_status_200_is_an_error(self, error: Any, meaning: type[ErrandError]) -> None:
        with pytest.raises(meaning) as raised:
            read(json.dumps({"error": error, "choices": None}))
        assert type(raised.value) is meaning
        assert (error["message"] if isinstance(error, dict) else "broken") in str(raised.value)


class TestUsage:
    @pytest.mark.parametrize(
        ("usage", "tokens"),
        [
            ({"prompt_tokens": 12, "completion_tokens": 3}, (12, 3)),
            ({"prompt_tokens": 12}, (12, 0)),
            ({"prompt_tokens": "12", "completion_tokens": None}, (0, 0)),
            ({}, (0, 0)),
            (None, (0, 0)),
            ([], (0, 0)),
        ],
    )
    def test_tokens_are_counted_where_the_endpoint_counts_them(self, usage: Any, tokens: tuple[int, int]) -> None:
        used = read(completion({"content": "Sunny."}, usage=usage)).usage
        assert (used.model_calls, used.input_tokens, used.output_tokens) == (1, *tokens)


def objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that may have each field, as it should be or not."""
    return st.fixed_dictionaries({}, optional={name: nearly_json_values | each for name, each in fields.items()})


Functions = objects(name=st.just("get_weather"), arguments=st.text() | nearly_json_values.map(json.dumps))
Messages = objects(content=st.text(), tool_calls=st.lists(objects(function=Functions), max_size=3), refusal=st.text())
Choices = st.lists(objects(message=Messages, finish_reason=st.sampled_from(["stop", "length"])), max_size=2)
Completions = objects(choices=Choices, usage=objects(prompt_tokens=st.integers()), error=objects(code=st.integers()))


class TestAnything:
    @quick
    @given(nearly_json_values.map(json.dumps) | Completions.map(json.dumps) | st.text())
    def test_every_reply_can_be_passed_on_or_is_an_error_of_the_tree(self, body: str) -> None:
        try:
            reply = read(body)
        except ErrandError:
            return
        calls = tuple(ProposedCall(tool=each.tool, arguments=each.arguments) for each in reply.calls)
        decision = Decision(text=reply.text, calls=calls, usage=reply.usage)
        assert Decision.model_validate_json(to_json(decision)) == decision

    @quick
    @given(nearly_json_values)
    def test_what_parses_is_what_everybody_else_reads(self, value: Any) -> None:
        text = json.dumps(value)
        try:
            parsed = parse(text)
        except ValueError:
            return
        assert from_json(text, allow_inf_nan=False) == parsed

    def test_nesting_is_allowed_within_reason(self) -> None:
        value: JsonValue = 1
        for _ in range(DEEPEST - 1):
            value = [value]
        assert parse(json.dumps(value)) == value
