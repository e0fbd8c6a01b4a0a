"""Whatever an endpoint makes of a chat completion, it is read as what the model meant, or not at all."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from activities.errors import ErrandError, ModelError, ModelRefused, ModelReplyUnusable, ModelUnavailable
from activities.lenient_json import Object
from activities.model.wire.event_stream import LONGEST_JSON, MOST_EVENTS
from activities.model.wire.replies import LONGEST_TEXT, MOST_CALLS, Reply, read
from activities.model.wire.wire_calls import LONGEST_EXTRA
from tests.completions import call, calling, completion
from tests.hostile_server import Peak
from tests.unit.execution.arbitrary import nearly_json_values, quick
from workflows.contract.api import Usage
from workflows.contract.internal import Decision, ProposedCall

ANY: dict[str, Object] = {"get_weather": {}}
COUNTED = {"prompt_tokens": 12, "completion_tokens": 3}
USED = Usage(model_calls=1, input_tokens=12, output_tokens=3)


class TestText:
    @pytest.mark.parametrize(
        "message",
        [
            pytest.param({"content": "Sunny."}, id="plain"),
            pytest.param({"content": "\n Sunny. \n"}, id="with space around"),
            pytest.param({"content": [{"type": "text", "text": "Sun"}, {"text": "ny."}]}, id="parts"),
            pytest.param({"content": [None, 3, {"type": ["image"]}, {"text": "Sunny."}]}, id="odd parts"),
            pytest.param({"content": {"type": "text", "text": "Sunny."}}, id="one part, not in a list"),
            pytest.param({"content": "Sunny.", "refusal": None}, id="refusal null"),
            pytest.param({"content": "Sunny.", "refusal": ""}, id="refusal empty"),
            pytest.param({"content": "Sunny.", "tool_calls": None}, id="calls null"),
            pytest.param({"content": "Sunny.", "tool_calls": []}, id="calls empty"),
            pytest.param({"content": "Sunny.", "tool_calls": {}}, id="calls an empty object"),
            pytest.param({"content": "Sunny.", "function_call": {"name": "", "arguments": ""}}, id="old style, empty"),
            pytest.param({"content": "Sunny.", "function_call": None}, id="old style, null"),
        ],
    )
    def test_text_is_the_answer(self, message: Any) -> None:
        assert read(completion(message, usage=COUNTED)) == Reply("Sunny.", (), USED)

    @pytest.mark.parametrize("finish_reason", ["stop", "tool_calls", "eos", "", None, 3, ["stop"]])
    def test_text_is_the_answer_whatever_the_finish_reason(self, finish_reason: Any) -> None:
        assert read(completion({"content": "Sunny."}, finish_reason, usage=COUNTED)) == Reply("Sunny.", (), USED)

    def test_a_text_without_end_is_cut(self) -> None:
        assert read(completion({"content": "x" * 1_000_000})).text == "x" * LONGEST_TEXT


class TestReasoning:
    @pytest.mark.parametrize(
        "message",
        [
            pytest.param({"content": "Sunny.", "reasoning_content": "Hm."}, id="reasoning_content"),
            pytest.param({"content": "Sunny.", "reasoning": "Hm."}, id="reasoning"),
            pytest.param({"content": "Sunny.", "reasoning": "Hm.", "reasoning_content": "Hm."}, id="both"),
            pytest.param({"content": "<think>Hm.</think>Sunny."}, id="in the text"),
            pytest.param({"content": "<thinking>\nHm.\n</thinking>\n\nSunny."}, id="in the text, by another name"),
            pytest.param({"content": "Sunny.\n<think>Hm."}, id="in the text, unfinished"),
            pytest.param({"content": "Hm.\n</think>\n\nSunny."}, id="in the text, begun in the question"),
            pytest.param({"content": "Sunny.\n<think>\nHm.</think>"}, id="after the text"),
            pytest.param(
                {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"text": "Sunny."}]},
                id="a part",
            ),
            pytest.param({"content": [{"type": "reasoning", "text": "Hm."}, {"text": "Sunny."}]}, id="another part"),
        ],
    )
    def test_reasoning_is_not_the_answer(self, message: Any) -> None:
        assert read(completion(message, usage=COUNTED)) == Reply("Sunny.", (), USED, reasoning="Hm.")

    @pytest.mark.parametrize("odd", [None, "", 3, {}, []])
    def test_odd_reasoning_is_none(self, odd: Any) -> None:
        assert read(completion({"content": "Sunny.", "reasoning_content": odd})).reasoning == ""

    def test_who_speaks_of_the_tags_does_not_think(self) -> None:
        text = "It writes <think> and </think> around its thoughts."
        assert read(completion({"content": text})).text == text

    def test_reasoning_beside_calls_is_kept(self) -> None:
        reply = read(calling(call({}), content="<think>Hm.</think>Let me see.", reasoning="First"))
        assert (reply.text, reply.reasoning, len(reply.calls)) == ("Let me see.", "First\nHm.", 1)

    @pytest.mark.parametrize(
        "message",
        [
            pytest.param({"content": "", "reasoning_content": "Hm."}, id="reasoning_content"),
            pytest.param({"content": None, "tool_calls": [], "reasoning": "Hm."}, id="reasoning"),
            pytest.param({"content": "<think>Hm.</think>"}, id="in the text"),
            pytest.param({"reasoning": '<tool_call>{"name": "get_weather", "arguments": {}}</tool_call>'}, id="a call"),
        ],
    )
    @pytest.mark.parametrize("finish_reason", ["stop", "tool_calls"])
    def test_reasoning_alone_is_a_problem_and_no_call_in_it_is_run(self, message: Any, finish_reason: str) -> None:
        reply = read(completion(message, finish_reason), schemas=ANY, recover=True)
        assert (reply.text, reply.calls) == ("", ())
        assert "reasoning and nothing else" in (reply.problem or "")

    def test_reasoning_without_end_is_cut(self) -> None:
        reply = read(completion({"content": "Sunny.", "reasoning": "x" * 1_000_000}))
        assert reply.reasoning == "x" * LONGEST_TEXT


class TestSentBack:
    def test_what_the_endpoint_put_on_the_message_is_kept(self) -> None:
        details = {
            "reasoning_details": [{"type": "reasoning.encrypted", "data": "Zm9v"}],
            "extra_content": {"a": False},
        }
        assert read(calling(call({}), **details)).extra == details
        assert read(completion({"content": "Sunny.", **details})).extra == details

    @pytest.mark.parametrize("name", ["role", "annotations", "audio", "reasoning", "reasoning_content", "name"])
    def test_what_has_its_place_or_is_not_accepted_back_is_not(self, name: str) -> None:
        assert read(completion({"content": "Sunny.", name: ["x"]})).extra == {}

    @pytest.mark.parametrize("nothing", [None, "", [], {}])
    def test_nothing_is_not(self, nothing: Any) -> None:
        assert read(completion({"content": "Sunny.", "reasoning_details": nothing})).extra == {}

    def test_too_much_is_not(self) -> None:
        assert read(completion({"content": "Sunny.", "details": "x" * LONGEST_EXTRA})).extra == {}


class TestRefusal:
    @pytest.mark.parametrize(
        "message",
        [
            pytest.param({"content": None, "refusal": "I cannot."}, id="a field"),
            pytest.param({"content": "Well,", "refusal": " I cannot. "}, id="a field beside text"),
            pytest.param({"content": [{"type": "refusal", "refusal": "I cannot."}]}, id="a part"),
            pytest.param({"content": [{"text": "Well,"}, {"type": "refusal", "refusal": "I cannot."}]}, id="parts"),
            pytest.param({"content": None, "refusal": "I cannot.", "tool_calls": [call({})]}, id="beside calls"),
        ],
    )
    def test_a_refusal_is_the_answer_and_nothing_is_run(self, message: Any) -> None:
        assert read(completion(message, usage=COUNTED)) == Reply("I cannot.", (), USED, refused=True)

    @pytest.mark.parametrize("message", [{"content": None}, {"content": "Well,"}, {"tool_calls": [call({})]}])
    def test_what_the_content_filter_withholds_is_no_answer(self, message: Any) -> None:
        with pytest.raises(ModelRefused, match="content filter"):
            read(completion(message, "content_filter"))


class TestCutOff:
    @pytest.mark.parametrize("finish_reason", ["length", "max_tokens", "MAX_TOKENS", "model_length"])
    @pytest.mark.parametrize(
        "message",
        [
            pytest.param({"content": "Sun"}, id="in the text"),
            pytest.param({"content": ""}, id="before the text"),
            pytest.param({"content": "<think>Hm"}, id="in the reasoning"),
            pytest.param({"content": None, "reasoning_content": "Hm"}, id="in separate reasoning"),
        ],
    )
    def test_a_text_that_reached_its_limit_is_cut_off(self, message: Any, finish_reason: str) -> None:
        reply = read(completion(message, finish_reason))
        assert (reply.cut_off, reply.problem, reply.calls) == (True, None, ())

    @pytest.mark.parametrize("finish_reason", ["stop", "tool_calls", None])
    @pytest.mark.parametrize(("spent", "cut_off"), [(99, False), (100, True), (101, True)])
    def test_who_spent_all_tokens_was_cut_off_whatever_it_says(
        self, finish_reason: str | None, spent: int, cut_off: bool
    ) -> None:
        usage = {"completion_tokens": spent}
        body = completion({"content": "Sun"}, finish_reason, usage=usage)
        assert read(body, max_tokens=100).cut_off is cut_off
        called = completion({"tool_calls": [call({})]}, finish_reason, usage=usage)
        (made,) = read(called, max_tokens=100).calls
        assert bool(made.problem) is cut_off

    def test_of_an_answer_that_was_cut_off_no_call_is_run(self) -> None:
        reply = read(calling(call({"city": "Paris"}), call('{"city": "Ro'), finish_reason="length"))
        assert not reply.cut_off
        assert ["cut off" in (each.problem or "") for each in reply.calls] == [True, True]

    @pytest.mark.parametrize("finish_reason", ["error", "abort", "insufficient_system_resource"])
    def test_of_an_answer_that_was_broken_off_nothing_is_used(self, finish_reason: str) -> None:
        with pytest.raises(ModelUnavailable, match=finish_reason):
            read(calling(call({}), content="Sun", finish_reason=finish_reason))


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
            pytest.param('{"error": null, "choices": null}', id="choices null"),
            pytest.param('{"choices": []}', id="choices empty"),
            pytest.param('{"choices": {"0": {}}}', id="choices an object"),
            pytest.param('{"choices": ["Sunny."]}', id="a choice that is text"),
            pytest.param('{"choices": [null]}', id="a choice that is null"),
            pytest.param('{"choices": [{"text": "Sunny."}]}', id="no message"),
            pytest.param('{"choices": [{"message": null}]}', id="message null"),
            pytest.param('{"choices": [{"message": "Sunny."}]}', id="message text"),
            pytest.param('{"choices": [{"message": {"content": NaN}}]}', id="NaN"),
            pytest.param("[" * 100_000, id="nested without end"),
            pytest.param('data: {"choices": []}\n\ndata: [DONE]\n', id="a stream of nothing"),
            pytest.param("data: <html>\n\n", id="a stream of no JSON"),
            pytest.param(completion({"content": None}), id="content null"),
            pytest.param(completion({"content": "  "}), id="content blank"),
            pytest.param(completion({"content": {"parts": "Sunny."}}), id="content an object"),
            pytest.param(completion({"content": None, "tool_calls": []}, "tool_calls"), id="calls promised, none made"),
            pytest.param(calling(*[call({})] * (MOST_CALLS + 1)), id="calls without end"),
            pytest.param(calling(*[call({"body": "x" * 60_000})] * 10), id="calls too long to be passed on"),
        ],
    )
    def test_what_is_neither_text_nor_calls_is_asked_for_again(self, body: str) -> None:
        with pytest.raises(ModelReplyUnusable) as raised:
            read(body)
        assert len(str(raised.value)) < 1000


class TestTooMuch:
    """What is bounded in bytes may still take a hundred times as much once it is read."""

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param('{"a": [' + "[]," * 5_000_000 + "0]}", id="lists"),
            pytest.param('{"choices": [{"message": {"content": "' + "x" * LONGEST_JSON + '"}}]}', id="text"),
            pytest.param('data: {"choices": []}\n\n' * (MOST_EVENTS + 1), id="events"),
            pytest.param("data: 1\n" * (MOST_EVENTS + 1), id="lines of an event"),
            pytest.param(calling(*[call({})] * 30_000), id="calls"),
        ],
    )
    @pytest.mark.long
    def test_a_reply_that_would_take_long_to_read_is_of_no_use(self, body: str) -> None:
        peak, begun = Peak(), time.thread_time()
        with pytest.raises(ModelReplyUnusable, match=r"are the most|more than 200,000"):
            read(body)
        assert peak.grown < 100
        assert time.thread_time() - begun < 10


class TestUsage:
    @pytest.mark.parametrize(
        ("usage", "tokens"),
        [
            pytest.param({"prompt_tokens": 12, "completion_tokens": 3}, (12, 3), id="as it should be"),
            pytest.param({"prompt_tokens": 10**9, "completion_tokens": 10**9}, (10**9, 10**9), id="the most"),
            pytest.param({"prompt_tokens": 12}, (12, 2), id="half"),
            pytest.param({"prompt_tokens": 12, "prompt_tokens_details": {"cached_tokens": 8}}, (12, 2), id="details"),
        ],
    )
    def test_tokens_are_counted_where_the_endpoint_counts_them(self, usage: Any, tokens: tuple[int, int]) -> None:
        used = read(completion({"content": "Sunny."}, usage=usage)).usage
        assert (used.model_calls, used.input_tokens, used.output_tokens) == (1, *tokens)

    @pytest.mark.parametrize(
        "usage",
        [
            pytest.param({"prompt_tokens": 0, "completion_tokens": 0}, id="zero"),
            pytest.param({"prompt_tokens": 12.0, "completion_tokens": 3.9}, id="floats"),
            pytest.param({"prompt_tokens": "12", "completion_tokens": None}, id="text and null"),
            pytest.param({"prompt_tokens": -1, "completion_tokens": -1.5}, id="negative"),
            pytest.param(
                {"prompt_tokens": True, "completion_tokens": 10**9 + 1}, id="true, and more than there can be"
            ),
            pytest.param({"prompt_tokens": {"text": 12}, "completion_tokens": [3]}, id="nested"),
            pytest.param({}, id="empty"),
            pytest.param(None, id="null"),
            pytest.param([12, 3], id="a list"),
        ],
    )
    def test_where_it_does_not_what_was_written_is_estimated(self, usage: Any) -> None:
        used = read(completion({"content": "Sunny."}, usage=usage)).usage
        assert (used.input_tokens, used.output_tokens) == (0, 2)

    @pytest.mark.parametrize(
        ("message", "tokens"),
        [
            pytest.param({"content": "x" * 300}, 100, id="text"),
            pytest.param({"content": "ä" * 150}, 100, id="bytes, not characters"),
            pytest.param({"content": "x", "reasoning": "x" * 299}, 100, id="reasoning"),
            pytest.param({"content": "<think>" + "x" * 300 + "</think>"}, 100, id="reasoning in the text"),
            pytest.param({"content": None, "refusal": "x" * 300}, 100, id="a refusal"),
            pytest.param({"content": "x" * 300_000}, 100_000, id="text that is cut"),
        ],
    )
    def test_the_estimate_is_a_third_of_the_bytes(self, message: Any, tokens: int) -> None:
        assert read(completion(message)).usage.output_tokens == tokens

    def test_the_estimate_counts_calls_and_their_arguments(self) -> None:
        calls = [call(json.dumps({"city": "x" * 300})), call("{not JSON" + "x" * 300)]
        assert 200 < read(calling(*calls)).usage.output_tokens < 350

    def test_an_estimate_is_no_reason_to_take_a_reply_for_cut_off(self) -> None:
        assert not read(completion({"content": "x" * 900}), max_tokens=100).cut_off

    @pytest.mark.parametrize(
        ("usage", "output_tokens"),
        [({"prompt_tokens": 12, "completion_tokens": 3}, 3), ({"prompt_tokens": 12}, None), (None, None)],
    )
    @pytest.mark.parametrize("message", [{"content": ""}, None])
    def test_of_a_reply_that_says_nothing_the_endpoints_count_is_known_or_none(
        self, message: Any, usage: Any, output_tokens: int | None
    ) -> None:
        with pytest.raises(ModelReplyUnusable) as raised:
            read(completion(message, usage=usage))
        used = raised.value.usage
        assert (used.output_tokens if used else None) == output_tokens

    @pytest.mark.parametrize(("usage", "output_tokens"), [({"completion_tokens": 3}, 3), (None, 1)])
    @pytest.mark.parametrize("finish_reason", ["content_filter", "error"])
    def test_what_cannot_be_used_was_written_all_the_same(
        self, finish_reason: str, usage: Any, output_tokens: int
    ) -> None:
        with pytest.raises(ModelError) as raised:
            read(completion({"content": "Sun"}, finish_reason, usage=usage))
        assert raised.value.usage == Usage(model_calls=1, output_tokens=output_tokens)


def objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that may have each field, as it should be or not."""
    return st.fixed_dictionaries({}, optional={name: nearly_json_values | each for name, each in fields.items()})


