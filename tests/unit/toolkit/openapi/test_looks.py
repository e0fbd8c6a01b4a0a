"""A look settles a write only by what it has seen."""

from pathlib import Path

import pytest

from activities.ledger.ledger import Ledger
from tests.unit.toolkit.openapi.desk import catalogue, create
from tests.unit.toolkit.openapi.far_end import Asked, FarEnd, raw
from workflows.contract.api import ReceiptStatus

LOOK = 'look = "listTickets"'


async def test_an_unknown_is_settled_by_looking(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    tickets: list[object] = []

    def answer(asked: Asked) -> tuple[int, object]:
        if asked.method == "GET":
            return 200, tickets
        tickets.append({"id": 7})
        return 0, None

    far.answer = answer
    found = catalogue(tmp_path, far, LOOK)
    assert await create(found, ledger) == (ReceiptStatus.UNKNOWN, True)
    assert await create(found, ledger, attempt=2) == [{"id": 7}]
    assert len(far.asked_for("POST")) == 1
    assert {each.path for each in far.asked_for("GET")} == {"/tickets?title=Printer"}


async def test_while_it_does_not_show_it_stays_unknown(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    far.answer = lambda asked: (200, []) if asked.method == "GET" else (0, None)
    found = catalogue(tmp_path, far, LOOK)
    assert [await create(found, ledger, attempt=number) for number in (1, 2)] == [(ReceiptStatus.UNKNOWN, True)] * 2
    assert len(far.asked_for("POST")) == 1


@pytest.mark.parametrize(
    ("answer", "listed"),
    [
        (raw("200 OK", "<html>down for maintenance</html>", "content-type: text/html"), ""),
        (raw("200 OK", "down for maintenance", "content-type: text/plain"), 'result = "items[].id"'),
        (raw("204 No Content"), ""),
        (raw("200 OK"), ""),
        ((200, {"items": [{"title": None}]}), "result = \"items[?starts_with(title, 'Pri')]\""),
        ((200, {"status": "error"}), "failed_when = \"status == 'error'\""),
        (raw("200 OK", '{"total": 0, "total": 1}', "content-type: application/json"), 'result = "total"'),
        ((200, {"total": 0}), 'result = "total"'),
        ((200, {"error": "try later"}), 'result = "{id: id}"'),
    ],
)
@pytest.mark.sampled(3)
async def test_a_look_that_is_not_answered_shows_nothing_done(
    far: FarEnd, tmp_path: Path, ledger: Ledger, answer: tuple[int, object], listed: str
) -> None:
    far.answer = lambda asked: (
        (200, {"items": []} if "result" in listed else []) if asked.method == "GET" else (0, None)
    )
    found = catalogue(tmp_path, far, f"{LOOK}\n[openapi.desk.operation.listTickets]\n{listed}")
    assert await create(found, ledger) == (ReceiptStatus.UNKNOWN, True)
    far.answer = lambda _: answer
    assert await create(found, ledger, attempt=2) == (ReceiptStatus.UNKNOWN, True)
    assert len(far.asked_for("POST")) == 1


@pytest.mark.parametrize("status", [404, 410])
async def test_a_thing_that_is_not_there_yet_is_looked_for_by_its_own_read(
    far: FarEnd, tmp_path: Path, ledger: Ledger, status: int
) -> None:
    tickets: list[object] = []

    def answer(asked: Asked) -> tuple[int, object]:
        if asked.method == "GET":
            return (200, tickets[0]) if tickets else (status, {"error": "no such ticket"})
        return 0, None

    far.answer = answer
    found = catalogue(tmp_path, far, LOOK)
    assert [await create(found, ledger, attempt=number) for number in (1, 2)] == [(ReceiptStatus.UNKNOWN, True)] * 2
    tickets.append({"id": 7})
    assert await create(found, ledger, attempt=3) == {"id": 7}
    assert len(far.asked_for("POST")) == 1


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_nothing_is_sent_where_the_look_is_refused(
    far: FarEnd, tmp_path: Path, ledger: Ledger, status: int
) -> None:
    far.answer = lambda asked: (status, {}) if asked.method == "GET" else (200, {})
    outcome = await create(catalogue(tmp_path, far, LOOK), ledger)
    assert outcome == (ReceiptStatus.FAILED, status in (429, 500))
    assert far.asked_for("POST") == []


async def test_nothing_is_sent_before_a_look_has_been_answered(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    far.answer = lambda _: raw("200 OK", "<html>down for maintenance</html>", "content-type: text/html")
    assert await create(catalogue(tmp_path, far, LOOK), ledger) == (ReceiptStatus.FAILED, True)
    assert far.asked_for("POST") == []


@pytest.mark.parametrize("total", [1, 0.5, -1])
async def test_a_number_of_what_is_there_settles_it(far: FarEnd, tmp_path: Path, ledger: Ledger, total: float) -> None:
    far.answer = lambda asked: (200, {"total": 0}) if asked.method == "GET" else (0, None)
    found = catalogue(tmp_path, far, f'{LOOK}\n[openapi.desk.operation.listTickets]\nresult = "total"')
    assert await create(found, ledger) == (ReceiptStatus.UNKNOWN, True)
    far.answer = lambda _: (200, {"total": total})
    assert await create(found, ledger, attempt=2) == total


async def test_what_is_there_already_is_not_done_again(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    far.answer = lambda _: (200, [{"id": 7}])
    assert await create(catalogue(tmp_path, far, LOOK), ledger) == (ReceiptStatus.FAILED, False)
    assert far.asked_for("POST") == []
