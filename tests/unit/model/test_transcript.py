"""A conversation goes out as every endpoint accepts it, whatever the model has written."""

import json
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from activities.model.profiles import COMPATIBLE, PROFILES, Echo, Profile
from activities.model.transcript import call_id, to_messages
from tests.accepted_everywhere import CALL_ID, faults
from tests.unit.execution.arbitrary import json_values, quick
from workflows.contract.conversation import AssistantEntry, Entry, NoteEntry, ToolCallRecord, ToolMessage, UserEntry

Message = dict[str, Any]


def messages(*entries: Entry, system: str = "Be brief.", profile: Profile = COMPATIBLE) -> list[Message]:
    return cast(list[Message], to_messages(system, entries, profile))


def made(told: JsonValue = None, **arguments: Any) -> ToolCallRecord:
    """A call; without `told`, one that has not ended."""
    return ToolCallRecord(
        tool="get_weather", arguments=arguments, told=None if told is None else ToolMessage(value=told)
    )


def turn(*calls: ToolCallRecord, text: str = "", reasoning: str = "") -> AssistantEntry:
    return AssistantEntry(turn=1, text=text, calls=calls, reasoning=reasoning)


class TestMessages:
    def test_the_system_prompt_comes_first_and_once(self) -> None:
        entries = UserEntry(text="Hello"), AssistantEntry(text="Hi."), UserEntry(text="Again")
        assert [each["role"] for each in messages(*entries)] == ["system", "user", "assistant", "user"]

    def test_an_empty_system_prompt_is_left_out(self) -> None:
        assert messages(UserEntry(text="Hello"), system="") == [{"role": "user", "content": "Hello"}]

    def test_a_call_is_JSON_text_and_its_reply_has_its_id(self) -> None:
        _, call, reply = messages(UserEntry(text="Hello"), turn(made("Sunny", city="Zürich")), system="")
        (sent,) = call["tool_calls"]
        assert (call["role"], call["content"]) == ("assistant", None)
        assert sent["type"] == "function"
        assert sent["function"]["name"] == "get_weather"
        assert json.loads(sent["function"]["arguments"]) == {"city": "Zürich"}
        assert reply == {"role": "tool", "tool_call_id": sent["id"], "content": "Sunny"}

    def test_text_beside_calls_is_kept(self) -> None:
        beside = messages(turn(made(), text="Let me see."), system="")
        assert beside[0]["content"] == "Let me see."

    def test_a_call_without_a_result_is_told_to_have_none(self) -> None:
        _, first, second = messages(turn(made(), made("Sunny")), system="")
        assert ("not run" in first["content"], second["content"]) == (True, "Sunny")

    def test_each_call_has_the_result_that_stands_in_it_under_the_id_of_its_position(self) -> None:
        later = AssistantEntry(turn=12, calls=(made("Sunny"), made({"degrees": 21.0})))
        called, *replies = messages(turn(made("Rain")), later, system="")[2:]
        ids = [call["id"] for call in called["tool_calls"]]
        assert ids == [call_id("12.1"), call_id("12.2")]
        assert [(each["tool_call_id"], each["content"]) for each in replies] == [
            (ids[0], "Sunny"),
            (ids[1], "{degrees:21.0}"),
        ]

    def test_an_answer_that_says_nothing_is_left_out(self) -> None:
        assert messages(AssistantEntry(), system="") == []


class TestIds:
    def test_they_are_nine_letters_and_digits_and_never_repeat(self) -> None:
        positions = [f"{turn}.{index}" for turn in range(1, 2001) for index in range(1, 101)]
        ids = {call_id(position) for position in positions}
        assert len(ids) == len(positions)
        assert all(map(CALL_ID.fullmatch, ids))

    def test_they_are_the_same_whenever_they_are_made(self) -> None:
        assert call_id("3.2") == call_id("3.2")

    @quick
    @given(st.text(max_size=20))
    def test_a_position_of_any_form_has_one(self, position: str) -> None:
        assert CALL_ID.fullmatch(call_id(position))


