"""What a tool's source has otherwise than its schema is said where the tool is shown."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from activities.settings import Settings
from activities.toolkit import foreign_tools
from activities.toolkit.catalogue import Catalogue
from client import app
from deploy.client.tools import listed

DOCUMENT = """
openapi: 3.1.0
info: {title: Stock, version: "1"}
servers: [{url: "https://stock.example.com"}]
paths:
  /items:
    parameters:
      - {name: Idempotency-Key, in: header, schema: {type: string}}
    get: {operationId: listItems}
    post:
      operationId: createItem
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema:
              type: object
              required: [name]
              properties:
                id: {type: string, readOnly: true}
                name: {type: string}
                photo: {type: string, format: binary}
                parts: {type: array, items: {$ref: "#/components/schemas/Part"}}
components:
  schemas:
    Part:
      type: object
      properties:
        name: {type: string}
        parts: {type: array, items: {$ref: "#/components/schemas/Part"}}
"""
KEYS = (
    "the header Idempotency-Key is left to the model, as the argument Idempotency-Key; where the far end does nothing "
    'twice under one key, set idempotency_header = "Idempotency-Key", and the call\'s own key fills it'
)


@pytest.fixture(autouse=True)
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "stock.yaml").write_text(DOCUMENT)
    file = tmp_path / "sources.toml"
    file.write_text('[openapi.stock]\ndocument = "stock.yaml"\n')
    monkeypatch.setattr(foreign_tools, "KEPT", tmp_path / "kept")
    monkeypatch.setenv("ERRAND_SOURCES", str(file))
    return file


@pytest.fixture(autouse=True)
def _logs_as_before() -> Generator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def _said(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["tools", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def _notes(name: str, file: Path) -> list[str]:
    [found] = [each for each in listed(Catalogue.load(Settings.read(sources=file))) if each.name == name]
    return [*found.notes]


def test_what_was_changed_in_its_schema_is_named_one_line_each() -> None:
    lines = [line for line in _said("stock_createItem").splitlines() if line.startswith("note: ")]
    assert lines == [
        "note: the file photo is left out",
        "note: fields that only the far end sets are left out",
        "note: a schema that contains itself is cut",
        f"note: {KEYS}",
    ]


def test_json_has_the_notes_too() -> None:
    assert "the file photo is left out" in json.loads(_said("stock_createItem", "--json"))["notes"]
    assert json.loads(_said("get_weather", "--json"))["notes"] == []


def test_a_header_that_takes_a_key_and_is_left_to_the_model_is_named(sources: Path) -> None:
    assert KEYS in _notes("stock_createItem", sources)


def test_of_a_read_and_of_a_header_that_is_filled_nothing_is_said(sources: Path) -> None:
    assert _notes("stock_listItems", sources) == []
    with sources.open("a") as file:
        file.write('[openapi.stock.operation.createItem]\nidempotency_header = "idempotency-key"\n')
    assert [note for note in _notes("stock_createItem", sources) if "Idempotency-Key" in note] == []
