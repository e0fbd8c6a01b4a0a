"""Which summaries are sent back because no receipt bears them out, and which are not."""

import pytest

from activities.mail import send_email
from activities.model.claims import unsupported
from activities.model.grounding import Heard
from activities.tool import tool_of
from workflows.contract import Arguments, AssistantEntry, MadeCall, Situation, Told, UserEntry

MAIL = tool_of(send_email)
assert MAIL is not None
TOOLS = {MAIL.name: MAIL}
REQUEST = UserEntry(text="Mail ann@example.com and bob@example.com the news")


def mail(*to: str) -> Arguments:
    return {"to": list(to), "subject": "s", "body": "b"}


def called(told: Told | None, *to: str) -> AssistantEntry:
    return AssistantEntry(turn=1, calls=(MadeCall(tool="send_email", arguments=mail(*to), told=told),))


def mailed(*to: str, failed: bool = False) -> AssistantEntry:
    return called(Told(value={}, failed=failed), *to)


def edited(*to: str) -> AssistantEntry:
    """A mail to Ann that a person has sent to somebody else."""
    return called(Told(value={}, arguments=mail(*to)), "ann@example.com")


def problems(summary: str, *entries: AssistantEntry) -> tuple[str, ...]:
    situation = Situation(conversation=(REQUEST, *entries))
    return unsupported(summary, situation, TOOLS, Heard.of(situation, ()))


@pytest.mark.parametrize(
    "summary",
    ["I sent it.", "The news has been emailed to ann@example.com.", "All done. I MAILED Ann.", "It was sent\nto Ann"],
)
def test_a_claim_without_any_done_call_is_not_borne_out(summary: str) -> None:
    assert problems(summary) == ("no call of send_email has succeeded",)
    assert problems(summary, called(None, "ann@example.com")) == ("no call of send_email has succeeded",)
    assert problems(summary, mailed("ann@example.com", failed=True)) == ("no call of send_email has succeeded",)


def test_a_claim_about_an_address_that_no_done_call_names_is_not_borne_out() -> None:
    summary = "I sent it to ann@example.com and bob@example.com."
    assert problems(summary, mailed("ann@example.com")) == ("no call of send_email to bob@example.com has succeeded",)


def test_a_call_that_a_person_has_edited_bears_out_what_was_done_and_not_what_was_asked_for() -> None:
    done = edited("bob@example.com")
    assert problems("I sent it to bob@example.com.", done) == ()
    told = problems("I sent it to ann@example.com.", done)
    assert told == ("no call of send_email to ann@example.com has succeeded",)


@pytest.mark.parametrize(
    "summary", ["I sent it to Ann@Example.com.", "I sent it.", "Emailed ann@example.com: the news."]
)
def test_a_claim_that_a_done_call_bears_out_passes(summary: str) -> None:
    assert problems(summary, mailed("ann@example.com")) == ()


@pytest.mark.parametrize(
    "summary",
    [
        "I could not send it; nothing was sent.",
        "The mail was not sent to bob@example.com.",
        "It wasn't emailed.",
        "Should it be mailed?",
        "It is 17 °C in Tokyo.",
        "The sentence was consented to.",
    ],
)
def test_a_denial_a_doubt_and_other_words_claim_nothing(summary: str) -> None:
    assert problems(summary) == ()


def test_what_the_check_cannot_see_passes() -> None:
    """Said in the README too: other words, other languages, figures."""
    assert problems("I wrote to ann@example.com.") == ()
    assert problems("Ich habe es verschickt.") == ()
