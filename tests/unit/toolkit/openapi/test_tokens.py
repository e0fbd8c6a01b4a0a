"""A token that the far end has taken back costs an attempt, and not the call."""

from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.execution.tool_activities import read_activity
from activities.ledger.ledger import Ledger
from activities.settings import Settings
from activities.toolkit.catalogue import Catalogue
from tests.unit.toolkit.openapi.desk import DOCUMENT, TABLE, create
from tests.unit.toolkit.openapi.far_end import Asked, FarEnd
from workflows.contract.api import ReceiptStatus
from workflows.contract.internal import ToolCall

TICKETS = [{"id": 7}]
NOT_YET = (ReceiptStatus.FAILED, True)
"""It is tried again, and nothing has happened."""
FAILED = (ReceiptStatus.FAILED, False)


@dataclass
class Desk:
    """It gives tokens, and takes no more than the last of them."""

    far: FarEnd
    found: Catalogue
    given: int = 0
    taken_back: bool = False

    def answer(self, asked: Asked) -> tuple[int, object]:
        if asked.path == "/token":
            self.given += 1
            return 200, {"access_token": f"desk-token-{self.given}", "expires_in": 3600}
        if self.taken_back or asked.headers["authorization"] != f"Bearer desk-token-{self.given}":
            return 401, {}
        return 200, TICKETS

    def take_back(self) -> None:
        """All that it has given, as where its keys were exchanged."""
        self.given += 10

    async def listed(self) -> object:
        """What an attempt of the read gives, or its receipt's status, and whether it is tried again."""
        call = ToolCall(key="r/1.0", tool="desk_listTickets", arguments={})
        activity: Any = read_activity(self.found.tools["desk_listTickets"], {})
        try:
            async with aclosing(self.found.sources):
                return (await ActivityEnvironment().run(activity, call)).value
        except ApplicationError as error:
            return error.details[0].status, not error.non_retryable

    @property
    def asked(self) -> int:
        return sum(each.path == "/tickets" for each in self.far.asked)


@pytest.fixture
def more() -> str:
    """Further lines of the table of the write."""
    return ""


@pytest.fixture
def desk(far: FarEnd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str) -> Desk:
    for name in ("DESK_ID", "DESK_KEY"):
        monkeypatch.setenv(name, f"{name}-of-the-desk")
    token = f'token_url = "{far.url}/token", client_id = "DESK_ID", client_secret = "DESK_KEY"'
    table = TABLE.format(url=far.url, more=more, before="").replace('bearer = "DESK_TOKEN"', f"oauth2 = {{{token}}}")
    (tmp_path / "desk.yaml").write_text(DOCUMENT)
    (tmp_path / "sources.toml").write_text(table)
    desk = Desk(far, Catalogue.load(Settings.read(sources=tmp_path / "sources.toml")))
    far.answer = desk.answer
    return desk


async def test_a_read_with_a_token_that_was_taken_back_is_tried_again_with_a_new_one(desk: Desk) -> None:
    assert await desk.listed() == TICKETS
    desk.take_back()
    assert [await desk.listed(), await desk.listed()] == [NOT_YET, TICKETS]


async def test_so_is_a_write_and_it_is_done_once(desk: Desk, ledger: Ledger) -> None:
    await desk.listed()
    desk.take_back()
    assert await create(desk.found, ledger) == NOT_YET
    assert [await create(desk.found, ledger, attempt=attempt) for attempt in (2, 3)] == [TICKETS, TICKETS]
    assert len(desk.far.asked_for("POST")) == 2 + 2  # of them two for tokens


async def test_a_refusal_of_a_new_token_is_the_last_word(desk: Desk, ledger: Ledger) -> None:
    desk.taken_back = True
    assert [await desk.listed(), await create(desk.found, ledger)] == [FAILED, FAILED]
    assert (desk.given, desk.asked) == (2, 2)


async def test_a_far_end_that_refuses_the_new_token_too_is_not_asked_a_third_time(desk: Desk, ledger: Ledger) -> None:
    await desk.listed()
    desk.taken_back = True
    assert [await create(desk.found, ledger), await create(desk.found, ledger, attempt=2)] == [NOT_YET, FAILED]


@pytest.mark.parametrize("more", ['look = "listTickets"'])
async def test_nothing_is_sent_before_a_look_with_a_new_token(desk: Desk, ledger: Ledger) -> None:
    await desk.listed()
    desk.take_back()
    assert await create(desk.found, ledger) == NOT_YET
    assert [each.path for each in desk.far.asked_for("POST")] == ["/token"]


@pytest.mark.parametrize("more", ['idempotency_header = "Idempotency-Key"'])
async def test_a_write_that_may_have_happened_stays_unknown_until_it_is_asked_with_a_new_one(
    desk: Desk, ledger: Ledger
) -> None:
    await desk.listed()
    desk.far.answer = lambda _: (0, None)
    assert await create(desk.found, ledger) == (ReceiptStatus.UNKNOWN, True)
    desk.far.answer = desk.answer
    desk.take_back()
    assert await create(desk.found, ledger, attempt=2) == (ReceiptStatus.UNKNOWN, True)
    assert await create(desk.found, ledger, attempt=3) == TICKETS


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
async def test_a_refusal_of_what_is_asked_is_none_of_the_token(desk: Desk, status: int) -> None:
    await desk.listed()
    own = desk.far.answer
    desk.far.answer = lambda asked: (status, {}) if asked.path == "/tickets" else own(asked)
    assert [await desk.listed() for _ in range(3)] == [FAILED] * 3
    assert desk.given == 1
