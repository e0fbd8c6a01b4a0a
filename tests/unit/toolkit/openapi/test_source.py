"""A source's tools do what the document says at a real far end, through the ledger, and a receipt never lies."""

import dataclasses
import json
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.errors import ConfigurationError
from activities.execution.tool_activities import read_activity, write_activity
from activities.ledger.ledger import Ledger
from activities.settings import Settings
from activities.toolkit import foreign_tools
from activities.toolkit.catalogue import Catalogue
from tests.unit.toolkit.openapi.far_end import Asked, FarEnd, far_end
from workflows.contract.api import ReceiptStatus
from workflows.contract.internal import AttemptBeat, FailureDetail, ToolCall
from workflows.contract.values import Arguments

DOCUMENT = """
openapi: 3.1.0
info: {title: Desk, version: "1"}
paths:
  /tickets:
    get:
      operationId: listTickets
      summary: List tickets.
      parameters:
        - {name: title, in: query, schema: {type: string}}
    post:
      operationId: createTicket
      summary: Create a ticket.
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [title, email]
              properties:
                title: {type: string, description: What it is about.}
                email: {type: string, format: email}
  /files:
    post:
      operationId: upload
      requestBody: {required: true, content: {image/png: {}}}
"""
TABLE = """
[openapi.desk]
document = "desk.yaml"
url = "{url}"
private = true
auth = {{ bearer = "DESK_TOKEN" }}
{before}
[openapi.desk.operation.createTicket]
{more}
"""


@pytest.fixture
def far() -> Generator[FarEnd]:
    with far_end() as found:
        yield found


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncGenerator[Ledger]:
    opened = await Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    await opened.aclose()


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_tools, "KEPT", tmp_path / "kept")
    monkeypatch.setenv("DESK_TOKEN", "desk-secret-41")


def catalogue(folder: Path, far: FarEnd, more: str = "", before: str = "") -> Catalogue:
    (folder / "desk.yaml").write_text(DOCUMENT)
    (folder / "sources.toml").write_text(TABLE.format(url=far.url, more=more, before=before))
    return Catalogue.load(Settings.read(sources=folder / "sources.toml"))


async def counts(beat: AttemptBeat) -> None:
    """A fence that lets every attempt pass."""


TICKET: Arguments = {"title": "Printer", "email": "ann@example.com"}


