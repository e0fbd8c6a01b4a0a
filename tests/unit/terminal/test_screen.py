"""What is printed of strangers' text, and how long values give way."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.ledger.rows import Action, State
from deploy.client.listing import Found
from deploy.client.schedules import Scheduled
from deploy.client.steps import (
    Answered,
    Asked,
    AskedAgain,
    Calling,
    CloseAsked,
    Corrected,
    Decided,
    Demoted,
    EditRefused,
    Listening,
    MessageCame,
    NotAnswered,
    Ruled,
    Settled,
    Settling,
    Shaped,
    Step,
    Thinking,
)
from deploy.client.timetables import Timetable
from deploy.terminal.results import UNSUPPORTED, link
from deploy.terminal.schedule_results import ScheduleScreen
from deploy.terminal.screen import Screen
from deploy.terminal.text import arguments, visible
from deploy.terminal.transcript import spoken
from workflows.contract.api import (
    Approve,
    Outcome,
    PendingApproval,
    Receipt,
    ReceiptStatus,
    Reject,
    Request,
    RequestState,
    RequestStatus,
    Usage,
)
from workflows.contract.conversation import AssistantEntry, ToolCallRecord, UserEntry
from workflows.contract.internal import Answer, Decision, Settlement, ToolCall
from workflows.contract.progress import LimitsUsed, Messages, Progress, QueuedMessage


@given(st.text())
def test_nothing_that_a_stranger_wrote_reaches_the_terminal_as_a_control_character(text: str) -> None:
    assert all(each.isprintable() or each in "\n\u00a0" for each in visible(text))


def test_an_escape_sequence_is_shown_instead_of_obeyed() -> None:
    assert visible("\x1b[2Jhi\u202e") == "\\x1b[2Jhi\\u202e"


def test_markup_in_a_request_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().show(Asked(Request(text="[red]not red[/red] [/]")), "r")
    assert "[red]not red[/red] [/]" in capsys.readouterr().out


def test_short_arguments_are_whole() -> None:
    assert arguments({"to": ["ann@example.com"], "copies": 2}, 80) == 'to=["ann@example.com"] copies=2'


def test_long_arguments_give_way_so_that_every_name_can_be_seen() -> None:
    shown = arguments({"to": ["ann@example.com"], "subject": "x" * 100, "body": "y\n" * 100}, 60)
    assert len(shown) <= 60
    assert all(f"{name}=" in shown for name in ("to", "subject", "body"))


def test_a_link_survives_an_id_with_a_slash() -> None:
    shown = link("http://ui/", "default", "a/b c", "run")
    assert shown == "http://ui/namespaces/default/workflows/a%2Fb%20c/run/history"


def mailed(**changes: object) -> Receipt:
    return Receipt.model_validate(
        {
            "key": "r/1.1",
            "tool": "send_email",
            "arguments": {"to": ["ann@example.com", "bob@example.com"]},
            "effect": "write",
            "status": ReceiptStatus.DONE,
            **changes,
        }
    )


LATER = datetime(2030, 1, 1, tzinfo=UTC)


def ended(*receipts: Receipt, claims: tuple[str, ...] = ()) -> Outcome:
    return Outcome(
        request_id="r",
        status=RequestStatus.COMPLETED,
        summary="Sent.",
        unsupported_claims=claims,
        receipts=receipts,
    )


def test_a_summary_that_no_receipt_bears_out_is_marked_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().outcome(ended(claims=('"Sent.": no call of send_email has succeeded',)), "link")
    shown = capsys.readouterr().out
    assert f'completed: Sent.\n{UNSUPPORTED}\n        "Sent.": no call of send_email has succeeded\n' in shown


def test_what_a_model_says_over_and_over_is_shortened_on_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    looping = ended().model_copy(update={"summary": "The price of Apple is 150 dollars. " * 60})
    for show in (lambda: Screen().outcome(looping, "link"), lambda: Screen().answer(looping)):
        show()
        assert capsys.readouterr().out.count("The price of Apple") == 2
    Screen().outcome(looping, "link")
    assert "… (the same 58 times more)" in capsys.readouterr().out
    assert next(iter(spoken([Answered("1", looping)])))[1].count("The price of Apple") == 2


def test_a_summary_that_is_borne_out_has_no_mark(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().outcome(ended(mailed()), "link")
    assert "⚠" not in capsys.readouterr().out


def test_an_unknown_receipt_says_how_to_settle_it(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().outcome(ended(mailed(status=ReceiptStatus.UNKNOWN, error="no answer after the dot")), "link")
    shown = capsys.readouterr().out
    assert "? unknown" in shown
    assert "client.py actions --state unknown, client.py resolve KEY delivered|not-delivered" in shown


def test_a_write_that_is_asked_again_is_shown_as_it_is_and_its_receipt_says_how_it_became_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = CALL.model_copy(update={"tried_before": 5})
    Screen().show(Calling(asked, "asking again whether it happened: to ann"), "r")
    Screen().receipts([mailed(attempts=8, settled="asked again")])
    shown = capsys.readouterr().out
    assert "tell  asking again whether it happened: to ann" in shown
    assert "8 attempts, known by being asked again" in shown


def test_recipients_that_the_mail_server_refused_are_shown_with_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().receipts([mailed(result={"refused": {"bob@example.com": "550 no such user"}})])
    assert "not to bob@example.com: 550 no such user" in capsys.readouterr().out


@pytest.mark.parametrize("result", [None, "refused", {"refused": True}, {"refused": {}}, ["refused"]])
def test_a_result_without_refused_recipients_adds_no_line(result: object, capsys: pytest.CaptureFixture[str]) -> None:
    Screen().receipts([mailed(result=result)])
    assert len(capsys.readouterr().out.splitlines()) == 1


CALL = ToolCall(key="r/1.1", tool="tell", arguments={"to": ["ann"]})


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        (Settling(CALL), '? asking the ledger what became of tell to=["ann"]'),
        (Settled(CALL, Settlement(status=ReceiptStatus.DONE, result="told")), "✓ tell  done"),
        (
            Settled(CALL, Settlement(status=ReceiptStatus.UNKNOWN, error="it was begun, and never reported on")),
            "? tell  unknown: it was begun, and never reported on",
        ),
        (Corrected("That is not\nwhat happened"), "asked the model to correct: That is not what happened"),
        (Ruled(Approve(key="r/1.1", digest="", by="ann")), "✓ approved by ann\n"),
        (
            Ruled(Approve(key="r/1.1", digest="", by="ann", arguments={"to": ["bob"]})),
            '✓ approved by ann, with to=["bob"]',
        ),
        (Ruled(Reject(key="r/1.1", digest="", by="bob", reason="she knows")), "✗ rejected by bob: she knows"),
        (EditRefused(Approve(key="r/1.1", digest="", by="ann"), "to: Field required"), "to: Field required"),
        (
            AskedAgain(
                Approve(key="r/1.1", digest="", by="ann", arguments={}),
                PendingApproval(
                    key="r/1.1", digest="d", tool="tell", arguments={}, reason="nobody mentioned eve", expires_at=LATER
                ),
            ),
            "what ann made of it needs a second yes: nobody mentioned eve\n",
        ),
        (MessageCame(QueuedMessage(id="1", text="Thank\nyou.", by="bob")), "> Thank you.  (bob)\n"),
        (Answered("1", ended()), "completed: Sent.\n"),
        (NotAnswered("1", "it was lost"), "✗ the message has no answer: it was lost\n"),
        (CloseAsked(), "it is to be closed\n"),
        (Listening("Hello."), "        Hello.\n"),
        (Thinking(3, shortened=True), "the conversation is too long for the model, and was shortened\n"),
        (Demoted("it calls no functions"), "⚠ the model's endpoint: it calls no functions\n"),
        (Shaped(3, Answer(output={}, usage=Usage())), "turn 3  the result is put into the schema  0.0 s\n"),
        (
            Shaped(3, Answer(problem="price: missing", usage=Usage())),
            "turn 3  the result does not fit the schema  0.0 s\n        price: missing\n",
        ),
        (
            Decided(2, Decision(problem="it is cut short", usage=Usage())),
            "turn 2  the model's reply could not be used  0.0 s\n        it is cut short\n",
        ),
        (Decided(2, Decision(text="No.", refused=True, usage=Usage())), "turn 2  the model refuses: No."),
        (Decided(2, Decision(text="On and", cut_off=True, usage=Usage())), "the model's answer is cut off: On and"),
    ],
)
def test_every_kind_of_step_is_told(step: Step, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    Screen().show(step, "r")
    assert shown in capsys.readouterr().out


def test_actions_are_shown_with_their_whole_keys_so_that_they_can_be_settled(
    capsys: pytest.CaptureFixture[str],
) -> None:
    action = Action(
        key="a-request-with-a-long-name/1.1",
        digest="",
        tool="send_email",
        arguments={"to": ["ann@example.com"], "body": "[red]x[/red]" * 50},
        request_id="a-request-with-a-long-name",
        requester="ann",
        approved_by="carol",
        state=State.NOT_DONE,
        token="",
        attempt=1,
        begun_at=datetime(2026, 1, 31, tzinfo=UTC),
        error="the server said no",
        resolved_by="dave",
    )
    Screen().actions([action])
    shown = capsys.readouterr().out
    for expected in (action.key, "not_done", "send_email", "[red]", "carol", "the server said no", "settled by dave"):
        assert expected in shown, shown


def test_an_output_is_shown_below_the_summary_and_what_it_cost_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    usage = Usage(model_calls=2, input_tokens=10, output_tokens=5, cost=0.01234567)
    outcome = ended().model_copy(update={"output": {"price": 3.5, "note": "\x1b[2J"}, "usage": usage})
    Screen().outcome(outcome, "link")
    shown = capsys.readouterr().out
    assert 'completed: Sent.\n{\n  "price": 3.5,\n  "note": "\\u001b[2J"\n}\n' in shown
    assert "2 model calls, 10 tokens in and 5 out, cost 0.01235\n" in shown


def test_where_an_open_conversation_stands_says_how_many_messages_wait(capsys: pytest.CaptureFixture[str]) -> None:
    state = RequestState(request_id="r", status=RequestStatus.RUNNING, turn=3, doing="turn 3: asking the model")
    Screen().state(state.model_copy(update={"messages_waiting": 2}))
    assert "r  running  turn 3: asking the model  (2 messages waiting)\n" in capsys.readouterr().out


def test_what_was_said_before_is_told_in_brief_also_of_an_earlier_run(capsys: pytest.CaptureFixture[str]) -> None:
    conversation = (
        *(entry for number in range(4) for entry in (UserEntry(text=f"Is it {number}?"), answer("It is not."))),
        AssistantEntry(turn=1, text="I look.", calls=(ToolCallRecord(tool="look_up", arguments={}),)),
    )
    progress = Progress(
        conversation=conversation, messages=Messages(), spending=LimitsUsed(deadline=datetime(2030, 1, 1, tzinfo=UTC))
    )
    Screen().past(
        [
            Asked(Request(keep_open=True, carried=progress.model_dump(mode="json"))),
            MessageCame(QueuedMessage(id="1", text="Is it 4?")),
            Answered("1", ended(mailed())),
            Listening("It is."),
            MessageCame(QueuedMessage(id="2", text="Is it 5?")),
        ]
    )
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "… 2 lines before"
    assert shown[1] == "> Is it 1?"
    assert shown[-5:] == ["> Is it 4?", "        Sent. (1 receipt)", "        It is.", "> Is it 5?", ""]


def test_one_very_long_id_or_name_in_a_list_cuts_nobodys_text(capsys: pytest.CaptureFixture[str]) -> None:
    def found(request_id: str, requester: str = "ann") -> Found:
        return Found(
            request_id=request_id,
            status=RequestStatus.COMPLETED,
            requester=requester,
            awaiting_approval=False,
            started_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
            closed_at=None,
            summary="Write to the tax office by next Monday.",
        )

    Screen().found([found("x" * 500, "y" * 500), found("tax-1")])
    long, short = capsys.readouterr().out.splitlines()
    assert long.startswith("x" * 500 + "  completed")
    assert short.startswith("tax-1" + " " * 37 + "completed")
    assert short.endswith("ann" + " " * 39 + "Write to the tax office by next Monday.")


def answer(text: str) -> AssistantEntry:
    return AssistantEntry(text=text)


def test_a_schedule_of_a_very_long_id_widens_only_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    def scheduled(schedule_id: str) -> Scheduled:
        timetable = Timetable(cron="0 8 * * 1-5", zone="Europe/Berlin")
        text = "Mail ann the rates."
        return Scheduled(
            schedule_id=schedule_id, timetable=timetable, text=text, requester="ann", paused=False, next_times=()
        )

    ScheduleScreen().schedules([scheduled("x" * 500), scheduled("rates")])
    long, short = capsys.readouterr().out.splitlines()
    told = "  0 8 * * 1-5 Europe/Berlin  next never again  Mail ann the rates."
    assert long == "x" * 500 + told
    assert short == "rates".ljust(40) + told
