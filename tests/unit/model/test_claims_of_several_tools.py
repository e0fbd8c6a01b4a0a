"""A claim that several tools may bear out, because they do the same."""

import pytest

from activities.model.claims import unsupported
from activities.toolkit.tool import Tool, tool_of
from activities.tools.compose_email import compose_email
from activities.tools.invitations import send_invitation
from activities.tools.mail import send_email
from workflows.contract.conversation import AssistantEntry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import ModelInput
from workflows.contract.values import Arguments

TOOLS: dict[str, Tool] = {
    made.name: made for made in map(tool_of, (send_email, compose_email, send_invitation)) if made is not None
}
ANN, BOB, EVE, DESK = "ann@example.com", "bob@example.com", "eve@example.com", "desk@example.com"
NOTHING = "no call of send_email or compose_email or send_invitation has succeeded"


def called(name: str, arguments: Arguments, told: ToolMessage) -> AssistantEntry:
    return AssistantEntry(turn=1, calls=(ToolCallRecord(tool=name, arguments=arguments, told=told),))


def done(name: str, arguments: Arguments, *accepted: str) -> AssistantEntry:
    return called(name, arguments, ToolMessage(value={"accepted": [*accepted]}))


def ended(name: str, arguments: Arguments, status: str) -> AssistantEntry:
    return called(name, arguments, ToolMessage(value={"status": status, "error": "it says"}, failed=True))


def claims(summary: str, *entries: AssistantEntry, request: str = "Tell them") -> list[str]:
    situation = ModelInput(conversation=(UserEntry(text=request), *entries))
    return [claim.why for claim in unsupported(summary, situation, TOOLS)]


@pytest.mark.parametrize("name", [*TOOLS])
def test_whichever_was_called_bears_out_that_it_was_sent(name: str) -> None:
    entry = done(name, {"to": [ANN]}, ANN)
    assert claims(f"I emailed {ANN}.", entry) == []
    assert claims(f"I emailed {BOB}.", entry) == [f"no call of {name} to {BOB} has succeeded"]


def test_where_none_was_called_all_are_named() -> None:
    assert claims("I sent it.") == [NOTHING]
    assert claims("I sent it.", ended("compose_email", {"to": [ANN]}, "failed")) == [
        "no call of compose_email has succeeded"
    ]


def test_a_word_that_only_one_is_told_by_is_borne_out_only_by_that_one() -> None:
    """A mail is no invitation."""
    assert claims(f"I invited {ANN}.", done("send_email", {"to": [ANN]}, ANN)) == [
        "no call of send_invitation has succeeded"
    ]
    assert claims(f"I invited {ANN}.", done("send_invitation", {"to": [ANN]}, ANN)) == []


def test_one_that_failed_and_another_that_did_it_is_done() -> None:
    failed, sent = ended("compose_email", {"to": [ANN]}, "failed"), done("send_email", {"to": [ANN]}, ANN)
    assert claims(f"I emailed {ANN}.", failed, sent) == []


def test_of_one_that_may_have_happened_neither_yes_nor_no_is_borne_out() -> None:
    """And it is told of once, under its own name."""
    unknown = ended("send_invitation", {"to": [ANN]}, "unknown")
    for summary in ("I sent the invitation.", "The invitation could not be sent.", "I invited her."):
        assert claims(summary, unknown) == ["send_invitation may have been done, or not"]


COPIED: Arguments = {"to": [ANN], "cc": [BOB], "bcc": [EVE], "reply_to": [DESK]}


def test_copies_count_as_recipients() -> None:
    everybody = done("compose_email", COPIED, ANN, BOB, EVE)
    assert claims(f"I emailed {ANN}, {BOB} and {EVE}.", everybody) == []
    assert claims("I emailed all three of them.", everybody) == []
    assert claims(f"I emailed {ANN} and {EVE}.", done("compose_email", COPIED, ANN, BOB)) == [
        f"no call of compose_email to {EVE} has succeeded"
    ]


def test_where_replies_go_nobody_was_mailed_and_nobody_was_meant_to_be() -> None:
    everybody = done("compose_email", COPIED, ANN, BOB, EVE)
    assert claims("I emailed all of them.", everybody) == []
    assert claims(f"I emailed {ANN}; replies go to {DESK}.", everybody) == []
    assert claims(f"I emailed {ANN} with {DESK} for replies.", everybody) == []
