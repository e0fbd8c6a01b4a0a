"""Headers of an answer are told where a table names them: a change can be made of what was seen, and only of that."""

from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.execution.tool_activities import read_activity, write_activity
from activities.ledger.ledger import Ledger
from activities.settings import Settings
from activities.toolkit.catalogue import Catalogue
from tests.unit.toolkit.openapi.desk import counts
from tests.unit.toolkit.openapi.far_end import Asked, FarEnd, raw
from workflows.contract.api import ReceiptStatus
from workflows.contract.internal import ToolCall

DOCUMENT = """
openapi: 3.1.0
info: {title: Stock, version: "1"}
paths:
  /items/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
    get: {operationId: getItem}
    put:
      operationId: updateItem
      parameters:
        - {name: If-Match, in: header, required: true, schema: {type: string}}
      requestBody:
        required: true
        content:
          application/json: {schema: {type: object, required: [name], properties: {name: {type: string}}}}
"""
HEADERS = 'headers = ["ETag", "X-Page"]'


def _catalogue(folder: Path, far: FarEnd, of_the_read: str, of_the_write: str = "") -> Catalogue:
    (folder / "stock.yaml").write_text(DOCUMENT)
    (folder / "sources.toml").write_text(
        f'[openapi.stock]\ndocument = "stock.yaml"\nurl = "{far.url}"\nprivate = true\n'
        f"[openapi.stock.operation.getItem]\n{of_the_read}\n[openapi.stock.operation.updateItem]\n{of_the_write}\n"
    )
    return Catalogue.load(Settings.read(sources=folder / "sources.toml"))


class _Item:
    """One that is changed only by who has seen its newest state."""

    def __init__(self) -> None:
        self.version = 1

    def __call__(self, asked: Asked) -> tuple[int, object]:
        tag = f'"v{self.version}"'
        if asked.method == "GET":
            return raw("200 OK", '{"name": "saw", "cost": 3}', "content-type: application/json", f"ETag: {tag}")
        if asked.headers["if-match"] != tag:
            return 412, {"why": "it has changed"}
        self.version += 1
        return 200, {"name": "saw"}


async def _read(found: Catalogue) -> Any:
    activity: Any = read_activity(found.tools["stock_getItem"], {})
    call = ToolCall(key="r/1.0", tool="stock_getItem", arguments={"id": "7"})
    return (await ActivityEnvironment().run(activity, call)).value


async def _update(found: Catalogue, ledger: Ledger, key: str, **arguments: JsonValue) -> object:
    given: Mapping[str, JsonValue] = {"id": "7", "name": "saw", **arguments}
    activity: Any = write_activity(found.tools["stock_updateItem"], {}, ledger, fence=counts)
    call = ToolCall(key=key, tool="stock_updateItem", arguments={**given}, chain="5eed")
    return (await ActivityEnvironment().run(activity, call)).value


async def test_what_a_read_tells_of_its_state_makes_the_change_and_an_older_one_does_not(
    far: FarEnd, tmp_path: Path, ledger: Ledger
) -> None:
    far.answer = _Item()
    found = _catalogue(tmp_path, far, HEADERS)
    async with aclosing(found.sources):
        seen = await _read(found)
        assert seen == {"headers": {"ETag": '"v1"'}, "body": {"name": "saw", "cost": 3}}
        tag = seen["headers"]["ETag"]
        assert await _update(found, ledger, "r/2.0", **{"If-Match": tag}) == {"name": "saw"}
        with pytest.raises(ApplicationError, match="stock updateItem refused: 412") as raised:
            await _update(found, ledger, "r/3.0", name="axe", **{"If-Match": tag})
    assert raised.value.details[0].status == ReceiptStatus.FAILED


async def test_result_is_about_the_body_alone(far: FarEnd, tmp_path: Path) -> None:
    far.answer = _Item()
    found = _catalogue(tmp_path, far, f'{HEADERS}\nresult = "name"')
    async with aclosing(found.sources):
        assert await _read(found) == {"headers": {"ETag": '"v1"'}, "body": "saw"}


async def test_a_look_is_not_settled_by_a_header(far: FarEnd, tmp_path: Path, ledger: Ledger) -> None:
    def answer(asked: Asked) -> tuple[int, object]:
        nothing = raw("200 OK", "{}", "content-type: application/json", 'ETag: "v0"')
        return nothing if asked.method == "GET" else (200, {"name": "saw"})

    far.answer = answer
    found = _catalogue(tmp_path, far, HEADERS, 'look = "getItem"')
    async with aclosing(found.sources):
        assert await _update(found, ledger, "r/1.0", **{"If-Match": '"v0"'}) == {"name": "saw"}
    assert len(far.asked_for("PUT")) == 1
