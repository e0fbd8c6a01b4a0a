"""A source that was changed while the end of a write was unknown: another far end is not asked what became of it."""

from pathlib import Path

import pytest

from activities.ledger.ledger import Ledger
from tests.unit.toolkit.openapi.desk import DOCUMENT, catalogue, create
from tests.unit.toolkit.openapi.far_end import Asked, FarEnd
from workflows.contract.api import ReceiptStatus

KEY, OTHER_KEY = 'idempotency_header = "Idempotency-Key"', 'idempotency_header = "X-Key"'
LOOK = 'look = "listTickets"'
UNKNOWN = (ReceiptStatus.UNKNOWN, False)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", KEY),
        (KEY, OTHER_KEY),
        (KEY, f"{KEY}\n{LOOK}"),
        ("", LOOK),
        (LOOK, KEY),
        (LOOK, f'{LOOK}\n[openapi.desk.operation.listTickets]\nresult = "items"'),
        ("", "repeatable = true"),
    ],
)
@pytest.mark.sampled(3)
async def test_a_write_that_was_sent_in_another_way_stays_unknown_and_is_not_sent_again(
    far: FarEnd, tmp_path: Path, ledger: Ledger, before: str, after: str
) -> None:
    def answer(asked: Asked) -> tuple[int, object]:
        """There is nothing yet when it is sent, and somebody else's like it afterwards."""
        return (200, [{"id": 1}] if far.asked_for("POST") else []) if asked.method == "GET" else (0, None)

    far.answer = answer
    await create(catalogue(tmp_path, far, before), ledger)
    assert await create(catalogue(tmp_path, far, after), ledger, attempt=2) == UNKNOWN
    assert len(far.asked_for("POST")) == 1


@pytest.mark.parametrize("way", [KEY, LOOK])
async def test_so_does_one_whose_place_has_changed(far: FarEnd, tmp_path: Path, ledger: Ledger, way: str) -> None:
    far.answer = lambda asked: (200, []) if asked.method == "GET" else (0, None)
    await create(catalogue(tmp_path, far, way), ledger)
    moved = catalogue(tmp_path, far, way, document=DOCUMENT.replace("/tickets:", "/v2/tickets:"))
    assert await create(moved, ledger, attempt=2) == UNKNOWN
    assert len(far.asked_for("POST")) == 1


async def test_what_says_nothing_of_where_it_is_sent_may_change(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    far.answer = lambda _: (0, None)
    await create(catalogue(tmp_path, far, KEY), ledger)
    far.answer = lambda _: (201, {"id": 7})
    more = f'{KEY}\nresult = "{{number: id}}"'
    reworded = catalogue(tmp_path, far, more, document=DOCUMENT.replace("Create a ticket.", "Open a ticket."))
    assert await create(reworded, ledger, attempt=2) == {"number": 7}
    assert len(far.asked_for("POST")) == 2
