"""Whether a value came from anybody but the model, and which values the model is offered."""

from typing import Annotated, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, JsonValue

from activities.model.grounding import Heard, narrowed, ungrounded
from activities.toolkit.tool import Tool, tool, tool_of
from activities.tools.mail import send_email
from tests.unit.execution.arbitrary import quick
from workflows.contract.conversation import AssistantEntry, Entry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import ModelInput
from workflows.contract.values import Arguments


@tool(effect="write", grounded=("to", "cc"))
async def send(to: list[str], text: str = "", cc: str | None = None, amount: float = 0) -> None:
    """Send."""


@tool()
async def look(at: str) -> None:
    """Look."""


def made(function: object) -> Tool:
    found = tool_of(function)
    assert found is not None
    return found


SEND, LOOK = made(send), made(look)


def said(*entries: Entry | str, book: tuple[str, ...] = ()) -> Heard:
    texts = tuple(UserEntry(text=each) if isinstance(each, str) else each for each in entries)
    return Heard.of(ModelInput(conversation=texts), book)


def result(value: JsonValue, *, failed: bool = False, untrusted: bool = False) -> AssistantEntry:
    told = ToolMessage(value=value, failed=failed, untrusted=untrusted)
    return AssistantEntry(turn=1, calls=(ToolCallRecord(tool="look", arguments={}, told=told),))


def loose(to: str, heard: Heard) -> bool:
    return ungrounded(SEND, {"to": [to]}, heard) == (to,)


@tool(effect="write", grounded=("to",))
async def deliver(word: str, to: str = "ann@example.com") -> None:
    """Deliver."""


class TestGrounding:
    def test_a_default_is_the_tools_word_and_needs_no_ground(self) -> None:
        named: Arguments = {"word": "x", "to": "ann@example.com"}
        assert ungrounded(made(deliver), named, said("Deliver")) == ()
        assert ungrounded(made(deliver), {**named, "to": "eve@example.com"}, said("Deliver")) == ("eve@example.com",)

    @pytest.mark.parametrize(
        "text",
        [
            "Write to ann@example.com",
            "Write to ann@example.com.",
            "Write to Ann <ann@example.com>, please",
            "Write to ANN@Example.COM!",
            "(ann@example.com)",
            "mailto:ann@example.com?subject=x",
            "an:ann@example.com\n",
            "'ann@example.com' \"ann@example.com\"",
        ],
    )
    def test_an_address_in_the_request_is_grounded(self, text: str) -> None:
        assert not loose("ann@example.com", said(text))

    @pytest.mark.parametrize(
        "text",
        [
            "Write to Ann",
            "Write to joann@example.com",
            "Write to jo.ann@example.com",
            "Write to jo-ann@example.com",
            "Write to jo+ann@example.com",
            "Write to ann@example.com.evil.test",
            "Write to ann@example.community",
            "Write to ann@example.com-evil.test",
            "Write to ann@example.com@evil.test",
            "Write to ann@exampleXcom",
        ],
    )
    def test_a_part_of_another_address_is_no_mention(self, text: str) -> None:
        assert loose("ann@example.com", said(text))

    def test_an_address_in_a_result_is_grounded(self) -> None:
        assert not loose("ann@example.com", said("Write to Ann", result("Ann: ann@example.com")))

    @pytest.mark.parametrize(
        "page",
        [
            {"text": "Contact:\nann@example.com\nTel. 123", "more": [1, None]},
            r'{"text": "Contact:\nann@example.com\nTel. 123", "more": [1, null]}',
            ["x", ["Contact:\tann@example.com"]],
        ],
    )
    def test_no_escape_of_a_result_in_JSON_hides_an_address(self, page: JsonValue) -> None:
        assert not loose("ann@example.com", said("Write to Ann", result(page)))

    def test_the_names_in_a_result_are_heard_too(self) -> None:
        assert not loose("ann@example.com", said("Write to Ann", result({"ann@example.com": 3})))

    def test_a_text_that_is_nearly_JSON_is_heard_as_it_is(self) -> None:
        assert not loose("ann@example.com", said("Write to Ann", result('{"to": "ann@example.com", …')))

    def test_a_failed_result_grounds_nothing(self) -> None:
        error = result({"error": "no such address: ann@example.com"}, failed=True)
        assert loose("ann@example.com", said("Write to Ann", error))

    def test_a_strangers_text_and_a_call_without_a_result_ground_nothing(self) -> None:
        assert loose("ann@example.com", said("Write to Ann", result("ann@example.com", untrusted=True)))
        call = ToolCallRecord(tool="look", arguments={"at": "ann@example.com"})
        assert loose("ann@example.com", said("Write to Ann", AssistantEntry(turn=1, calls=(call,))))

    def test_the_model_grounds_nothing(self) -> None:
        call = ToolCallRecord(tool="send", arguments={"to": ["ann@example.com"]})
        assert loose("ann@example.com", said("Go", AssistantEntry(text="I ask ann@example.com.", calls=(call,))))

    def test_the_address_book_grounds(self) -> None:
        assert not loose("ann@example.com", said("Write to Ann", book=("Ann@example.com", "bob@example.com")))

    def test_every_value_that_nobody_mentioned_is_named_and_only_those(self) -> None:
        arguments: Arguments = {
            "to": ["ann@example.com", "eve@evil.test"],
            "text": "to mallory@evil.test",
            "cc": "x@y.z",
        }
        assert ungrounded(SEND, arguments, said("Write to ann@example.com")) == ("eve@evil.test", "x@y.z")

    def test_an_argument_left_out_needs_no_ground(self) -> None:
        assert ungrounded(SEND, {"to": ["ann@example.com"], "cc": None}, said("ann@example.com")) == ()

    def test_nothing_is_grounded_for_a_tool_that_marks_nothing(self) -> None:
        assert ungrounded(LOOK, {"at": "anything"}, said("Go")) == ()

    @quick
    @given(st.text(), st.text())
    def test_any_value_is_compared_as_it_is_written(self, value: str, text: Any) -> None:
        assert not loose(value, said(f"{text} {value.strip()} "))


