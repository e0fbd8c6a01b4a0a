"""The judge of the crash matrix sees every kind of broken promise."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from pydantic import JsonValue

from activities.ledger.rows import Action, State
from tests.chaos.faults import Faults
from tests.chaos.judge import NOT_SENT, Verdict, judge
from tests.chaos.load import End, Mail, Plan, Story
from tests.chaos.settling import Settled
from tests.chaos.smtp_record import Delivery, Dot, SmtpRecord
from workflows.contract.api import Outcome, Receipt, ReceiptStatus, RequestStatus

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
KEY = "r/1.1"


ANN, BOB = "t.1of2@example.com", "t.2of2@example.com"
TO_BOTH = Mail("t", recipients=2)


def end(status: ReceiptStatus | None, *, until: datetime | None = None, accepted: tuple[str, ...] = (ANN, BOB)) -> End:
    receipt = Receipt(
        key=KEY,
        tool="send_email",
        arguments={"subject": "t"},
        status=status or ReceiptStatus.DONE,
        result=result(*accepted) if status is ReceiptStatus.DONE else None,
        finished_at=NOON,
    )
    receipts = () if status is None else (receipt,)
    return End(Outcome(request_id="r", status=RequestStatus.COMPLETED, summary="", receipts=receipts), until)


def result(*accepted: str) -> dict[str, JsonValue]:
    refused: dict[str, JsonValue] = {each: "550 Never" for each in TO_BOTH.to if each not in accepted}
    return {"accepted": list(accepted), **({"refused": refused} if refused else {})}


def row(state: State, *, attempt: int = 1, finished_at: datetime | None = None) -> Action:
    return Action(
        key=KEY,
        digest="",
        tool="send_email",
        arguments={"subject": "t"},
        request_id="r",
        requester="",
        approved_by="",
        state=state,
        token="",
        attempt=attempt,
        begun_at=NOON,
        finished_at=finished_at,
        result=result(ANN, BOB) if state is State.DONE else None,
    )


def judged(
    *ends: End,
    delivered: int = 0,
    to: tuple[str, ...] = TO_BOTH.to,
    at: datetime = NOON,
    ledger: Action | None = None,
    dot: bool = False,
    settled: Settled | None = None,
) -> Verdict:
    story = Story(Plan("r", (TO_BOTH,)), list(ends), finished=bool(ends))
    deliveries = [Delivery("t", "<id>", at, to) for _ in range(delivered)]
    dots = [Dot("t", at)] if dot or delivered else []
    record = SmtpRecord(Faults(Random(0)), deliveries=deliveries, dots=dots)
    return judge([story], record, [ledger] if ledger else [], [settled] if settled else [])


@pytest.mark.parametrize("status", [ReceiptStatus.DONE, ReceiptStatus.UNKNOWN])
def test_what_was_delivered_once_may_be_said_to_be_done_or_unknown(status: ReceiptStatus) -> None:
    assert judged(end(status), delivered=1).violations == []


def test_two_deliveries_are_a_duplicate_whatever_was_said() -> None:
    assert len(judged(end(ReceiptStatus.UNKNOWN), delivered=2, to=(BOB,)).duplicates) == 1


def test_what_some_are_refused_is_held_against_every_single_recipient() -> None:
    in_part = end(ReceiptStatus.DONE, accepted=(ANN,))
    assert judged(in_part, delivered=1, to=(ANN,)).violations == []
    assert len(judged(in_part, delivered=1, to=(ANN, BOB)).ghosts) == 1
    assert len(judged(end(ReceiptStatus.DONE), delivered=1, to=(ANN,)).lost) == 1


def test_a_receipt_that_does_not_speak_of_a_recipient_is_seen() -> None:
    forgetful = end(ReceiptStatus.DONE)
    forgetful.outcome.receipts[0].result["accepted"].remove(BOB)  # type: ignore[index]
    assert len(judged(forgetful, delivered=1, to=(ANN,)).other) == 1


def test_nothing_is_sent_after_an_operator_has_said_that_it_is_delivered() -> None:
    before = Settled(KEY, "t", delivered=True, at=NOON - timedelta(seconds=1))
    after = Settled(KEY, "t", delivered=True, at=LATER)
    done = row(State.DONE)
    assert judged(end(ReceiptStatus.UNKNOWN), delivered=1, ledger=done, settled=after).violations == []
    assert len(judged(end(ReceiptStatus.UNKNOWN), delivered=1, ledger=done, settled=before).other) == 1


def test_what_an_operator_has_said_is_delivered_stays_so() -> None:
    said = Settled(KEY, "t", delivered=True, at=LATER)
    assert len(judged(end(ReceiptStatus.UNKNOWN), delivered=1, ledger=row(State.UNKNOWN), settled=said).other) == 1


def test_done_without_a_delivery_is_lost() -> None:
    assert len(judged(end(ReceiptStatus.DONE)).lost) == 1


def test_done_in_the_ledger_without_a_delivery_is_lost() -> None:
    assert len(judged(end(ReceiptStatus.UNKNOWN), ledger=row(State.DONE)).lost) == 1


@pytest.mark.parametrize("status", [*sorted(NOT_SENT), None])
def test_a_delivery_that_is_said_not_to_have_happened_is_seen(status: ReceiptStatus | None) -> None:
    assert len(judged(end(status), delivered=1).ghosts) == 1


def test_not_done_in_the_ledger_in_spite_of_a_delivery_is_seen() -> None:
    assert len(judged(end(ReceiptStatus.UNKNOWN), delivered=1, ledger=row(State.NOT_DONE)).ghosts) == 1


def test_what_a_run_said_before_it_was_reset_is_held_against_it_only_up_to_then() -> None:
    first, second = end(ReceiptStatus.FAILED, until=NOON + timedelta(seconds=1)), end(ReceiptStatus.DONE)
    assert judged(first, second, delivered=1, at=LATER).violations == []
    assert len(judged(first, second, delivered=1, at=NOON).ghosts) == 1


def test_a_request_without_an_outcome_is_stuck() -> None:
    assert judged().stuck == ["r"]


@pytest.mark.parametrize("ledger", [None, row(State.NOT_DONE, attempt=0), row(State.NOT_DONE, finished_at=NOON)])
def test_an_unknown_of_what_never_began_is_unexplained(ledger: Action | None) -> None:
    said = End(end(ReceiptStatus.UNKNOWN).outcome)
    early = ledger.model_copy(update={"finished_at": NOON - timedelta(seconds=1)}) if ledger else None
    assert len(judged(said, ledger=early).unexplained) == 1


@pytest.mark.parametrize("ledger", [row(State.BEGUN), row(State.UNKNOWN), row(State.NOT_DONE, finished_at=LATER)])
def test_an_unknown_is_explained_by_a_row_that_was_open_when_it_was_said(ledger: Action) -> None:
    assert judged(end(ReceiptStatus.UNKNOWN), ledger=ledger).violations == []


def test_an_unknown_is_explained_by_a_dot_that_arrived() -> None:
    assert judged(end(ReceiptStatus.UNKNOWN), dot=True).violations == []
