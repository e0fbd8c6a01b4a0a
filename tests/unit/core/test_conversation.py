"""A conversation keeps what was said, in order and within bounds."""

from workflows.budget import CONVERSATION_BYTES, size
from workflows.contract import AssistantEntry, Decision, MadeCall, ProposedCall, ToolEntry, Usage, UserEntry
from workflows.conversation import Conversation, position

LONG = "x" * 16_000


def turn(number: int, text: str = LONG) -> tuple[AssistantEntry, ToolEntry]:
    at = position(number, 1)
    call = MadeCall(position=at, tool="look_up", arguments={"word": "tree"})
    return AssistantEntry(calls=(call,)), ToolEntry(position=at, tool="look_up", text=text)


def test_a_decision_becomes_one_entry_with_its_calls_numbered_from_one() -> None:
    conversation = Conversation([UserEntry(text="Go")])
    calls = (ProposedCall(tool="a", arguments={"x": 1}), ProposedCall(tool="b", arguments={}, error="no"))
    conversation.add_decision(3, Decision(text="Let me see.", calls=calls, usage=Usage()))
    made = (MadeCall(position="3.1", tool="a", arguments={"x": 1}), MadeCall(position="3.2", tool="b", arguments={}))
    assert conversation.entries == (UserEntry(text="Go"), AssistantEntry(text="Let me see.", calls=made))


def test_it_never_outgrows_its_budget_however_long_it_goes_on() -> None:
    conversation = Conversation([UserEntry(text="y" * 100_000)])
    for number in range(1, 200):
        conversation.add(turn(number))
        assert size(conversation.entries) <= CONVERSATION_BYTES + len(conversation.entries) + 1
    assert len(conversation.entries) == 1 + 2 * 199


def test_the_request_itself_is_never_shortened() -> None:
    request = UserEntry(text="y" * 100_000)
    conversation = Conversation([request])
    for number in range(1, 100):
        conversation.add(turn(number))
    assert conversation.entries[0] == request


def test_the_newest_results_stay_whole_and_the_oldest_say_that_they_were_shortened() -> None:
    conversation = Conversation([UserEntry(text="Go")])
    for number in range(1, 100):
        conversation.add(turn(number))
    results = [each.text for each in conversation.entries if isinstance(each, ToolEntry)]
    assert "[shortened: " in results[0]
    assert results[-1] == LONG
    whole = [text == LONG for text in results]
    assert whole == sorted(whole)


def test_long_arguments_are_shortened_too() -> None:
    conversation = Conversation([])
    for number in range(1, 100):
        call = ProposedCall(tool="send", arguments={"to": "ann@example.com", "body": LONG})
        conversation.add_decision(number, Decision(calls=(call,), usage=Usage()))
    oldest = conversation.entries[0]
    assert isinstance(oldest, AssistantEntry)
    assert oldest.calls[0].arguments["to"] == "ann@example.com"
    assert "[shortened: " in str(oldest.calls[0].arguments["body"])


def test_what_is_carried_into_the_next_run_is_the_same_there() -> None:
    conversation = Conversation([UserEntry(text="Go")])
    for number in range(1, 100):
        conversation.add(turn(number))
    assert Conversation(conversation.entries).entries == conversation.entries
