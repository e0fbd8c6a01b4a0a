"""The benchmark in short: every figure is there, and what goes wrong is noticed. `make bench` is the whole of it."""

import asyncio
import smtplib
from dataclasses import dataclass
from email.message import EmailMessage

import pytest

from tests.bench.__main__ import QUICK, measured_in, report
from tests.bench.contenders import Floor, problems_of
from tests.bench.job import done
from tests.bench.report import Measured, as_json
from tests.bench.rounds import Column, Effort, in_turn
from tests.bench.scene import Scene
from workflows.contract.api import Outcome, Receipt, ReceiptStatus, RequestStatus, Usage


@pytest.mark.long
async def test_a_whole_run_measures_everything_and_fails_only_where_something_went_wrong(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one test, because it takes long and every process of the suite would run it anew."""
    measured = await measured_in(scene, QUICK)
    every_column_is_measured_for_both_and_nothing_went_wrong(measured)
    both_run_the_same_six_activities(measured)
    size_is_measured_in_turns_and_in_waiting_requests(measured)
    json_has_each_column_with_its_ratio_and_each_target(measured)
    what_is_wrong_fails_the_run_whether_or_not_targets_are_checked(measured, capsys)


def every_column_is_measured_for_both_and_nothing_went_wrong(measured: Measured) -> None:
    assert measured.wrong == []
    for costs in (measured.rounds.costs["floor"], measured.rounds.costs["service"]):
        assert [set(of_round) for of_round in costs] == [set(Column)]
        assert all(value > 0 for of_round in costs for value in of_round.values())


def both_run_the_same_six_activities(measured: Measured) -> None:
    [floor], [service] = measured.rounds.costs["floor"], measured.rounds.costs["service"]
    assert 38 <= floor[Column.EVENTS] <= 41
    assert 38 <= service[Column.EVENTS] <= 48


def size_is_measured_in_turns_and_in_waiting_requests(measured: Measured) -> None:
    assert [each.turns for each in measured.sizes.turns] == list(QUICK.turns)
    assert all(each.bytes > each.turns * 20_000 for each in measured.sizes.turns)
    assert [each.requests for each in measured.sizes.waiting] == list(QUICK.requests)
    assert all(each.rss_mib > 10 for each in measured.sizes.waiting)


def json_has_each_column_with_its_ratio_and_each_target(measured: Measured) -> None:
    said = as_json(measured)
    columns = said["columns"]
    assert isinstance(columns, dict)
    assert list(columns) == list(Column)
    assert all(isinstance(each, dict) and set(each) == {"floor", "service", "ratio"} for each in columns.values())
    assert said["targets"]


def what_is_wrong_fails_the_run_whether_or_not_targets_are_checked(
    measured: Measured, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(measured, json_wanted=True, check=False) == 0
    measured.rounds.wrong.append("somebody got no mail")
    try:
        assert report(measured, json_wanted=True, check=False) == 1
    finally:
        measured.rounds.wrong.clear()
    assert "somebody got no mail" in capsys.readouterr().err


@dataclass(frozen=True)
class Twice(Floor):
    """Broken: every mail goes out a second time, and nothing says so."""

    async def run(self, scene: Scene, token: str) -> list[str]:
        wrong = await super().run(scene, token)
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "floor@example.com", "ann@example.com", token
        await asyncio.to_thread(_send, scene.around.mail.port, mail)
        return wrong


def _send(port: int, mail: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port) as connection:
        connection.send_message(mail)


@pytest.mark.long
async def test_a_mail_that_goes_out_twice_is_noticed(scene: Scene) -> None:
    wrong = (await in_turn(scene, [Twice("twice")], 1, Effort(1, 2, 2))).wrong
    assert wrong == [f"twice-0-{index:03}: 2 mails were delivered" for index in range(5)]


RIGHT = Outcome(
    request_id="one",
    status=RequestStatus.COMPLETED,
    summary=done("one"),
    receipts=(
        Receipt(key="one/1.1", tool="get_weather", arguments={}, status=ReceiptStatus.DONE, attempts=1),
        Receipt(key="one/1.2", tool="get_stock_price", arguments={}, status=ReceiptStatus.DONE, attempts=1),
        Receipt(
            key="one/2.1",
            tool="send_email",
            arguments={},
            effect="write",
            status=ReceiptStatus.DONE,
            attempts=1,
            approved_by="policy",
        ),
    ),
    usage=Usage(model_calls=3),
)


def test_the_right_outcome_has_no_problems() -> None:
    assert list(problems_of(RIGHT, "one")) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"status": RequestStatus.LIMIT_REACHED},
        {"summary": done("another")},
        {"unsupported_claims": ("I sent two.",)},
        {"usage": Usage(model_calls=4)},
        {"receipts": RIGHT.receipts[:2]},
        {"receipts": (*RIGHT.receipts[:2], RIGHT.receipts[2].model_copy(update={"status": ReceiptStatus.UNKNOWN}))},
        {"receipts": (*RIGHT.receipts[:2], RIGHT.receipts[2].model_copy(update={"approved_by": "requester"}))},
        {"receipts": (*RIGHT.receipts[:2], RIGHT.receipts[2].model_copy(update={"attempts": 2}))},
    ],
)
@pytest.mark.sampled(2)
def test_an_outcome_that_differs_from_the_right_one_is_noticed(changes: dict[str, object]) -> None:
    assert list(problems_of(RIGHT.model_copy(update=changes), "one"))
