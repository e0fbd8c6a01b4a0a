"""Which summaries are sent back because no receipt bears them out, and which are not."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, JsonValue

from activities.model.claims import LONGEST_SENTENCE, MOST_TOLD, unsupported
from activities.smtp.sending import SentEmail
from activities.toolkit.tool import Tool, tool, tool_of
from activities.tools.mail import send_email
from activities.tools.stocks import get_stock_price
from activities.tools.weather import get_weather
from tests.sample_tools import write_down
from tests.unit.execution.arbitrary import json_values, quick
from workflows.contract.conversation import AssistantEntry, Entry, NoteEntry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import ModelInput
from workflows.contract.values import Arguments
from workflows.size_limits import shorten


@tool(effect="write", grounded=("to",), claim_verbs=("told",))
async def tell(to: list[str]) -> str:
    """Tell somebody, whose name may be any text."""
    return str(to)


@tool(effect="write")
async def book_flight(number: Annotated[str, Field(description="flight")]) -> str:
    """Book a flight; no words tell of it."""
    return number


def known(*functions: object) -> dict[str, Tool]:
    return {made.name: made for made in map(tool_of, functions) if made is not None}


TOOLS = known(send_email, get_weather, get_stock_price, write_down, tell, book_flight)
REQUEST = UserEntry(text="Mail ann@example.com and bob@example.com the news")
ANN, BOB, GONE = "ann@example.com", "bob@example.com", "gone@example.com"
NOTHING_SENT = "no call of send_email has succeeded"


def mail(*to: str) -> Arguments:
    return {"to": list(to), "subject": "s", "body": "b"}


def called(name: str, arguments: Arguments, told: ToolMessage | None) -> AssistantEntry:
    return AssistantEntry(turn=1, calls=(ToolCallRecord(tool=name, arguments=arguments, told=told),))


def sent(*to: str, refused: tuple[str, ...] = ()) -> AssistantEntry:
    """A mail that the server took over, for some of its recipients or for all."""
    result = SentEmail(
        message_id="<1@x>",
        accepted=tuple(each for each in to if each not in refused),
        refused=dict.fromkeys(refused, "550 no such user"),
        server_reply="250 OK",
    )
    return called("send_email", mail(*to), ToolMessage(value=result.model_dump(mode="json")))


def not_sent(*to: str, status: str = "failed") -> AssistantEntry:
    return ended("send_email", mail(*to), status)


def ended(name: str, arguments: Arguments, status: str) -> AssistantEntry:
    return called(name, arguments, ToolMessage(value={"status": status, "error": "550 it says"}, failed=True))


def claims(summary: str, *entries: Entry, request: Entry = REQUEST) -> list[str]:
    situation = ModelInput(conversation=(request, *entries))
    return [claim.why for claim in unsupported(summary, situation, TOOLS)]


def no_mail_to(*addresses: str) -> list[str]:
    return [f"no call of send_email to {', '.join(sorted(addresses))} has succeeded"]


def maybe(*addresses: str, name: str = "send_email") -> list[str]:
    whom = f" to {', '.join(sorted(addresses))}" if addresses else ""
    return [f"{name}{whom} may have been done, or not"]


some = st.lists(st.sampled_from([ANN, BOB, GONE, "dan@example.com"]), unique=True)
bits = st.sampled_from(['"', "sent", "not", "and it", ANN, "17 °C", "Paris", "everyone", ";", "\n", "?", "both", "may"])


@quick
@given(accepted=some.filter(bool), refused=some)
def test_a_sentence_may_name_whom_the_server_took_and_nobody_else(accepted: list[str], refused: list[str]) -> None:
    gone = [each for each in refused if each not in accepted]
    entry = sent(*accepted, *gone, refused=tuple(gone))
    assert claims(f"I emailed {', '.join(accepted)}.", entry) == []
    if gone:
        assert claims(f"I emailed {', '.join(gone)}.", entry) == no_mail_to(*gone)
        assert claims(f"I emailed {', '.join(accepted)} and {', '.join(gone)}.", entry) == no_mail_to(*gone)


@quick
@given(st.lists(bits | st.text(max_size=10)).map(" ".join), json_values, st.booleans())
def test_any_text_and_any_result_can_be_looked_at(text: str, value: JsonValue, failed: bool) -> None:
    told = ToolMessage(value=value, failed=failed)
    claims(text, *(called(tool, {"to": value, "city": value}, told) for tool in TOOLS))


class TestThatItWasDone:
    @pytest.mark.parametrize(
        "summary",
        [
            "I sent it.",
            "The news has been emailed to ann@example.com.",
            "All done. I MAILED Ann.",
            "It was sent\nto Ann",
            "No problem, I emailed Ann.",
            "I emailed Ann that the train is not late.",
            'I sent "it is not so" to Ann.',
            "I could not find the price, so I emailed Ann the weather.",
        ],
    )
    def test_a_claim_without_any_done_call_is_not_borne_out(self, summary: str) -> None:
        assert claims(summary) == [NOTHING_SENT]
        assert claims(summary, called("send_email", mail(ANN), None)) == [NOTHING_SENT]
        for status in ("failed", "invalid", "rejected", "refused", "cancelled"):
            assert claims(summary, not_sent(ANN, status=status)) == [NOTHING_SENT]

    @pytest.mark.parametrize(
        "summary",
        [
            f"I sent it to {ANN} and {BOB}.",
            f"I sent it to {ANN}. The news was also emailed to {BOB}",
            "I sent it to Ann and Bob.",
        ],
    )
    def test_a_claim_about_an_address_that_no_done_call_has_is_not_borne_out(self, summary: str) -> None:
        assert claims(summary, sent(ANN), not_sent(BOB)) == no_mail_to(BOB)

    def test_an_address_that_only_the_model_knows_of_counts_too(self) -> None:
        assert claims("I sent it to eve@example.com.", sent(ANN)) == no_mail_to("eve@example.com")

    def test_a_call_that_a_person_has_edited_bears_out_what_was_done_and_not_what_was_asked_for(self) -> None:
        result: JsonValue = {"edited_by": "p", "arguments": mail(BOB), "result": {"accepted": [BOB]}}
        done = called("send_email", mail(ANN), ToolMessage(value=result, arguments=mail(BOB)))
        assert claims(f"I sent it to {BOB}.", done) == []
        assert claims(f"I sent it to {ANN}.", done) == no_mail_to(ANN)

    def test_a_claim_in_a_later_message_is_about_what_was_done_for_that_message(self) -> None:
        later = UserEntry(text="Mail Bob too.")
        assert claims("I emailed him.", sent(ANN), later, not_sent(BOB)) == [NOTHING_SENT]
        assert claims("Yes, I emailed her.", sent(ANN), UserEntry(text="Did you?")) == []

    @pytest.mark.parametrize(
        "summary",
        [
            "I sent it to Ann@Example.com.",
            "I sent it.",
            "Emailed ann@example.com: the news.",
            "I sent it to ann@example.com from errand@example.com.",
            "I emailed ann@example.com that eve@example.com has left.",
            "I sent ann@example.com the mail, but not bob@example.com.",
            "I emailed everyone except bob@example.com.",
        ],
    )
    def test_a_claim_that_a_done_call_bears_out_passes(self, summary: str) -> None:
        assert claims(summary, sent(ANN)) == []

    @pytest.mark.parametrize(
        "summary",
        [
            "I could not send it; nothing was sent.",
            "The mail was not sent to bob@example.com.",
            "It wasn't emailed.",
            "Should it be mailed?",
            "It will be sent to ann@example.com.",
            "It may have been sent.",
            "If the price rises, an email is sent.",
            "Nothing has been emailed, mailed or sent.",
            "The email that I sent failed.",
            "It is 17 °C in Tokyo.",
            "The sentence was consented to.",
        ],
    )
    def test_a_denial_a_doubt_an_intent_and_other_words_claim_nothing(self, summary: str) -> None:
        assert claims(summary) == []
        assert claims(summary, not_sent(ANN)) == []

    def test_what_the_check_cannot_see_passes(self) -> None:
        """Said in docs/once.md too: other words, other languages."""
        assert claims("I let ann@example.com know.") == []
        assert claims("Ich habe es verschickt.") == []

    def test_nothing_is_said_of_calls_that_the_conversation_has_lost(self) -> None:
        lost = NoteEntry(text="[What was said and done before this is left out.]")
        assert claims(f"I sent it to {ANN}.", REQUEST, request=lost) == []
        assert claims(f"I sent it to {GONE}.", REQUEST, sent(ANN, GONE, refused=(GONE,)), request=lost) == no_mail_to(
            GONE
        )

    def test_a_sentence_is_told_once_and_shortened_and_no_more_than_ten_are(self) -> None:
        situation = ModelInput(conversation=(REQUEST,))
        assert len(unsupported("I sent it. " * 60, situation, TOOLS)) == 1
        many = unsupported("".join(f"I sent number {number} {'x' * 500}.\n" for number in range(60)), situation, TOOLS)
        assert len(many) == MOST_TOLD
        assert len(many[0].sentence) == LONGEST_SENTENCE


class TestThatItWasDoneForAll:
    REQUEST = UserEntry(text=f"Mail {ANN} and {GONE} the news")

    @pytest.mark.parametrize(
        "summary",
        [
            f"I emailed {GONE}.",
            f"I sent the news to {ANN} and {GONE}.",
            f"The email was sent to {ANN}, {GONE}.",
            "I emailed Gone.",
            "I sent the email to both recipients.",
            "I sent it to both.",
            "Both were emailed.",
            "I emailed both of them.",
            "The email was sent to everybody.",
            "Everyone was emailed.",
            "I emailed all recipients.",
            "The news was emailed to all of them.",
            "I sent it to each recipient.",
            "I sent it to the two recipients.",
            "It was sent to 2 people.",
            "I emailed them.",
            "The emails were sent.",
        ],
    )
    def test_a_recipient_that_the_server_refused_was_not_mailed(self, summary: str) -> None:
        assert claims(summary, sent(ANN, GONE, refused=(GONE,)), request=self.REQUEST) == no_mail_to(GONE)
        assert claims(summary, sent(ANN), not_sent(GONE), request=self.REQUEST) == no_mail_to(GONE)

    @pytest.mark.parametrize(
        "summary",
        [
            f"I emailed {ANN}.",
            f"I emailed {ANN}, but {GONE} was refused.",
            f"I sent it to {ANN}; {GONE} does not exist.",
            f"I emailed everyone except {GONE}.",
            f"The email was sent to {ANN}. The server refused {GONE}.",
            "I sent it.",
            f"I sent both the weather and the price to {ANN}.",
            f"I sent all the news to {ANN}.",
            "One of two recipients was emailed.",
            "I emailed 1 of the 2 people.",
            f"I sent it to {ANN} (the server refused {GONE}).",
        ],
    )
    def test_whom_it_was_sent_to_may_be_said(self, summary: str) -> None:
        assert claims(summary, sent(ANN, GONE, refused=(GONE,)), request=self.REQUEST) == []

    def test_an_answer_that_had_to_be_shortened_still_says_whom_the_server_took(self) -> None:
        (entry,) = [sent(ANN, GONE, refused=(GONE,))]
        (call,) = entry.calls
        assert call.told is not None
        assert isinstance(call.told.value, dict)
        long = shorten({**call.told.value, "server_reply": "250 " + "x" * 600})
        assert isinstance(long, str)
        shortened = called("send_email", mail(ANN, GONE), ToolMessage(value=long))
        assert claims(f"I emailed {GONE}.", shortened) == no_mail_to(GONE)
        assert claims(f"I emailed {ANN}.", shortened) == []

    def test_an_answer_that_names_nobody_any_more_leaves_it_at_the_calls_recipients(self) -> None:
        assert (
            claims(
                f"I emailed {ANN}.", called("send_email", mail(ANN), ToolMessage(value="… [shortened: 1 of 9 bytes]"))
            )
            == []
        )

    @pytest.mark.parametrize("summary", ["I sent it to everyone.", "I emailed all recipients.", "I sent it to both."])
    def test_all_are_also_those_whom_the_request_names_and_no_call_was_made_for(self, summary: str) -> None:
        assert claims(summary, sent(ANN)) != []
        assert claims(summary, sent(ANN, BOB)) == []
        assert claims(summary, sent(ANN), sent(BOB)) == []

    def test_more_than_it_was_sent_to_cannot_be_said(self) -> None:
        assert claims("I emailed all three.", sent(ANN, BOB)) == ["send_email was done for 2 of them"]
        assert claims("I sent it to all 2 recipients.", sent(ANN, BOB)) == []

    def test_a_second_try_that_worked_makes_it_all(self) -> None:
        assert claims("I emailed both recipients.", not_sent(BOB), sent(ANN), sent(BOB)) == []
        assert claims("I emailed everyone.", not_sent("bob@exmple.com", status="invalid"), sent(ANN, BOB)) == []

    def test_names_of_any_kind_count_where_a_call_was_made_with_them(self) -> None:
        done = called("tell", {"to": ["Ann"]}, ToolMessage(value="told"))
        assert claims("I told Ann and Bob.", done, ended("tell", {"to": ["Bob"]}, "failed")) == [
            "no call of tell to bob has succeeded"
        ]
        assert claims("I told Ann.", done) == []

    def test_of_several_calls_without_recipients_all_must_be_done(self) -> None:
        one: Arguments = {"word": "one"}
        two: Arguments = {"word": "two"}
        done = called("write_down", one, ToolMessage(value="written"))
        assert claims("I wrote both down.", done, ended("write_down", two, "failed")) == [
            "not every call of write_down has succeeded"
        ]
        assert claims("I wrote both down.", done, called("write_down", two, ToolMessage(value="written"))) == []


class TestOfWhatIsUnknown:
    UNKNOWN = not_sent(BOB, status="unknown")

    @pytest.mark.parametrize(
        "summary",
        [
            "It was sent.",
            "It was not sent.",
            "The email could not be sent.",
            "I failed to send the email.",
            "The email failed to send.",
            "Sending the email failed.",
            "I was unable to email Bob.",
            "The message was not delivered.",
            "The email did not go out.",
            "Nothing was sent.",
            "It failed.",
            "The attempt was unsuccessful.",
            "The server did not answer, so the email was not sent.",
            "No email has been sent.",
        ],
    )
    def test_neither_yes_nor_no_is_borne_out(self, summary: str) -> None:
        found = claims(summary, self.UNKNOWN)
        assert found in (maybe(), maybe(BOB))

    def test_neither_is_borne_out_of_one_of_several(self) -> None:
        assert claims(f"I emailed {ANN} and {BOB}.", sent(ANN), self.UNKNOWN) == maybe(BOB)
        assert claims(f"I emailed {ANN}, but not {BOB}.", sent(ANN), self.UNKNOWN) == maybe(BOB)
        assert claims(f"I emailed {ANN}. The mail to {BOB} was not sent.", sent(ANN), self.UNKNOWN) == maybe(BOB)
        assert claims("I emailed both of them.", sent(ANN), self.UNKNOWN) == maybe(BOB)

    @pytest.mark.parametrize(
        "summary",
        [
            "It is not known whether the email was sent.",
            "The email may have been sent.",
            "The email may or may not have been sent.",
            "I do not know if it was sent.",
            "I could not confirm that the email was sent.",
            "It is unclear whether the mail went out.",
            "The server did not answer. Whether the email was sent is unknown.",
            "The email was possibly sent.",
            "The mail server did not answer.",
            "The status of the email is unknown.",
        ],
    )
    def test_that_nobody_knows_may_be_said(self, summary: str) -> None:
        assert claims(summary, self.UNKNOWN) == []

    def test_a_denial_about_somebody_else_passes(self) -> None:
        calls = (self.UNKNOWN, not_sent(GONE, status="rejected"))
        assert claims(f"The mail to {GONE} was not sent.", *calls) == []

    def test_a_denial_of_what_has_failed_passes(self) -> None:
        assert claims("It was not sent.", not_sent(BOB)) == []

    def test_a_tool_without_words_for_its_action_is_denied_by_its_name_or_in_general(self) -> None:
        unknown = ended("book_flight", {"number": "LH1"}, "unknown")
        for summary in ("The flight was not booked.", "I could not book it.", "It did not work."):
            assert claims(summary, unknown) == maybe(name="book_flight")
        assert claims("The flight may have been booked.", unknown) == []

    def test_words_for_anything_are_taken_for_another_calls_where_one_has_failed(self) -> None:
        failed = ended("get_weather", {"city": "Paris"}, "failed")
        assert claims("Looking up the weather failed.", self.UNKNOWN, failed) == []

    def test_it_is_unknown_also_where_the_error_had_to_be_shortened(self) -> None:
        value = shorten({"status": "unknown", "error": "x" * 600})
        told = called("send_email", mail(BOB), ToolMessage(value=value, failed=True))
        assert claims("It was not sent.", told) == maybe()


class TestFiguresForWhatCouldNotBeRead:
    FAILED = ended("get_weather", {"city": "Paris"}, "failed")
    TOKYO = called("get_weather", {"city": "Tokyo"}, ToolMessage(value={"city": "Tokyo", "temperature_c": 17.3}))
    NO_PRICE = ended("get_stock_price", {"symbol": "AAPL"}, "failed")

    @pytest.mark.parametrize(
        "summary",
        [
            "It is 17 °C in Paris.",
            "The temperature in Paris is 17.",
            "Paris: 17.",
            "It is 17 °C in Tokyo and 15 °C in Paris.",
            "The weather in Paris is sunny, about 20 degrees.",
            "It is seventeen degrees in Paris.",
        ],
    )
    def test_a_figure_for_what_failed_is_not_borne_out(self, summary: str) -> None:
        assert claims(summary, self.FAILED, self.TOKYO) == ["no call of get_weather for Paris has succeeded"]

    @pytest.mark.parametrize("summary", ["Apple trades at $150.", "The price is 150.25 USD."])
    def test_a_figure_that_nothing_names_is_not_borne_out_where_something_failed(self, summary: str) -> None:
        assert claims(summary, self.NO_PRICE, self.TOKYO) == [
            "a call of get_stock_price has failed, and no result says this"
        ]

    @pytest.mark.parametrize(
        "summary",
        [
            "It is 17 °C in Tokyo; the weather in Paris could not be had.",
            "It is 17.3 °C in Tokyo, but I could not find Paris.",
            "It is 17 °C in Tokyo, and there is no answer for Paris.",
            "I could not get the weather in Paris after 3 attempts.",
            "I asked for Paris and Tokyo.",
            "The weather in Paris is not known.",
            "It is 63 °F in Tokyo.",
        ],
    )
    def test_other_figures_and_denials_pass(self, summary: str) -> None:
        assert claims(summary, self.FAILED, self.TOKYO) == []

    def test_a_figure_of_the_request_and_one_that_a_later_try_brought_pass(self) -> None:
        assert claims("The stock is at 189.", self.NO_PRICE) != []
        request = UserEntry(text="Is it 20 °C in Paris?")
        assert claims("You asked whether it is 20 °C in Paris.", self.FAILED, request=request) == []
        again = called("get_weather", {"city": "Paris"}, ToolMessage(value={"city": "Paris", "temperature_c": 11}))
        assert claims("It is 11 °C in Paris.", self.FAILED, again) == []
        found = called(
            "get_weather", {"city": "Paris, France"}, ToolMessage(value={"city": "Paris", "temperature_c": 11})
        )
        assert claims("It is 11 °C in Paris.", self.FAILED, found) == []

    def test_without_a_failed_read_no_figure_is_looked_at(self) -> None:
        """Said in docs/once.md too."""
        assert claims("It is 99 °C in Tokyo.", self.TOKYO) == []