Functions = objects(name=st.sampled_from(["get_weather", "parallel"]), arguments=nearly_json_values.map(json.dumps))
Calls = st.lists(objects(function=Functions, index=st.integers(), custom=Functions), max_size=3)
Texts = (
    st.text() | Functions.map(json.dumps) | st.sampled_from(["<think>", "</think>x", "<tool_call>{", "[TOOL_CALLS]"])
)
Parts = st.lists(objects(type=st.sampled_from(["text", "refusal", "thinking"]), text=st.text()), max_size=3)
Messages = objects(
    content=Texts | Parts, tool_calls=Calls, refusal=st.text(), function_call=Functions, reasoning=st.text()
)
FINISHES = ["stop", "length", "content_filter", "error"]
Choices = st.lists(objects(message=Messages, finish_reason=st.sampled_from(FINISHES)), max_size=2)
Completions = objects(
    choices=Choices, usage=objects(completion_tokens=st.integers()), error=objects(code=st.integers())
)


def is_json(body: str) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


class TestAnything:
    @quick
    @given(nearly_json_values.map(json.dumps) | Completions.map(json.dumps) | Messages.map(completion) | st.text())
    def test_every_reply_can_be_passed_on_or_is_an_error_of_the_tree(self, body: str) -> None:
        try:
            reply = read(body, schemas=ANY, recover=True, max_tokens=100)
        except ErrandError as error:
            assert type(error) in (ModelReplyUnusable, ModelUnavailable, ModelRefused)  # noqa: PT017
            assert len(str(error).encode().splitlines()) == 1  # noqa: PT017
            assert ("cannot be read as JSON" in str(error)) is not is_json(body)  # noqa: PT017
            return
        assert reply.text or reply.calls or reply.cut_off or reply.problem
        calls = tuple(ProposedCall(tool=each.tool, arguments=each.arguments) for each in reply.calls)
        decision = Decision(text=reply.text, calls=calls, usage=reply.usage)
        assert Decision.model_validate_json(to_json(decision)) == decision
        assert json.loads(to_json([reply.reasoning, reply.extra, reply.problem])) == [
            reply.reasoning, reply.extra, reply.problem
        ]  # fmt: skip
