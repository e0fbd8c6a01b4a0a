"""The example in docs/tools.md is one that a worker takes."""

from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from activities.settings import Settings
from activities.toolkit import foreign_tools
from activities.toolkit.catalogue import Catalogue
from activities.toolkit.openapi.settings import OpenApiSettings, OperationSettings
from workflows.contract.values import Arguments

PAGE = (Path(__file__).parents[3] / "docs" / "tools.md").read_text(encoding="utf-8")


def test_the_file_of_sources_is_loaded_with_its_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_tools, "KEPT", tmp_path / "kept")
    monkeypatch.setenv("CRM_TOKEN", "token-of-the-page")
    blocks = {token.info: token.content for token in MarkdownIt().parse(PAGE) if token.type == "fence"}
    (tmp_path / "sources.toml").write_text(blocks["toml"], encoding="utf-8")
    (tmp_path / "crm.yaml").write_text(blocks["yaml"], encoding="utf-8")
    found = Catalogue.load(Settings.read(sources=tmp_path / "sources.toml"))
    effects = {name: tool.route.effect for name, tool in found.tools.items() if name.startswith("crm_")}
    assert effects == {
        "crm_createTicket": "write",
        "crm_get_orders_id": "read",
        "crm_listCustomers": "read",
        "crm_listTickets": "read",
    }
    arguments: Arguments = {"email": "ann@example.com", "title": "Printer"}
    assert found.tools["crm_createTicket"].describe(arguments) == "for ann@example.com: Printer"


@pytest.mark.parametrize("table", [OpenApiSettings, OperationSettings])
def test_every_key_is_explained(table: type[OpenApiSettings | OperationSettings]) -> None:
    assert [name for name in table.model_fields if name != "operation" and f"`{name}`" not in PAGE] == []