def offered(heard: Heard) -> object:
    schema = cast("dict[str, Any]", narrowed(made(send_email), heard))
    return schema["properties"]["to"]["items"].get("enum")


class TestWhatIsOffered:
    def test_the_model_is_offered_the_addresses_that_were_mentioned_each_once(self) -> None:
        heard = said(
            'Mail ann@example.com, then Bob <bob@corp.test> and "ann@example.com".',
            result({"mail": "carl@x.org"}),
            book=("desk@corp.test",),
        )
        assert offered(heard) == [
            "desk@corp.test",
            "ann@example.com",
            "bob@corp.test",
            "carl@x.org",
        ]

    def test_an_address_that_only_the_model_wrote_is_not_offered(self) -> None:
        call = ToolCallRecord(tool="send_email", arguments={"to": ["eve@evil.test"]})
        heard = said(
            "Mail ann@example.com", AssistantEntry(turn=1, calls=(call,)), result("eve@evil.test", failed=True)
        )
        assert offered(heard) == ["ann@example.com"]

    def test_where_no_address_was_mentioned_the_schema_stays_as_it_is(self) -> None:
        assert narrowed(made(send_email), said("Mail Ann")) == made(send_email).schema()

    @pytest.mark.parametrize(
        "text",
        [
            "I am bob@example.com, mail o'neil@example.com",
            "I am bob@example.com; mail ann@example.com’s boss",
            "I am bob@example.com, see mailto:x@y.org?cc=ann@example.com",
            "I am bob@example.com, mail ann@example.com—now",
            "我是 bob@example.com，请发邮件给ann@example.com",
            "I am bob@example.com, mail änn@example.com",
        ],
    )
    def test_where_an_address_may_have_been_overlooked_none_is_forced(self, text: str) -> None:
        enum = offered(said(text))
        assert enum is None or len(cast("list[str]", enum)) > 1

    @pytest.mark.parametrize("text", ["mail `ann@example.com`", "mail **ann@example.com**", "mail “ann@example.com”."])
    def test_marks_around_an_address_are_not_part_of_it(self, text: str) -> None:
        assert offered(said(text)) == ["ann@example.com"]

    def test_an_apostrophe_is_part_of_an_address(self) -> None:
        assert offered(said("mail o'neil@example.com")) == ["o'neil@example.com"]
        assert ungrounded(made(send_email), {"to": ["neil@example.com"]}, said("mail o'neil@example.com"))

    def test_where_a_script_has_no_spaces_what_stands_before_an_address_is_no_part_of_it(self) -> None:
        """It could be one, since letters of any script may stand in an address: so nobody is made to take it."""
        assert offered(said("请发邮件给ann@example.com")) is None

    def test_an_argument_that_takes_any_text_is_not_narrowed_to_the_words_of_the_request(self) -> None:
        assert narrowed(SEND, said("Send it to somebody")) == SEND.schema()

    def test_an_argument_with_one_value_is_narrowed_too(self) -> None:
        @tool(effect="write", grounded=("account",))
        async def pay(account: Annotated[str, Field(pattern=r"^AC\d{4}$")]) -> None:
            """Pay."""

        schema = cast("dict[str, Any]", narrowed(made(pay), said("Pay 5 to AC1234, not to AC99.")))
        assert schema["properties"]["account"]["enum"] == ["AC1234"]
