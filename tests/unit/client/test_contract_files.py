"""docs/contract and docs/api.md are held to the messages."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from activities.settings.environment import PROJECT
from deploy.client.contract import published
from deploy.client.contract_files import FOLDER, PAGE, files, with_messages, write
from workflows.contract import api
from workflows.contract.api import UpdateError
from workflows.contract.messages import Input, Message


def test_the_folder_has_the_schemas_of_today_and_no_others() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")} == files()


def test_the_page_has_the_messages_of_today() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_messages(page) == page


def test_every_message_of_the_api_has_a_schema() -> None:
    defined = {
        name
        for name, each in inspect.getmembers(api, inspect.isclass)
        if issubclass(each, Input | Message) and each.__module__ == api.__name__
    }
    assert defined <= published()["$defs"].keys()


def test_the_page_names_every_error_of_an_update_and_no_other() -> None:
    _, _, section = PAGE.read_text(encoding="utf-8").partition("## Updates, and their errors")
    cells = (row.split("|")[4] for row in section.partition("\n## ")[0].splitlines() if row.startswith("| "))
    assert {word for cell in cells for word in cell.split("`")[1::2]} == {*get_args(UpdateError)}


def types_of_errors(source: str) -> Iterator[str]:
    """Those that a module's code gives to `ApplicationError`, or to a `_refusal` of its own."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.keyword(arg="type", value=ast.Constant(value=str(kind))):
                yield kind
            case ast.Call(func=ast.Name(id="_refusal"), args=[ast.Constant(value=str(kind)), *_]):
                yield kind
            case _:
                pass


def test_every_error_that_an_update_raises_is_one_of_the_contract_and_no_other_is() -> None:
    raised = {kind for path in PROJECT.glob("workflows/*.py") for kind in types_of_errors(path.read_text("utf-8"))}
    assert raised | {api.BAD_REQUEST} == {*get_args(UpdateError)}


def test_what_is_out_of_date_is_written_anew_and_what_is_gone_goes(tmp_path: Path) -> None:
    page = tmp_path / "api.md"
    page.write_text(PAGE.read_text(encoding="utf-8").replace("Update `say`: a further", "An old"), encoding="utf-8")
    (tmp_path / "Gone.json").write_text("{}")
    write(tmp_path, page)
    assert page.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.glob("*.json")} == files().keys()
