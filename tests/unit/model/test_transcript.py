"""A conversation goes out as every endpoint accepts it, whatever the model has written."""

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.model.profiles import COMPATIBLE, PROFILES, Echo, Profile
from activities.model.transcript import call_id, to_messages
from tests.accepted_everywhere import CALL_ID, faults
from tests.unit.core.arbitrary import json_values, quick
from workflows.contract import AssistantEntry, Entry, MadeCall, NoteEntry, ToolEntry, UserEntry

Message = dict[str, Any]


def messages(*entries: Entry, system: str = "Be brief.", profile: Profile = COMPATIBLE) -> list[Message]:
    return cast(list[Message], to_messages(system, entries, profile))


def made(position: str, tool: str = "get_weather", **arguments: Any) -> MadeCall:
    return MadeCall(position=position, tool=tool, arguments=arguments)


def told(position: str, text: str = "Sunny", tool: str = "get_weather") -> ToolEntry:
    return ToolEntry(position=position, tool=tool, text=text)


class TestMessages:
    def test_the_system_prompt_comes_first_and_once(self) -> None:
        entries = UserEntry(text="Hello"), AssistantEntry(text="Hi.", calls=()), UserEntry(text="Again")
        assert [each["role"] for each in messages(*entries)] == ["system", "user", "assistant", "user"]

    def test_an_empty_system_prompt_is_left_out(self) -> None:
        assert messages(UserEntry(text="Hello"), system="") == [{"role": "user", "content": "Hello"}]

    def test_a_call_is_JSON_text_and_its_reply_has_its_id_and_name(self) -> None:
        _, call, reply = messages(
            UserEntry(text="Hello"), AssistantEntry(calls=(made("1.1", city="Zürich"),)), told("1.1"), system=""
        )
        (sent,) = call["tool_calls"]
        assert (call["role"], call["content"]) == ("assistant", None)
        assert sent["type"] == "function"
        assert sent["function"]["name"] == "get_weather"
        assert json.loads(sent["function"]["arguments"]) == {"city": "Zürich"}
        assert reply == {"role": "tool", "tool_call_id": sent["id"], "name": "get_weather", "content": "Sunny"}

    def test_text_beside_calls_is_kept(self) -> None:
        beside = messages(AssistantEntry(text="Let me see.", calls=(made("1.1"),)), system="")
        assert beside[0]["content"] == "Let me see."

    def test_a_call_without_a_result_is_told_to_have_none(self) -> None:
        _, first, second = messages(AssistantEntry(calls=(made("1.1"), made("1.2"))), told("1.2"), system="")
        assert ("not run" in first["content"], second["content"]) == (True, "Sunny")

    def test_a_result_that_nobody_asked_for_is_left_out(self) -> None:
        assert messages(told("1.1"), system="") == []

    def test_an_answer_that_says_nothing_is_left_out(self) -> None:
        assert messages(AssistantEntry(calls=()), system="") == []


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
    def test_where_null_is_not_taken_there_is_an_empty_text(self) -> None:
        entries = AssistantEntry(calls=(made("1.1"),)), told("1.1")
        assert messages(*entries, system="", profile=PROFILES["mistral"])[0]["content"] == ""

    def test_what_Errand_says_joins_what_the_user_says_where_roles_must_alternate(self) -> None:
        entries = UserEntry(text="Hello"), NoteEntry(text="Try again.")
        assert messages(*entries, system="") == [{"role": "user", "content": "Hello\n\nTry again."}]
        assert len(messages(*entries, system="", profile=PROFILES["openai"])) == 2

    def test_where_no_user_may_speak_after_a_tool_the_model_says_a_word_between(self) -> None:
        entries = AssistantEntry(calls=(made("1.1"),)), told("1.1"), UserEntry(text="And now?")
        roles = [each["role"] for each in messages(*entries, system="", profile=PROFILES["mistral"])]
        assert roles == ["assistant", "tool", "assistant", "user"]

    @pytest.mark.parametrize(
        ("echo", "beside_calls", "beside_text"),
        [(Echo.NEVER, None, None), (Echo.TOOL_TURNS, "Hm.", None), (Echo.ALWAYS, "Hm.", "Hm.")],
    )
    def test_reasoning_is_given_back_where_it_is_wanted(
        self, echo: Echo, beside_calls: str | None, beside_text: str | None
    ) -> None:
        calling = AssistantEntry(calls=(made("1.1"),), reasoning="Hm.")
        saying = AssistantEntry(text="Done.", calls=(), reasoning="Hm.")
        sent = messages(calling, told("1.1"), saying, system="", profile=Profile("x", echo=echo))
        assert [each.get("reasoning_content") for each in sent] == [beside_calls, None, beside_text]

    @pytest.mark.parametrize(("name", "kept"), [("gemini", True), ("compatible", False)])
    def test_what_the_endpoint_added_is_given_back_where_it_is_wanted(self, name: str, kept: bool) -> None:
        signed = MadeCall(position="1.1", tool="f", arguments={}, extra={"extra_content": {"google": "xyz"}, "id": "7"})
        entries = (
            AssistantEntry(calls=(signed,), extra={"signature": "abc", "role": "user", "tool_calls": 3}),
            told("1.1"),
        )
        (message, _) = messages(*entries, system="", profile=PROFILES[name])
        (call,) = message["tool_calls"]
        assert (message.get("signature") == "abc", message["role"]) == (kept, "assistant")
        assert ("extra_content" in call, call["id"]) == (kept, call_id("1.1"))


names = st.text(max_size=70)
texts = st.text(max_size=10)
extras = st.dictionaries(st.sampled_from(["role", "content", "tool_calls", "id", "type", "function", "x"]), json_values)


@st.composite
def conversations(draw: st.DrawFn) -> list[Entry]:
    """Users, notes and turns in any order, with results that are missing, misplaced, or of no call."""
    entries: list[Entry] = []
    for turn in range(1, draw(st.integers(1, 5))):
        calls = tuple(
            MadeCall(position=f"{turn}.{index}", tool=draw(names), arguments=each, extra=draw(extras))
            for index, each in enumerate(draw(st.lists(st.dictionaries(texts, json_values), max_size=3)), start=1)
        )
        entries += draw(st.lists(st.builds(UserEntry, text=texts) | st.builds(NoteEntry, text=texts), max_size=2))
        entries.append(AssistantEntry(text=draw(texts), calls=calls, reasoning=draw(texts), extra=draw(extras)))
        results = [ToolEntry(position=call.position, tool=call.tool, text=draw(texts)) for call in calls]
        entries += draw(st.permutations(results))[: draw(st.integers(0, 3))]
        entries += draw(st.lists(st.builds(ToolEntry, position=texts, tool=names, text=texts), max_size=1))
    return entries


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
@quick
@given(conversations())
def test_whatever_was_said_goes_out_valid(profile: Profile, conversation: list[Entry]) -> None:
    sent = messages(*conversation, profile=profile)
    found = faults(
        {"messages": sent},
        null_content=profile.null_content,
        merged=profile.merges_users,
        strict_order=not profile.user_after_tool,
    )
    assert found == []
    called = [call for each in sent for call in each.get("tool_calls", [])]
    arguments = [call.arguments for each in conversation if isinstance(each, AssistantEntry) for call in each.calls]
    assert [json.loads(call["function"]["arguments"]) for call in called] == arguments
