"""A conversation keeps what was said, in order and within bounds."""

from collections.abc import Iterable, Mapping, Sequence

import pytest
from pydantic import JsonValue
from pydantic_core import to_json

from activities.model.envelope import history
from activities.model.transcript import to_messages
from workflows.contract.api import LONGEST_TEXT_BYTES, Usage
from workflows.contract.conversation import AssistantEntry, NoteEntry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import Decision, ProposedCall
from workflows.contract.values import Arguments
from workflows.conversation import LEFT_OUT, Conversation
from workflows.size_limits import CONVERSATION_BYTES, size

LONG = "x" * 16_000
WORD: Arguments = {"word": "tree"}


def decision(calls: int = 1, arguments: Arguments = WORD) -> Decision:
    return Decision(calls=(ProposedCall(tool="look_up", arguments=arguments),) * calls, usage=Usage())


def take_turn(conversation: Conversation, number: int, *results: JsonValue) -> None:
    conversation.add_decision(number, decision(len(results)))
    conversation.add_results(number, [ToolMessage(value=each) for each in results])


def talked(turns: int, *said: UserEntry) -> Conversation:
    """Turns with one long result each."""
    conversation = Conversation(said)
    for number in range(1, turns + 1):
        take_turn(conversation, number, LONG)
    return conversation


def calls_in(conversation: Conversation) -> list[ToolCallRecord]:
    return [call for entry in conversation.entries if isinstance(entry, AssistantEntry) for call in entry.calls]


def results_in(conversation: Conversation) -> list[JsonValue]:
    return [call.told.value if call.told else "no result" for call in calls_in(conversation)]


def test_a_decision_becomes_one_entry_with_its_calls_numbered_from_one() -> None:
    conversation = Conversation([UserEntry(text="Go")])
    calls = (ProposedCall(tool="a", arguments={"x": 1}), ProposedCall(tool="b", arguments={}, error="no"))
    conversation.add_decision(3, Decision(text="Let me see.", calls=calls, usage=Usage()))
    first, second = ToolCallRecord(tool="a", arguments={"x": 1}), ToolCallRecord(tool="b", arguments={})
    entry = AssistantEntry(turn=3, text="Let me see.", calls=(first, second))
    assert conversation.entries == (UserEntry(text="Go"), entry)
    assert entry.positioned == [("3.1", first), ("3.2", second)]


def test_the_model_sees_its_call_as_it_wrote_it_without_the_defaults() -> None:
    conversation = Conversation([])
    made = ProposedCall(tool="a", arguments={"x": 1, "to": "ann"}, defaults=("to",))
    conversation.add_decision(1, Decision(calls=(made,), usage=Usage()))
    assert calls_in(conversation) == [ToolCallRecord(tool="a", arguments={"x": 1})]


def test_what_mentions_a_value_is_as_much_of_it_as_has_one() -> None:
    asked, other = UserEntry(text="Ask Eve@example.com"), UserEntry(text="Go on")
    conversation = Conversation([asked, other])
    take_turn(conversation, 1, {"found": ["bob@example.com"]}, "nothing")
    conversation.add_decision(2, Decision(text="I asked dan@example.com", usage=Usage()))
    assert conversation.mentioning({"to": ["eve@example.com"], "what": "hello"}) == (asked,)
    (found,) = conversation.mentioning({"to": ["bob@example.com "]})
    call = ToolCallRecord(tool="look_up", arguments={}, told=ToolMessage(value={"found": ["bob@example.com"]}))
    assert found == AssistantEntry(turn=1, calls=(call,))
    assert conversation.mentioning({"to": ["dan@example.com"], "what": "", "when": None}) == ()


def test_words_without_calls_carry_no_turn() -> None:
    conversation = Conversation([])
    conversation.add_decision(3, Decision(text="Hello.", usage=Usage()))
    assert conversation.entries == (AssistantEntry(text="Hello."),)


