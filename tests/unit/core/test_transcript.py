"""The conversation is sent in a form that every endpoint accepts."""

import json
import re
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from activities.decide import to_messages
from tests.unit.core.arbitrary import json_values, quick
from workflows.contract import AssistantEntry, Entry, MadeCall, ToolEntry, UserEntry

Message = dict[str, Any]


def messages(*entries: Entry, system: str = "Be brief.") -> list[Message]:
    return cast(list[Message], to_messages(system, entries))


def made(position: str, tool: str = "get_weather", **arguments: Any) -> MadeCall:
    return MadeCall(position=position, tool=tool, arguments=arguments)


def told(position: str, text: str = "Sunny", tool: str = "get_weather") -> ToolEntry:
    return ToolEntry(position=position, tool=tool, text=text)


def test_the_system_prompt_comes_first_and_once() -> None:
    roles = [each["role"] for each in messages(UserEntry(text="Hello"), UserEntry(text="Again"))]
    assert roles == ["system", "user", "user"]


def test_an_empty_system_prompt_is_left_out() -> None:
    assert messages(UserEntry(text="Hello"), system="") == [{"role": "user", "content": "Hello"}]


def test_a_call_is_JSON_text_and_its_reply_has_its_id_and_name() -> None:
    _, call, reply = messages(
        UserEntry(text="Hello"), AssistantEntry(calls=(made("1.1", city="Zürich"),)), told("1.1"), system=""
    )
    (sent,) = call["tool_calls"]
    assert (call["role"], call["content"]) == ("assistant", None)
    assert sent["type"] == "function"
    assert sent["function"]["name"] == "get_weather"
    assert json.loads(sent["function"]["arguments"]) == {"city": "Zürich"}
    assert reply == {"role": "tool", "tool_call_id": sent["id"], "name": "get_weather", "content": "Sunny"}


def test_text_beside_calls_is_kept() -> None:
    assert messages(AssistantEntry(text="Let me see.", calls=(made("1.1"),)), system="")[0]["content"] == "Let me see."


def test_ids_are_nine_letters_and_digits_and_differ_across_turns() -> None:
    positions = [f"{turn}.{index}" for turn in range(1, 51) for index in range(1, 6)]
    ids = [messages(told(position), system="")[0]["tool_call_id"] for position in positions]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[a-zA-Z0-9]{9}", each) for each in ids)


def test_ids_are_the_same_whenever_they_are_made() -> None:
    assert messages(told("3.2")) == messages(told("3.2"))


@quick
@given(
    st.lists(
        st.lists(st.dictionaries(st.text(max_size=5), json_values, max_size=3), min_size=1, max_size=3), max_size=4
    )
)
def test_every_call_has_exactly_one_reply_in_order(turns: list[list[dict[str, Any]]]) -> None:
    conversation: list[Entry] = [UserEntry(text="Go")]
    for turn, calls in enumerate(turns, start=1):
        positions = [f"{turn}.{index}" for index in range(1, len(calls) + 1)]
        made_calls = zip(positions, calls, strict=True)
        conversation.append(
            AssistantEntry(calls=tuple(MadeCall(position=at, tool="f", arguments=each) for at, each in made_calls))
        )
        conversation += [told(at, tool="f") for at in positions]
    sent = messages(*conversation)
    asked = [call for each in sent for call in each.get("tool_calls", [])]
    assert [json.loads(call["function"]["arguments"]) for call in asked] == [each for calls in turns for each in calls]
    assert [call["id"] for call in asked] == [each["tool_call_id"] for each in sent if each["role"] == "tool"]
    json.dumps(sent).encode()
