"""Calls that an endpoint left in the text are calls for those who ask for it, if the text is nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.lenient_json import Object
from activities.model.wire.replies import RawCall, read
from tests.completions import call, calling, completion
from tests.unit.execution.arbitrary import json_values, quick
from workflows.contract.values import Arguments

PARIS: Arguments = {"city": "Paris"}
TOOLS: dict[str, Object] = {"get_weather": {}, "now": {}}
CALL: dict[str, Any] = {"name": "get_weather", "arguments": PARIS}
OTHER: dict[str, Any] = {"name": "now", "arguments": {}}
AS_TEXT = json.dumps(CALL)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(AS_TEXT, id="a call"),
        pytest.param(f"\n{AS_TEXT}\n", id="with space around"),
        pytest.param(f"<think>Hm.</think>\n{AS_TEXT}", id="after reasoning"),
        pytest.param(json.dumps({"name": "get_weather", "parameters": PARIS}), id="with parameters"),
        pytest.param(json.dumps({"name": "get_weather", "arguments": json.dumps(PARIS)}), id="arguments as text"),
        pytest.param(json.dumps({"name": "functions.get_weather", "arguments": PARIS}), id="with a namespace"),
        pytest.param(json.dumps({"type": "function", **CALL}), id="with a type"),
        pytest.param(json.dumps({"function": CALL}), id="in a function"),
        pytest.param(json.dumps(call(json.dumps(PARIS))), id="whole"),
        pytest.param(json.dumps([CALL]), id="in a list"),
        pytest.param(json.dumps({"tool_calls": [call(PARIS)]}), id="in a list of calls"),
        pytest.param(f"<tool_call>\n{AS_TEXT}\n</tool_call>", id="Hermes"),
        pytest.param(f"<tool_call>{AS_TEXT}", id="Hermes, without its end"),
        pytest.param(f"[TOOL_CALLS] [{AS_TEXT}]</s>", id="Mistral"),
        pytest.param(f"<function=get_weather>{json.dumps(PARIS)}</function>", id="Llama"),
        pytest.param(f"<function=get_weather>{json.dumps(PARIS)}", id="Llama, without its end"),
        pytest.param(f"<|python_tag|>{AS_TEXT}<|eom_id|>", id="Llama, with a tag"),
        pytest.param(f"<|python_tag|>{AS_TEXT}<|eot_id|>", id="Llama, with a tag and another end"),
    ],
)
def test_a_text_that_is_a_call_is_the_call(text: str) -> None:
    reply = read(completion({"content": text}), schemas=TOOLS, recover=True)
    assert (reply.text, reply.calls) == ("", (RawCall("get_weather", PARIS),))
    as_text = read(completion({"content": text}), schemas=TOOLS)
    assert (bool(as_text.text), as_text.calls) == (True, ())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(json.dumps([CALL, OTHER]), id="a list"),
        pytest.param(json.dumps({"tool_calls": [{"function": CALL}, OTHER]}), id="a list of calls"),
        pytest.param(f"<tool_call>{AS_TEXT}</tool_call>\n<tool_call>{json.dumps(OTHER)}</tool_call>", id="Hermes"),
        pytest.param(f"[TOOL_CALLS]{json.dumps([CALL, OTHER])}", id="Mistral"),
        pytest.param('<function=get_weather>{"city": "Paris"}</function><function=now>{}</function>', id="Llama"),
    ],
)
def test_a_text_that_is_several_calls_is_these_in_order(text: str) -> None:
    reply = read(completion({"content": text}), schemas=TOOLS, recover=True)
    assert reply.calls == (RawCall("get_weather", PARIS), RawCall("now", {}))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"I will do this: {AS_TEXT}", id="text before"),
        pytest.param(f"{AS_TEXT}\nDone.", id="text after"),
        pytest.param(f"```json\n{AS_TEXT}\n```", id="in a fence"),
        pytest.param(AS_TEXT + AS_TEXT, id="two calls, not in a list"),
        pytest.param(AS_TEXT[:-1], id="cut off"),
        pytest.param(json.dumps({"name": "fly_to", "arguments": PARIS}), id="an unknown function"),
        pytest.param(json.dumps([CALL, {"name": "fly_to", "arguments": {}}]), id="one unknown function"),
        pytest.param(json.dumps([CALL, "now"]), id="one no call"),
        pytest.param(json.dumps({"name": "get_weather"}), id="no arguments"),
        pytest.param(json.dumps({**CALL, "parameters": {}}), id="arguments twice"),
        pytest.param(json.dumps({**CALL, "result": "Sunny."}), id="a field that no call has"),
        pytest.param('{"name": "get_weather", "arguments": {"city": "Paris", "city": "Rome"}}', id="a name twice"),
        pytest.param('{"name": ["get_weather"], "arguments": {}}', id="a name that is no text"),
        pytest.param("[]", id="an empty list"),
        pytest.param('{"tool_calls": []}', id="no calls"),
        pytest.param('{"city": "Paris"}', id="other JSON"),
        pytest.param('"get_weather"', id="a text in JSON"),
        pytest.param("<tool_call>", id="Hermes, empty"),
        pytest.param("<tool_call>get_weather</tool_call>", id="Hermes, no JSON"),
        pytest.param(f"<tool_call>{AS_TEXT}</tool_call> Done.", id="Hermes, text after"),
        pytest.param(f"Well: <tool_call>{AS_TEXT}</tool_call>", id="Hermes, text before"),
        pytest.param("[TOOL_CALLS]", id="Mistral, empty"),
        pytest.param("<function=get_weather>Paris</function>", id="Llama, no JSON"),
        pytest.param("<function=fly_to>{}</function>", id="Llama, an unknown function"),
        pytest.param("<function=now>{}</function> Done.", id="Llama, text after"),
        pytest.param("<|python_tag|>get_weather(city='Paris')", id="Python"),
        pytest.param("<function=now>" * 4000, id="beginnings without end"),
    ],
)
def test_any_other_text_is_text(text: str) -> None:
    reply = read(completion({"content": text}), schemas=TOOLS, recover=True)
    assert (reply.text, reply.calls) == (text, ())


def test_arguments_that_are_no_object_are_a_problem_of_the_call() -> None:
    text = json.dumps({"name": "get_weather", "arguments": "Paris"})
    (made,) = read(completion({"content": text}), schemas=TOOLS, recover=True).calls
    assert (made.tool, made.arguments) == ("get_weather", {})
    assert "not valid JSON" in (made.problem or "")


def test_beside_calls_a_text_is_text() -> None:
    reply = read(calling(call({}, "now"), content=AS_TEXT), schemas=TOOLS, recover=True)
    assert (reply.text, reply.calls) == (AS_TEXT, (RawCall("now", {}),))


def test_of_a_text_that_was_cut_off_no_call_is_run() -> None:
    (made,) = read(completion({"content": AS_TEXT}, "length"), schemas=TOOLS, recover=True).calls
    assert "cut off" in (made.problem or "")


@quick
@given(st.dictionaries(st.text(max_size=5), json_values, max_size=3), st.sampled_from(["arguments", "parameters"]))
def test_every_call_is_found_with_the_arguments_that_it_has(arguments: Arguments, field: str) -> None:
    text = json.dumps({"name": "get_weather", field: arguments})
    assert read(completion({"content": text}), schemas=TOOLS, recover=True).calls == (
        RawCall("get_weather", arguments),
    )  # fmt: skip