def test_what_became_of_the_calls_of_a_turn_stands_in_them_in_their_order() -> None:
    conversation = Conversation([UserEntry(text="Go")])
    take_turn(conversation, 1, "a")
    conversation.add_decision(2, decision(2))
    assert results_in(conversation) == ["a", "no result", "no result"]
    conversation.add_results(2, [ToolMessage(value={"b": 1}), ToolMessage(value={"status": "failed"}, failed=True)])
    assert results_in(conversation) == ["a", {"b": 1}, {"status": "failed"}]
    assert [call.told.failed for call in calls_in(conversation) if call.told] == [False, False, True]


def test_it_never_outgrows_its_budget_however_long_it_goes_on() -> None:
    conversation = Conversation([UserEntry(text="y" * 50_000)])
    for number in range(1, 200):
        take_turn(conversation, number, LONG)
        assert size(conversation.entries) <= CONVERSATION_BYTES + len(conversation.entries) + 1
    assert len(conversation.entries) == 1 + 199


def test_the_request_itself_is_never_shortened() -> None:
    request = UserEntry(text="y" * 100_000)
    assert talked(99, request).entries[0] == request


def test_the_newest_results_stay_whole_and_the_oldest_say_that_they_were_shortened() -> None:
    results = results_in(talked(99, UserEntry(text="Go")))
    assert "[shortened: " in str(results[0])
    assert results[-1] == LONG
    whole = [result == LONG for result in results]
    assert whole == sorted(whole)


def test_of_a_turn_with_more_results_than_fit_the_last_stay_whole() -> None:
    conversation = Conversation([UserEntry(text="Go")])
    take_turn(conversation, 1, LONG)
    take_turn(conversation, 2, *[LONG] * 20)
    assert size(conversation.entries) <= CONVERSATION_BYTES + len(conversation.entries) + 1
    whole = [result == LONG for result in results_in(conversation)]
    assert whole == sorted(whole)
    assert whole.count(True) == CONVERSATION_BYTES // len(LONG) - 1


def test_what_was_shortened_by_a_part_is_shortened_further_when_more_is_said() -> None:
    conversation = Conversation([UserEntry(text="Go")])
    take_turn(conversation, 1, *[LONG] * 20)
    before = results_in(conversation).count(LONG)
    take_turn(conversation, 2, LONG, LONG)
    assert results_in(conversation).count(LONG) == before
    assert results_in(conversation)[-2:] == [LONG, LONG]


def test_a_long_result_that_is_no_text_is_shortened_to_the_beginning_of_its_JSON() -> None:
    conversation = Conversation([UserEntry(text="Go")])
    rows: JsonValue = [{"day": day, "degrees": 20} for day in range(500)]
    take_turn(conversation, 1, rows, {"degrees": 20})
    for number in range(2, 20):
        take_turn(conversation, number, LONG)
    long, short = results_in(conversation)[:2]
    assert str(long).startswith('[{"day":0,"degrees":20},')
    assert "[shortened: 240 of " in str(long)
    assert short == {"degrees": 20}


def test_long_arguments_are_shortened_too_also_those_that_a_person_has_edited() -> None:
    conversation = Conversation([])
    mail: Arguments = {"to": "ann@example.com", "body": LONG}
    for number in range(1, 100):
        conversation.add_decision(number, decision(arguments=mail))
        conversation.add_results(number, [ToolMessage(value="Sent.", arguments=mail)])
    oldest = calls_in(conversation)[0]
    assert oldest.told is not None
    for arguments in (oldest.arguments, oldest.told.arguments):
        assert arguments is not None
        assert arguments["to"] == "ann@example.com"
        assert "[shortened: " in str(arguments["body"])


def test_a_turn_is_left_out_with_its_results_and_what_is_asked_now_stays() -> None:
    conversation = Conversation([])
    take_turn(conversation, 1, "the oldest result")
    asked = UserEntry(text="y" * 100_000)
    conversation.add([asked])
    take_turn(conversation, 2, "the next result")
    take_turn(conversation, 3, "the latest result")
    assert conversation.shorten()
    assert conversation.entries[:2] == (LEFT_OUT, asked)
    assert results_in(conversation) == ["the latest result"]
    assert not conversation.shorten()


