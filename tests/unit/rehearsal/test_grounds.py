"""What the arguments of a planned write rest on."""

from activities.rehearsal.grounds import Grounds
from activities.toolkit.tool import Tool, tool, tool_of
from activities.tools.questions import ask_requester
from workflows.contract.conversation import AssistantEntry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.values import Arguments


@tool()
async def look_up(word: str) -> str:
    """Look up."""
    return word


@tool(effect="write", preview=lambda arguments: {"ticket": "T-000", "title": arguments["title"]})
async def open_ticket(title: str) -> str:
    """Open a ticket."""
    return title


@tool(effect="write")
async def note(text: str) -> str:
    """Note."""
    return text


def made(*functions: object) -> dict[str, Tool]:
    found = [tool_of(function) for function in functions]
    return {each.name: each for each in found if each}


TOOLS = made(look_up, open_ticket, note, ask_requester)


def call(name: str, told: object, *, failed: bool = False, **arguments: str) -> ToolCallRecord:
    message = ToolMessage.model_validate({"value": told, "failed": failed})
    return ToolCallRecord(tool=name, arguments={**arguments}, told=message)


def grounds(*calls: ToolCallRecord) -> Grounds:
    said = UserEntry(text="Tell Ann about Oslo, and write to ann@example.com.")
    return Grounds.of((said, AssistantEntry(turn=1, calls=calls)), TOOLS, ("boss@example.com",))


OSLO = call("look_up", {"temperature": 18.4}, word="Oslo")
ROME = call("look_up", {"temperature": 31.9}, word="Rome")


def reads(arguments: Arguments, *calls: ToolCallRecord) -> tuple[str, ...]:
    return grounds(*calls).reads_under(arguments)


def test_what_people_said_rests_on_no_read() -> None:
    assert reads({"to": "ann@example.com", "place": "Oslo", "copy": "boss@example.com"}, OSLO, ROME) == ()


def test_what_stands_in_a_result_rests_on_that_read() -> None:
    assert reads({"degrees": 31.9}, OSLO, ROME) == ("1.2",)


def test_what_the_model_worded_or_chose_rests_on_every_read_before_it() -> None:
    assert reads({"text": "Take an umbrella with you"}, OSLO, ROME) == ("1.1", "1.2")
    assert reads({"urgent": True}, OSLO, ROME) == ("1.1", "1.2")
    assert reads({"symbol": "AAPL"}, OSLO) == ("1.1",)


def test_without_a_read_it_rests_on_none() -> None:
    assert reads({"text": "Take an umbrella with you"}) == ()


def test_a_read_that_failed_or_has_not_ended_is_none() -> None:
    failed = call("look_up", {"status": "failed"}, failed=True, word="Paris")
    running = ToolCallRecord(tool="look_up", arguments={"word": "Nice"})
    assert reads({"text": "Take an umbrella with you"}, failed, running, ROME) == ("1.3",)


def test_an_answer_of_a_person_is_no_read() -> None:
    asked = call("ask_requester", "The one in Texas", question="Which Paris?")
    assert reads({"place": "The one in Texas"}, asked, OSLO) == ()


def stand_ins(arguments: Arguments, *calls: ToolCallRecord) -> tuple[str, ...]:
    return grounds(*calls).stand_ins_under(arguments)


TICKET = call("open_ticket", {"ticket": "T-000", "title": "Help"}, title="Help")


def test_a_value_that_only_a_stand_in_has_is_noticed_also_within_a_text() -> None:
    assert stand_ins({"text": "T-000"}, OSLO, TICKET) == ("1.2",)
    assert stand_ins({"text": "You have no. 000 now"}, TICKET) == ("1.1",)


def test_what_the_write_itself_was_given_is_no_news_and_a_stand_in_without_data_has_none() -> None:
    assert stand_ins({"text": "Help"}, TICKET) == ()
    assert stand_ins({"text": "planned"}, call("note", {"status": "planned"}, text="x")) == ()