async def create(found: Catalogue, ledger: Ledger, *, attempt: int = 1) -> object:
    """What an attempt of the write gives: its result, or what its receipt would say and whether it is tried again."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=attempt)
    call = ToolCall(key="r/1.0", tool="desk_createTicket", arguments=TICKET, chain="5eed")
    activity: Any = write_activity(found.tools["desk_createTicket"], {}, ledger, fence=counts)
    async with aclosing(found.sources):
        try:
            return (await environment.run(activity, call)).value
        except ApplicationError as error:
            (detail,) = error.details
            assert isinstance(detail, FailureDetail)
            return detail.status, not error.non_retryable


async def test_a_read_tells_what_the_far_end_answers(far: FarEnd, tmp_path: Path) -> None:
    far.answer = lambda _: (200, [{"id": 7}])
    found = catalogue(tmp_path, far)
    call = ToolCall(key="r/1.0", tool="desk_listTickets", arguments={"title": "a b"})
    activity: Any = read_activity(found.tools["desk_listTickets"], {})
    async with aclosing(found.sources):
        result = await ActivityEnvironment().run(activity, call)
    [asked] = far.asked
    assert (result.value, asked.path, asked.headers["authorization"]) == (
        [{"id": 7}],
        "/tickets?title=a%20b",
        "Bearer desk-secret-41",
    )


async def test_a_write_is_done_once_and_told_in_its_own_words(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    far.answer = lambda _: (201, {"id": 7, "secret": 1})
    found = catalogue(tmp_path, far, 'result = "{id: id}"')
    assert [await create(found, ledger) for _ in range(2)] == [{"id": 7}, {"id": 7}]
    assert [json.loads(each.body) for each in far.asked] == [TICKET]


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_what_the_far_end_refused_is_failed(far: FarEnd, tmp_path: Path, ledger: Ledger, status: int) -> None:
    far.answer = lambda _: (status, {})
    assert await create(catalogue(tmp_path, far), ledger) == (ReceiptStatus.FAILED, False)


async def test_a_no_under_200_is_failed(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    far.answer = lambda _: (200, {"status": "error"})
    found = catalogue(tmp_path, far, "failed_when = \"status == 'error'\"")
    assert await create(found, ledger) == (ReceiptStatus.FAILED, False)


async def test_a_connection_that_is_cut_is_unknown(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    far.answer = lambda _: (0, None)
    assert await create(catalogue(tmp_path, far), ledger) == (ReceiptStatus.UNKNOWN, False)


async def test_a_far_end_that_does_not_answer_is_waited_for_no_longer_than_it_may(
    far: FarEnd, tmp_path: Path, ledger: Ledger
) -> None:
    def answer(_: Asked) -> tuple[int, object]:
        time.sleep(2)
        return 201, {}

    far.answer = answer
    found = catalogue(tmp_path, far, before="timeout = 0.5")
    began = time.monotonic()
    assert await create(found, ledger) == (ReceiptStatus.UNKNOWN, False)
    assert time.monotonic() - began < 1.5


async def test_with_an_idempotency_key_unknown_is_asked_again_under_the_same_key(
    far: FarEnd, tmp_path: Path, ledger: Ledger
) -> None:
    found = catalogue(tmp_path, far, 'idempotency_header = "Idempotency-Key"')
    far.answer = lambda _: (0, None)
    assert await create(found, ledger) == (ReceiptStatus.UNKNOWN, True)
    far.answer = lambda _: (201, {"id": 7})
    assert await create(found, ledger, attempt=2) == {"id": 7}
    first, second = (each.headers["idempotency-key"] for each in far.asked)
    assert first == second


class TestLook:
    MORE = 'look = "listTickets"'

    async def test_an_unknown_is_settled_by_looking(self, far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
        tickets: list[object] = []

        def answer(asked: Asked) -> tuple[int, object]:
            if asked.method == "GET":
                return 200, tickets
            tickets.append({"id": 7})
            return 0, None

        far.answer = answer
        found = catalogue(tmp_path, far, self.MORE)
        assert await create(found, ledger) == (ReceiptStatus.UNKNOWN, True)
        assert await create(found, ledger, attempt=2) == [{"id": 7}]
        assert len(far.asked_for("POST")) == 1
        assert {each.path for each in far.asked_for("GET")} == {"/tickets?title=Printer"}

    async def test_while_it_does_not_show_it_stays_unknown(self, far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
        far.answer = lambda asked: (200, []) if asked.method == "GET" else (0, None)
        found = catalogue(tmp_path, far, self.MORE)
        assert [await create(found, ledger, attempt=number) for number in (1, 2)] == [(ReceiptStatus.UNKNOWN, True)] * 2
        assert len(far.asked_for("POST")) == 1

    async def test_what_is_there_already_is_not_done_again(self, far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
        far.answer = lambda _: (200, [{"id": 7}])
        assert await create(catalogue(tmp_path, far, self.MORE), ledger) == (ReceiptStatus.FAILED, False)
        assert far.asked_for("POST") == []


class TestCatalogue:
    def test_effects_follow_the_method(self, far: FarEnd, tmp_path: Path) -> None:
        tools = catalogue(tmp_path, far).tools
        assert (tools["desk_listTickets"].route.effect, tools["desk_createTicket"].route.effect) == ("read", "write")

    def test_an_effect_may_be_said(self, far: FarEnd, tmp_path: Path) -> None:
        tools = catalogue(tmp_path, far, 'effect = "read"').tools
        assert tools["desk_createTicket"].route.effect == "read"

    def test_the_documents_words_are_the_description(self, far: FarEnd, tmp_path: Path) -> None:
        tool = catalogue(tmp_path, far).tools["desk_createTicket"]
        assert (tool.description, tool.argument_names()) == ("Create a ticket.", ["title", "email"])

    def test_what_cannot_be_a_tool_says_why(self, far: FarEnd, tmp_path: Path) -> None:
        assert catalogue(tmp_path, far).sources.left_out == {
            "desk upload": "its body is image/png, which is not written here"
        }

    def test_without_its_secret_nothing_is_offered(
        self, far: FarEnd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("DESK_TOKEN")
        found = catalogue(tmp_path, far)
        assert found.unconfigured["desk_createTicket"] == ("DESK_TOKEN",)
        assert "desk_createTicket" not in found.tools

    def test_the_second_start_compiles_nothing(
        self, far: FarEnd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = catalogue(tmp_path, far)
        monkeypatch.setattr("activities.toolkit.openapi.importing.read_document", None)
        second = catalogue(tmp_path, far)
        assert {name: tool.schema() for name, tool in second.tools.items()} == {
            name: tool.schema() for name, tool in first.tools.items()
        }

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ('look = "none"', "openapi.desk.operation.createTicket.look: there is no operation 'none'"),
            ('result = "a["', "openapi.desk.operation.createTicket.result: it is no JMESPath"),
            ('grounded = ["mail"]', "grounded names mail, which is no argument; its arguments are title, email"),
        ],
    )
    def test_a_mistake_ends_in_one_line_that_names_file_and_key(
        self, far: FarEnd, tmp_path: Path, more: str, said: str
    ) -> None:
        with pytest.raises(ConfigurationError) as raised:
            catalogue(tmp_path, far, more)
        assert str(raised.value).startswith(f"ERRAND_SOURCES: {tmp_path}/sources.toml: openapi.desk")
        assert said in str(raised.value)

    def test_a_secret_is_not_sent_without_encryption(self, far: FarEnd, tmp_path: Path) -> None:
        far.url = "http://desk.example.com"
        (tmp_path / "desk.yaml").write_text(DOCUMENT)
        table = TABLE.format(url=far.url, more="", before="").replace("private = true", "")
        (tmp_path / "sources.toml").write_text(table)
        with pytest.raises(ConfigurationError, match="auth would be sent without encryption"):
            Catalogue.load(Settings.read(sources=tmp_path / "sources.toml"))