def test_where_shortening_is_not_enough_the_oldest_is_left_out_as_results_come_in() -> None:
    conversation = Conversation([])
    for number in range(1, 4):
        conversation.add([UserEntry(text=f"{number}" + "y" * 60_000)])
        take_turn(conversation, number, {"of": number})
    conversation.add([UserEntry(text="z" * (CONVERSATION_BYTES - 60_000))])
    take_turn(conversation, 4, {"of": 4})
    assert conversation.entries[0] == LEFT_OUT
    assert results_in(conversation)[-1] == {"of": 4}
    assert {"of": 1} not in results_in(conversation)
    assert size(conversation.entries) <= CONVERSATION_BYTES + size(LEFT_OUT) + len(conversation.entries) + 1


Turn = tuple[Mapping[str, JsonValue], Sequence[JsonValue]]
"""The arguments of its calls, and the result of each."""
CHARACTERS = {"control": "\x01", "quote": '"', "backslash": "\\", "line end": "\n", "emoji": "😀", "letter": "x"}


def sent(conversation: Conversation) -> int:
    """The bytes of a question, in whichever form takes the most; or of what Temporal records of it, if that is more."""
    forms = to_messages("", conversation.entries), history(conversation.entries)
    return max(size(conversation.entries), *map(size, forms))


@pytest.mark.parametrize("character", CHARACTERS.values(), ids=CHARACTERS)
class TestWhatIsSent:
    """Within 192 KiB also where one character takes seven bytes, in whatever a conversation consists of."""

    def held(self, conversation: Conversation, turns: Iterable[Turn]) -> None:
        most = 0
        for number, (arguments, results) in enumerate(turns, start=1):
            conversation.add_decision(number, decision(len(results), {**arguments}))
            conversation.add_results(number, [ToolMessage(value=each) for each in results])
            most = max(most, sent(conversation))
        assert CONVERSATION_BYTES // 2 < most <= CONVERSATION_BYTES

    def test_results(self, character: str) -> None:
        text = character * (16_000 // len(character.encode()))
        self.held(Conversation([UserEntry(text="Go")]), [(WORD, [text] * 4)] * 20)

    def test_results_that_are_no_text(self, character: str) -> None:
        rows: list[JsonValue] = [character * 100] * 20
        result: JsonValue = {"rows": rows}
        self.held(Conversation([UserEntry(text="Go")]), [(WORD, [result] * 8)] * 20)

    def test_arguments(self, character: str) -> None:
        self.held(Conversation([UserEntry(text="Go")]), [({"body": character * 8000}, ["ok"] * 4)] * 20)

    def test_as_many_calls_as_one_reply_may_have(self, character: str) -> None:
        asked = UserEntry(text=character * (LONGEST_TEXT_BYTES // len(to_json(character * 100)) * 99))
        tiny: Arguments = {"a": character * 3}
        self.held(Conversation([asked]), [(tiny, [character * 1000] * 100), (tiny, ["ok"] * 100)])

    def test_what_the_model_and_the_user_say(self, character: str) -> None:
        conversation = Conversation([])
        most = 0
        for number in range(1, 15):
            conversation.add([UserEntry(text=character * 20_000), AssistantEntry(text=character * 65_000)])
            conversation.add_decision(number, Decision(text=character * 65_000, usage=Usage()))
            conversation.add([NoteEntry(text=character * 1000)])
            most = max(most, sent(conversation))
        assert CONVERSATION_BYTES // 4 < most <= CONVERSATION_BYTES


def test_what_is_carried_into_the_next_run_is_the_same_there() -> None:
    conversation = talked(99, UserEntry(text="Go"))
    assert Conversation(conversation.entries).entries == conversation.entries
