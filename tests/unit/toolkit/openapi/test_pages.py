"""A page of HTML in place of JSON is no yes: a gateway or a sign-in has answered, and nobody knows what happened."""

from contextlib import aclosing
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
from tests.unit.toolkit.openapi.far_end import FarEnd, raw
from tests.unit.toolkit.openapi.small import Part, document, only, swagger
from workflows.contract.api import ReceiptStatus
from workflows.contract.internal import ToolCall

PAGE = raw("200 OK", "<html>Sign in</html>", "content-type: text/html; charset=utf-8")
JSON: Part = {"content": {"application/json": {}}}
HTML: Part = {"content": {"text/html": {}}}


def _catalogue(folder: Path, far: FarEnd, more: str = "", answers: str = "application/json") -> Catalogue:
    responses = f"responses: {{2XX: {{description: ok, content: {{{answers}: {{}}}}}}}}"
    document = DOCUMENT
    for operation in ("createTicket", "listTickets"):
        document = document.replace(f"operationId: {operation}\n", f"operationId: {operation}\n      {responses}\n")
    (folder / "desk.yaml").write_text(document)
    (folder / "sources.toml").write_text(TABLE.format(url=far.url, more=more, before=""))
    return Catalogue.load(Settings.read(sources=folder / "sources.toml"))


async def test_a_write_that_is_answered_with_a_page_is_unknown(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    far.answer = lambda _: PAGE
    found = _catalogue(tmp_path, far)
    assert await create(found, ledger) == (ReceiptStatus.UNKNOWN, False)
    assert await create(found, ledger, attempt=2) == (ReceiptStatus.UNKNOWN, False)
    assert len(far.asked) == 1


async def test_with_a_key_it_is_asked_again(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    far.answer = lambda _: PAGE
    found = _catalogue(tmp_path, far, 'idempotency_header = "Idempotency-Key"')
    assert await create(found, ledger) == (ReceiptStatus.UNKNOWN, True)
    far.answer = lambda _: (201, {"id": 7})
    assert await create(found, ledger, attempt=2) == {"id": 7}


async def test_a_read_that_is_answered_with_a_page_is_an_error_that_says_so(far: FarEnd, tmp_path: Path) -> None:
    far.answer = lambda _: PAGE
    found = _catalogue(tmp_path, far)
    activity: Any = read_activity(found.tools["desk_listTickets"], {})
    async with aclosing(found.sources):
        with pytest.raises(ApplicationError, match="desk listTickets was answered with a page of HTML") as raised:
            await ActivityEnvironment().run(activity, ToolCall(key="r/1.0", tool="desk_listTickets", arguments={}))
    assert raised.value.type == "ServiceRefused"


@pytest.mark.parametrize(
    ("answers", "answer", "told"),
    [
        ("text/html", PAGE, "<html>Sign in</html>"),
        ("'*/*'", PAGE, "<html>Sign in</html>"),
        ("application/json", raw("201 Created", "", "content-type: text/html"), {"status": "201 Created"}),
        ("application/json", raw("200 OK", "taken", "content-type: text/plain"), "taken"),
    ],
)
async def test_an_answer_in_a_form_that_the_document_does_not_rule_out_is_done(
    far: FarEnd, tmp_path: Path, ledger: Ledger, answers: str, answer: tuple[int, object], told: object
) -> None:
    far.answer = lambda _: answer
    assert await create(_catalogue(tmp_path, far, answers=answers), ledger) == told


@pytest.mark.parametrize(
    ("responses", "only_json"),
    [
        ({"200": JSON, "404": HTML, "default": HTML}, True),
        ({"200": {"content": {"application/hal+json; charset=utf-8": {}}}, "204": {"description": "gone"}}, True),
        ({"2XX": {"$ref": "#/components/responses/Ok"}}, True),
        ({"200": JSON, "202": HTML}, False),
        ({"200": {"content": {"application/json": {}, "text/html": {}}}}, False),
        ({"200": {"description": "ok"}}, False),
        ({"default": JSON}, False),
        ({"200": {"$ref": "#/components/responses/None"}}, False),
        ({}, False),
    ],
)
def test_only_json_is_what_the_document_says_of_every_answer_that_is_well(responses: Part, only_json: bool) -> None:
    assert only(document({"responses": responses}, components={"responses": {"Ok": JSON}})).only_json is only_json


@pytest.mark.parametrize(
    ("produces", "response", "only_json"),
    [
        (["application/json"], {"schema": {}}, True),
        (["application/json", "text/html"], {"schema": {}}, False),
        (["application/json"], {}, False),
        ([], {"schema": {}}, False),
    ],
)
def test_the_same_in_version_2(produces: list[str], response: Part, only_json: bool) -> None:
    assert only(swagger({"responses": {"200": response}}, produces=produces)).only_json is only_json
