"""The judge of the scenarios sees every kind of broken promise; and two scenarios with their controls."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.chaos.scenarios import http_writes
from tests.chaos.scenarios.run import carry_out_all
from tests.chaos.scenarios.scene import Letter, Run
from tests.chaos.scenarios.verdict import Verdict, judge
from tests.chaos.smtp_record import Delivery
from workflows.contract.api import Outcome, Receipt, ReceiptStatus, RequestStatus

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LETTER, DAILY = Letter("r"), Letter("r", repeats=True)
DONE, FAILED, REFUSED, UNKNOWN = (
    ReceiptStatus.DONE,
    ReceiptStatus.FAILED,
    ReceiptStatus.REFUSED,
    ReceiptStatus.UNKNOWN,
)


def receipt(status: ReceiptStatus, *, message: str = "<1>", earlier: bool = False) -> Receipt:
    result: JsonValue = {"message_id": message} if status is DONE else None
    return Receipt(
        key="r/1.1", tool="send_email", arguments={}, effect="write", status=status, result=result, earlier=earlier
    )


def run(*receipts: Receipt, chain: str = "a", letter: Letter = LETTER) -> Run:
    """Of an hour from noon."""
    outcome = Outcome(request_id="r", status=RequestStatus.COMPLETED, summary="", receipts=receipts)
    return Run(letter, chain, NOON, NOON + timedelta(hours=1), outcome)


def delivery(*, message: str = "<1>", hours: float = 0.5) -> Delivery:
    return Delivery("r", message, NOON + timedelta(hours=hours), ("r",))


def judged(*runs: Run, delivered: tuple[Delivery, ...] = (), states: tuple[str, ...] = ()) -> Verdict:
    letters = {each.letter for each in runs} or {LETTER}
    return judge(letters, runs, delivered, [(f"r/1.{index}", state, "r") for index, state in enumerate(states)])


@pytest.mark.parametrize("status", [DONE, UNKNOWN])
def test_what_was_delivered_once_may_be_said_to_be_done_or_unknown(status: ReceiptStatus) -> None:
    assert judged(run(receipt(status)), delivered=(delivery(),), states=("done",)).violations == []


def test_two_deliveries_of_a_request_are_a_duplicate_although_they_have_two_ids() -> None:
    assert len(judged(run(receipt(DONE)), delivered=(delivery(), delivery(message="<2>"))).duplicates) == 1


def test_every_time_of_a_cron_has_a_mail_of_its_own() -> None:
    times = [run(receipt(DONE, message=each), chain=each, letter=DAILY) for each in ("<1>", "<2>")]
    assert judged(*times, delivered=(delivery(), delivery(message="<2>"))).violations == []
    assert len(judged(*times, delivered=(delivery(), delivery())).duplicates) == 1


def test_two_requests_cannot_both_have_sent_one_mail() -> None:
    twice = judged(run(receipt(DONE)), run(receipt(DONE), chain="b"), delivered=(delivery(),))
    assert len(twice.false_done) == 1
    assert judged(run(receipt(DONE)), run(receipt(DONE)), delivered=(delivery(),)).violations == []


def test_done_without_a_delivery_is_false() -> None:
    assert len(judged(run(receipt(DONE))).false_done) == 1
    assert len(judged(states=("done",)).false_done) == 1


def test_failed_is_false_of_what_was_delivered_meanwhile() -> None:
    assert len(judged(run(receipt(FAILED)), delivered=(delivery(),)).false_failed) == 1
    assert judged(run(receipt(FAILED)), delivered=(delivery(hours=-1),)).violations == []
    assert len(judged(delivered=(delivery(),), states=("not_done",)).false_failed) == 1


def test_a_refusal_of_what_was_done_before_shows_the_earlier_receipt() -> None:
    before = (delivery(hours=-1),)
    assert len(judged(run(receipt(REFUSED)), delivered=before).false_failed) == 1
    assert judged(run(receipt(REFUSED), receipt(DONE, earlier=True)), delivered=before).violations == []


def test_a_run_without_an_outcome_is_seen() -> None:
    lost = Run(LETTER, "a", NOON, NOON, None)
    assert judged(lost).no_outcome == ["r"]


@pytest.mark.long
async def test_the_service_is_well_and_its_controls_are_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_writes, "ORDERS", 25)
    monkeypatch.setattr(http_writes, "KILLS", 1)
    played = await carry_out_all(tmp_path, ["clock behind", "writes over HTTP"], (False, True))
    clock, orders, clock_control, orders_control = (each.verdict for each in played)
    assert (clock.violations, orders.violations) == ([], [])
    assert clock_control.false_failed
    assert orders_control.duplicates
