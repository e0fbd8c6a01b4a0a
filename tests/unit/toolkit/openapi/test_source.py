"""A source's tools do what the document says at a real far end, through the ledger, and a receipt never lies."""

import json
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.errors import ConfigurationError
from activities.execution.tool_activities import read_activity
from activities.ledger.ledger import Ledger
from activities.settings import Settings
from activities.toolkit.catalogue import Catalogue
from tests.unit.toolkit.openapi.desk import DOCUMENT, TABLE, TICKET, catalogue, create, why_not
from tests.unit.toolkit.openapi.far_end import Asked, FarEnd, raw
from workflows.contract.api import ReceiptStatus
from workflows.contract.internal import ToolCall


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


async def test_a_preview_is_never_sent_as_the_order_itself(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    found = catalogue(tmp_path, far, document=DOCUMENT.replace("  /tickets:", '  "/tickets?dryRun=true":'))
    assert await create(found, ledger) == {}
    assert [each.path for each in far.asked] == ["/tickets?dryRun=true"]


async def test_a_write_whose_answer_cannot_be_reduced_is_done_and_its_answer_is_not_told_whole(
    far: FarEnd, tmp_path: Path, ledger: Ledger
) -> None:
    far.answer = lambda _: (201, {"id": "seven", "secret": 1})
    told = await create(catalogue(tmp_path, far, 'result = "abs(id)"'), ledger)
    assert told == "the answer could not be reduced by `result`: the function abs takes number, not string"


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_what_the_far_end_refused_is_failed(far: FarEnd, tmp_path: Path, ledger: Ledger, status: int) -> None:
    far.answer = lambda _: (status, {})
    assert await create(catalogue(tmp_path, far), ledger) == (ReceiptStatus.FAILED, False)


async def test_who_is_not_known_is_told_which_secret_was_shown(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    far.answer = lambda _: (401, {"message": "bad token"})
    why = await why_not(catalogue(tmp_path, far), ledger)
    assert why == 'desk createTicket refused: 401 Unauthorized: {"message": "bad token"} (asked with DESK_TOKEN)'


async def test_a_private_address_is_refused_with_the_source_and_what_allows_it(
    far: FarEnd, tmp_path: Path, ledger: Ledger
) -> None:
    (tmp_path / "desk.yaml").write_text(DOCUMENT)
    (tmp_path / "sources.toml").write_text(f'[openapi.desk]\ndocument = "desk.yaml"\nurl = "{far.url}"')
    found = Catalogue.load(Settings.read(sources=tmp_path / "sources.toml"))
    why = await why_not(found, ledger)
    assert why == "desk createTicket: 127.0.0.1 is at 127.0.0.1, which is no public address; private = true allows it"
    assert far.asked == []


async def test_a_no_under_200_is_failed(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    far.answer = lambda _: (200, {"status": "error"})
    found = catalogue(tmp_path, far, "failed_when = \"status == 'error'\"")
    assert await create(found, ledger) == (ReceiptStatus.FAILED, False)


@pytest.mark.parametrize(
    "answer",
    [
        raw("200 OK"),
        (200, b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n"),
        raw("200 OK", '{"status": "error", "status": "ok"}', "content-type: application/json"),
    ],
)
async def test_an_answer_that_does_not_say_whether_it_failed_is_unknown(
    far: FarEnd, tmp_path: Path, ledger: Ledger, answer: tuple[int, object]
) -> None:
    far.answer = lambda _: answer
    found = catalogue(tmp_path, far, "failed_when = \"status == 'error'\"")
    assert await create(found, ledger) == (ReceiptStatus.UNKNOWN, False)


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
            ('look = "countTickets"', "createTicket.look: countTickets is a HEAD, whose answer has nothing to look at"),
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
