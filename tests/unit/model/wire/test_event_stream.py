"""A stream that nobody asked for says the same as the completion that it is made of."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.errors import ModelRefused, ModelReplyUnusable, ModelUnavailable
from activities.lenient_json import Object
from activities.model.wire.event_stream import is_event_stream
from activities.model.wire.replies import read
from tests.completions import call, completion
from tests.quirky_replies import streamed
from tests.unit.execution.arbitrary import quick
from workflows.contract.api import Usage

ANY: dict[str, Object] = {"get_weather": {}}
PARIS = {"city": "Paris"}


def events(*chunks: Any) -> str:
    return "".join(f"data: {each if isinstance(each, str) else json.dumps(each)}\n\n" for each in chunks)


def delta(finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}]}


def piece(**fields: Any) -> dict[str, Any]:
    return delta(tool_calls=[fields])


DONE = "[DONE]"
SUNNY = events(delta(content="Sun"), delta(content="ny."), delta("stop"), DONE)


class TestEvents:
    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(SUNNY, id="as they should be"),
            pytest.param(SUNNY.replace("\n", "\r\n"), id="with other line ends"),
            pytest.param(SUNNY.replace("\n", "\r"), id="with the oldest line ends"),
            pytest.param(SUNNY.replace("data: ", "data:"), id="without spaces"),
            pytest.param(SUNNY.replace("\n\n", "\n"), id="without empty lines"),
            pytest.param(SUNNY.rstrip("\n"), id="without an end of the last line"),
            pytest.param("\ufeff" + SUNNY, id="with a byte order mark"),
            pytest.param(f"\n\n{SUNNY}", id="after empty lines"),
            pytest.param(f": ping\n\n{SUNNY}", id="with a comment"),
            pytest.param(f"id: 7\nevent: message\nretry: 3\n{SUNNY}", id="with other fields"),
            pytest.param(f'event: ping\ndata: {{"type": "ping"}}\n\n{SUNNY}', id="with a ping"),
            pytest.param(SUNNY.replace('{"choices"', '{\ndata: "choices"'), id="on several lines each"),
            pytest.param(SUNNY + "data: <html>\n\n", id="with something after their end"),
            pytest.param(events(delta("stop", content="Sunny.")), id="in one"),
            pytest.param(events("null", [], 3, {"choices": None}, delta(content="Sunny."), DONE), id="odd ones"),
            pytest.param(events(json.loads(completion({"content": "Sunny."}))), id="a whole completion"),
        ],
    )
    def test_the_text_is_put_together_however_they_are_written(self, body: str) -> None:
        assert is_event_stream(body)
        assert read(body).text == "Sunny."

    @pytest.mark.parametrize("body", ["", "{}", ' [{"a": 1}]', "<html>data: x", '"data: x"', "Sunny.", "null"])
    def test_what_is_no_stream_is_not_taken_for_one(self, body: str) -> None:
        assert not is_event_stream(body)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(events(delta(content="Sun")), id="before its end"),
            pytest.param(events(delta(content="Sun")) + 'data: {"choices": [{"del', id="in the middle of an event"),
        ],
    )
    def test_a_stream_that_breaks_off_is_no_answer(self, body: str) -> None:
        with pytest.raises(ModelUnavailable, match="no end"):
            read(body)

    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            ({"error": {"message": "overloaded", "code": 503}}, ModelUnavailable),
            ({"object": "error", "message": "bad", "code": 400}, ModelRefused),
            ([{"error": {"message": "bad", "code": 400}}], ModelRefused),
        ],
    )
    def test_an_error_in_a_stream_is_one(self, error: Any, kind: type[Exception]) -> None:
        with pytest.raises(kind, match=r"overloaded|bad"):
            read(events(delta(content="Sun"), error))

    def test_an_event_that_is_called_an_error_is_one(self) -> None:
        with pytest.raises(ModelUnavailable, match="busy"):
            read(events(delta(content="Sun")) + 'event: error\ndata: {"message": "busy"}\n\n')

    @pytest.mark.parametrize("body", ["data: \n\n", "data: [DONE]\n\n", "event: x\n\n", "data: {\n\n", ": ping\n\n"])
    def test_a_stream_of_nothing_is_of_no_use(self, body: str) -> None:
        with pytest.raises(ModelReplyUnusable):
            read(body)


class TestPieces:
    def test_the_usage_comes_last_and_with_no_choice(self) -> None:
        usage: Any = {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 3}}
        reply = read(events({**delta(content="Sunny."), "usage": None}, delta("stop"), usage, DONE))
        assert reply.usage == Usage(model_calls=1, input_tokens=12, output_tokens=3)

    def test_two_halves_of_one_character_are_joined(self) -> None:
        assert read(events(delta(content="\ud83d"), delta("stop", content="\ude00"))).text == "😀"

    def test_a_text_that_reached_its_limit_is_cut_off(self) -> None:
        assert read(events(delta(content="Sun"), delta("length"), DONE)).cut_off

    def test_reasoning_and_a_refusal_are_what_they_are(self) -> None:
        thoughts = delta(reasoning_content="H"), delta(reasoning_content="m.")
        thought = read(events(*thoughts, delta("stop", content="Ok.")))
        assert (thought.reasoning, thought.text) == ("Hm.", "Ok.")
        refused = read(events(delta(refusal="I "), delta("stop", refusal="cannot.")))
        assert (refused.refused, refused.text) == (True, "I cannot.")

    def test_text_may_come_in_parts(self) -> None:
        thinking = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]
        reply = read(events(delta(content=thinking), delta(content="Sun"), delta("stop", content=[{"text": "ny."}])))
        assert (reply.reasoning, reply.text) == ("Hm.", "Sunny.")

    def test_what_is_to_be_sent_back_is_kept(self) -> None:
        details = [{"type": "reasoning.text", "text": "a"}], [{"type": "reasoning.encrypted", "data": "b"}]
        signed = piece(index=0, id="c1", function={"name": "get_weather"}, extra_content={"google": "signed"})
        arguments = piece(index=0, function={"arguments": "{}"})
        reply = read(events(*(delta(reasoning_details=each) for each in details), signed, arguments, delta("stop")))
        assert reply.extra == {"reasoning_details": [*details[0], *details[1]]}
        assert reply.calls[0].extra == {"extra_content": {"google": "signed"}}


class TestCalls:
    @pytest.mark.parametrize(
        "pieces",
        [
            pytest.param(
                [
                    {"index": 0, "id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": ""}},
                    {"index": 0, "function": {"arguments": '{"city":'}},
                    {"index": 0, "function": {"arguments": ' "Paris"}'}},
                ],
                id="in pieces",
            ),
            pytest.param([call(json.dumps(PARIS))], id="whole, without an index"),
            pytest.param([call(PARIS)], id="with an object for arguments"),
            pytest.param(
                [
                    {"id": "c1", "function": {"name": "get_weather", "arguments": '{"city"'}},
                    {"id": "", "function": {"name": None, "arguments": ': "Par'}},
                    {"function": {"arguments": 'is"}'}},
                ],
                id="in pieces, without an index",
            ),
            pytest.param(
                [
                    {"index": 0, "id": "c1", "function": {"name": "get_weather", "arguments": '{"city"'}},
                    {"index": 0, "id": "c1", "function": {"name": "get_weather", "arguments": ': "Paris"}'}},
                ],
                id="with a name and an id in every piece",
            ),
            pytest.param(
                [
                    {"index": 0, "id": "c1", "function": {"name": "get_"}},
                    {"index": 0, "function": {"name": "weather", "arguments": json.dumps(PARIS)}},
                ],
                id="with a name in pieces",
            ),
        ],
    )
    def test_a_call_is_put_together(self, pieces: list[Any]) -> None:
        (made,) = read(events(*(piece(**each) for each in pieces), delta("tool_calls"), DONE), schemas=ANY).calls
        assert (made.tool, made.arguments, made.problem) == ("get_weather", PARIS, None)

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            pytest.param({"index": 0, "id": "a"}, {"index": 1, "id": "b"}, id="of two indices"),
            pytest.param({"index": 1, "id": "b"}, {"index": 3, "id": "c"}, id="of indices that leave some out"),
            pytest.param({"index": 0, "id": "a"}, {"index": 0, "id": "b"}, id="of one index and two ids"),
            pytest.param({"id": "a"}, {"id": "b"}, id="of two ids"),
        ],
    )
    def test_calls_stay_apart(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        function = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
        body = events(piece(**first, function=function), piece(**second, function=function), delta("tool_calls"))
        assert [each.arguments for each in read(body, schemas=ANY).calls] == [PARIS, PARIS]

    def test_a_call_of_the_old_style_is_put_together(self) -> None:
        pieces = {"name": "get_weather", "arguments": ""}, {"arguments": '{"city": '}, {"arguments": '"Paris"}'}
        body = events(*(delta(function_call=each) for each in pieces), delta("function_call"))
        assert read(body, schemas=ANY).calls[0].arguments == PARIS


texts = st.text(max_size=12)


class TestAnything:
    @quick
    @given(texts, texts, st.lists(texts, max_size=3), st.integers(1, 5))
    def test_in_pieces_of_any_size_it_says_the_same(
        self, content: str, reasoning: str, cities: list[str], step: int
    ) -> None:
        def cut(text: str) -> list[str]:
            return [text[at : at + step] for at in range(0, len(text), step)]

        made = [call(json.dumps({"city": city})) for city in cities]
        deltas: list[Any] = [{"role": "assistant", "content": None}, *({"reasoning": each} for each in cut(reasoning))]
        deltas += [{"content": each} for each in cut(content)]
        for index, each in enumerate(made):
            deltas.append({"tool_calls": [{"index": index, "id": f"c{index}", "function": {"name": "get_weather"}}]})
            for part in cut(each["function"]["arguments"]):
                deltas.append({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
        counted = {"prompt_tokens": 12, "completion_tokens": 3}
        message = {"content": content, "reasoning": reasoning, "tool_calls": made}
        whole, stream = completion(message, usage=counted), streamed(*deltas).body
        assert outcome(stream) == outcome(whole)


def outcome(body: str) -> object:
    try:
        return read(body, schemas=ANY)
    except ModelReplyUnusable as error:
        return str(error)
