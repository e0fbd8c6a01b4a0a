"""A page in place of JSON is no yes, whatever its label: a gateway or a sign-in has answered, and nobody knows what
happened."""

import re
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
SIGN_IN = "<!DOCTYPE html><html><body>Please sign in</body></html>"
OTHERS = [
    raw("200 OK", SIGN_IN, "content-type: application/xhtml+xml"),
    raw("200 OK", SIGN_IN, "content-type: text/plain"),
    raw("200 OK", SIGN_IN, "content-type: application/octet-stream"),
    raw("200 OK", SIGN_IN, "content-type: application/json"),
    raw("200 OK", SIGN_IN, "content-type: application/json; charset=hex"),
    raw("200 OK", SIGN_IN),
    raw("200 OK", "taken", "content-type: text/plain"),
    raw("200 OK", '{"id": 7, "titl', "content-type: application/json"),
]
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


@pytest.mark.parametrize("answer", [PAGE, *OTHERS])
@pytest.mark.sampled(3)
async def test_a_write_that_is_answered_with_what_is_no_json_is_unknown(
    far: FarEnd, tmp_path: Path, ledger: Ledger, answer: tuple[int, object]
) -> None:
    far.answer = lambda _: answer
    found = _catalogue(tmp_path, far)
    assert await create(found, ledger) == (ReceiptStatus.UNKNOWN, False)
    assert await create(found, ledger, attempt=2) == (ReceiptStatus.UNKNOWN, False)
    assert len(far.asked) == 1


@pytest.mark.parametrize("answer", [PAGE, *OTHERS])
@pytest.mark.sampled(3)
async def test_with_a_key_it_is_asked_again(
    far: FarEnd, tmp_path: Path, ledger: Ledger, answer: tuple[int, object]
) -> None:
    far.answer = lambda _: answer
    found = _catalogue(tmp_path, far, 'idempotency_header = "Idempotency-Key"')
    assert await create(found, ledger) == (ReceiptStatus.UNKNOWN, True)
    far.answer = lambda _: (201, {"id": 7})
    assert await create(found, ledger, attempt=2) == {"id": 7}


async def test_with_a_look_that_is_what_settles_it(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    far.answer = lambda asked: (200, []) if asked.method == "GET" else OTHERS[3]
    found = _catalogue(tmp_path, far, 'look = "listTickets"')
    assert await create(found, ledger) == (ReceiptStatus.UNKNOWN, True)
    far.answer = lambda _: (200, [{"id": 7}])
    assert await create(found, ledger, attempt=2) == [{"id": 7}]
    assert len(far.asked_for("POST")) == 1


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (PAGE, "a page of HTML"),
        (raw("200 OK", SIGN_IN), "a page of HTML"),
        (raw("200 OK", f'\ufeff<?xml version="1.0"?>\n{SIGN_IN}', "content-type: text/xml"), "a page of HTML"),
        (raw("200 OK", "taken", "content-type: text/plain"), "what is no JSON (text/plain, 5 bytes): taken"),
        (raw("200 OK", "\x01\x02"), "what is no JSON (of no media type, 2 bytes)"),
    ],
)
async def test_a_read_that_is_answered_with_what_is_no_json_is_an_error_that_says_what_came(
    far: FarEnd, tmp_path: Path, answer: tuple[int, object], what: str
) -> None:
    far.answer = lambda _: answer
    found = _catalogue(tmp_path, far)
    activity: Any = read_activity(found.tools["desk_listTickets"], {})
    async with aclosing(found.sources):
        said = re.escape(f"desk listTickets was answered with {what}, where its document knows only JSON: ")
        with pytest.raises(ApplicationError, match=said) as raised:
            await ActivityEnvironment().run(activity, ToolCall(key="r/1.0", tool="desk_listTickets", arguments={}))
    assert raised.value.type == "ServiceRefused"


@pytest.mark.parametrize(
    ("answers", "answer", "told"),
    [
        ("text/html", PAGE, "<html>Sign in</html>"),
        ("'*/*'", PAGE, "<html>Sign in</html>"),
        ("application/json", raw("201 Created", "", "content-type: text/html"), {"status": "201 Created"}),
        ("application/json", raw("200 OK", " \r\n", "content-type: text/plain"), " \r\n"),
        ("application/json", raw("204 No Content"), {"status": "204 No Content"}),
        ("application/json", raw("200 OK", '\ufeff{"id": 7}', "content-type: text/plain"), {"id": 7}),
        ("application/json", raw("200 OK", '{"id": 7}', "content-type: text/html"), '{"id": 7}'),
        ("application/json: {}, text/csv", raw("200 OK", "taken", "content-type: text/plain"), "taken"),
        ("text/plain", raw("200 OK", SIGN_IN, "content-type: text/plain"), SIGN_IN),
    ],
)
@pytest.mark.sampled(3)
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