class TestDialects:
    @pytest.mark.parametrize("name", ["gemini", "mistral", "vllm", "sglang", "ollama", "llama.cpp"])
    def test_a_result_carries_its_functions_name_where_that_is_needed(self, name: str) -> None:
        assert messages(turn(made("Sunny")), system="", profile=PROFILES[name])[1]["name"] == "get_weather"

    def test_behind_constrained_decoding_a_result_is_JSON_and_named(self) -> None:
        constrained = replace(COMPATIBLE, constrained=True)
        (_, result) = messages(turn(made({"city": "Paris"})), system="", profile=constrained)
        assert (result["name"], result["content"]) == ("get_weather", '{"city":"Paris"}')

    def test_where_null_is_not_taken_there_is_an_empty_text(self) -> None:
        assert messages(turn(made("Sunny")), system="", profile=PROFILES["mistral"])[0]["content"] == ""

    def test_what_Errand_says_joins_what_the_user_says_where_roles_must_alternate(self) -> None:
        entries = UserEntry(text="Hello"), NoteEntry(text="Try again.")
        assert messages(*entries, system="") == [{"role": "user", "content": "Hello\n\nTry again."}]
        assert len(messages(*entries, system="", profile=PROFILES["openai"])) == 2

    def test_where_no_user_may_speak_after_a_tool_the_model_says_a_word_between(self) -> None:
        entries = turn(made("Sunny")), UserEntry(text="And now?")
        roles = [each["role"] for each in messages(*entries, system="", profile=PROFILES["mistral"])]
        assert roles == ["assistant", "tool", "assistant", "user"]

    @pytest.mark.parametrize(
        ("echo", "beside_calls", "beside_text"),
        [(Echo.NEVER, None, None), (Echo.TOOL_TURNS, "Hm.", None), (Echo.ALWAYS, "Hm.", "Hm.")],
    )
    def test_reasoning_is_given_back_where_it_is_wanted(
        self, echo: Echo, beside_calls: str | None, beside_text: str | None
    ) -> None:
        calling = turn(made("Sunny"), reasoning="Hm.")
        saying = AssistantEntry(text="Done.", reasoning="Hm.")
        sent = messages(calling, saying, system="", profile=Profile("x", echo=echo))
        assert [each.get("reasoning_content") for each in sent] == [beside_calls, None, beside_text]

    @pytest.mark.parametrize(("name", "kept"), [("gemini", True), ("compatible", False)])
    def test_what_the_endpoint_added_is_given_back_where_it_is_wanted(self, name: str, kept: bool) -> None:
        signed = ToolCallRecord(tool="f", arguments={}, extra={"extra_content": {"google": "xyz"}, "id": "7"})
        entry = AssistantEntry(turn=1, calls=(signed,), extra={"signature": "abc", "role": "user", "tool_calls": 3})
        (message, _) = messages(entry, system="", profile=PROFILES[name])
        (call,) = message["tool_calls"]
        assert (message.get("signature") == "abc", message["role"]) == (kept, "assistant")
        assert ("extra_content" in call, call["id"]) == (kept, call_id("1.1"))


names = st.text(max_size=70)
texts = st.text(max_size=10)
results = st.none() | st.builds(ToolMessage, value=json_values, failed=st.booleans())
extras = st.dictionaries(st.sampled_from(["role", "content", "tool_calls", "id", "type", "function", "x"]), json_values)


@st.composite
def conversations(draw: st.DrawFn) -> list[Entry]:
    """Users, notes and turns in any order, with results of any kind, or none."""
    entries: list[Entry] = []
    for turn in range(1, draw(st.integers(1, 5))):
        calls = tuple(
            ToolCallRecord(tool=draw(names), arguments=each, extra=draw(extras), told=draw(results))
            for each in draw(st.lists(st.dictionaries(texts, json_values), max_size=3))
        )
        entries += draw(st.lists(st.builds(UserEntry, text=texts) | st.builds(NoteEntry, text=texts), max_size=2))
        said, thought = draw(texts), draw(texts)
        entries.append(AssistantEntry(turn=turn, text=said, calls=calls, reasoning=thought, extra=draw(extras)))
    return entries


@pytest.mark.long
@given(conversations())
def test_whatever_was_said_goes_out_valid_to_every_endpoint(conversation: list[Entry]) -> None:
    arguments = [call.arguments for each in conversation if isinstance(each, AssistantEntry) for call in each.calls]
    for name, profile in PROFILES.items():
        sent = messages(*conversation, profile=profile)
        found = faults(
            {"messages": sent},
            null_content=profile.null_content,
            merged=profile.merges_users,
            strict_order=not profile.user_after_tool,
            named=profile.names_results,
        )
        called = [call for each in sent for call in each.get("tool_calls", [])]
        assert (name, found) == (name, [])
        assert (name, [json.loads(call["function"]["arguments"]) for call in called]) == (name, arguments)
        assert (name, len({call["id"] for call in called})) == (name, len(called))
