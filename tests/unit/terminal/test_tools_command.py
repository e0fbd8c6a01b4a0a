"""`client.py tools` says what a worker would offer, and why not the rest."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from activities.toolkit import foreign_tools
from client import app
from deploy.terminal.logs import only_warnings
from tests.unit.mcp.notebook import sources as of_notebook
from tests.unit.toolkit.openapi.test_source import DOCUMENT, TABLE


@pytest.fixture(autouse=True)
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "desk.yaml").write_text(DOCUMENT)
    (tmp_path / "sources.toml").write_text(TABLE.format(url="https://desk.example.com", more="", before=""))
    monkeypatch.setattr(foreign_tools, "KEPT", tmp_path / "kept")
    monkeypatch.setenv("ERRAND_SOURCES", str(tmp_path / "sources.toml"))
    monkeypatch.setenv("DESK_TOKEN", "desk-secret-42")


@pytest.fixture(autouse=True)
def _logs_as_before() -> Generator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def _said(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["tools", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_it_lists_name_effect_and_source() -> None:
    lines = [line.split() for line in _said().splitlines()]
    assert ["desk_createTicket", "write", "openapi.desk,", "POST", "/tickets"] in lines


def test_what_cannot_be_a_tool_says_why() -> None:
    assert "left out: its body is image/png, which is not written here" in _said()


def test_what_lacks_a_variable_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESK_TOKEN")
    assert "left out: not set: DESK_TOKEN" in _said("desk_createTicket")


def test_one_tool_is_shown_with_its_schema() -> None:
    said = _said("desk_createTicket")
    assert "Create a ticket." in said
    assert json.loads(said[said.index("{") :])["required"] == ["title", "email"]


def test_json_is_one_object_a_line() -> None:
    found = {each["name"]: each for each in map(json.loads, _said("--json").splitlines())}
    assert (found["desk_listTickets"]["effect"], found["desk_listTickets"]["left_out"]) == ("read", "")
    assert found["desk upload"]["left_out"] == "its body is image/png, which is not written here"


def test_what_a_servers_program_says_meanwhile_is_not_part_of_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notebook").mkdir()
    file = of_notebook(tmp_path / "notebook")
    quiet = file.read_text()
    file.write_text(quiet.replace("command = [", "command = ['sh', '-c', 'echo noise >&2; exec \"$0\" \"$@\"', "))
    assert quiet != file.read_text()
    monkeypatch.setenv("ERRAND_SOURCES", str(file))
    said = _said("--json")
    assert "book_take_note" in {json.loads(line)["name"] for line in said.splitlines()}
    assert "noise" not in said + "".join(capfd.readouterr())


def test_a_warning_is_not_part_of_the_answer_either(capfd: pytest.CaptureFixture[str]) -> None:
    only_warnings()
    structlog.stdlib.get_logger("errand").warning("beware", of="the dog\x1b]0;")
    said = capfd.readouterr()
    assert said.out == ""
    assert "beware" in said.err
    assert "\x1b" not in said.err, "neither a stranger's signs nor colours, where nobody looks at it"


def test_a_name_that_is_none_says_which_is_near() -> None:
    result = CliRunner().invoke(app, ["tools", "desk_createTickets"])
    assert result.exit_code == 2
    assert "did you mean desk_createTicket?" in result.output


@pytest.mark.parametrize("name", ["desk_upload", "desk upload"])
def test_what_would_be_a_tool_says_by_its_tools_name_why_it_is_none(name: str) -> None:
    assert "left out: its body is image/png, which is not written here" in _said(name)


def test_it_is_found_also_where_the_document_gives_it_no_name(tmp_path: Path) -> None:
    unnamed = DOCUMENT.replace("      operationId: upload\n", "")
    assert unnamed != DOCUMENT
    (tmp_path / "desk.yaml").write_text(unnamed)
    assert "left out: its body is image/png" in _said("desk_post_files")


def test_what_no_tool_can_be_made_of_is_listed_with_its_source_and_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notebook").mkdir()
    monkeypatch.setenv("ERRAND_SOURCES", str(of_notebook(tmp_path / "notebook", fault="odd-tool")))
    [line] = [line for line in _said().splitlines() if line.startswith("book odd")]
    assert "left out: " in line
    assert "nothing" in line
