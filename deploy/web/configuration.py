"""The table of the door's variables in docs/configuration.md, made from its settings.

python -m deploy.web.configuration
"""

from pathlib import Path

from activities.settings.environment import PROJECT
from deploy.client.keys import PREFIX
from deploy.service.configuration import PAGE, described, table_of
from deploy.service.configuration import with_table as with_rows
from deploy.web.settings import WebSettings


def table() -> str:
    """One row for each variable, in Markdown."""
    rows = {PREFIX + name.upper(): described(field) for name, field in WebSettings.model_fields.items()}
    return table_of(rows).replace(f"{PROJECT}/", "")


def with_table(page: str) -> str:
    """A page with the table of today between its marks."""
    return with_rows(page, table(), "deploy.web.configuration")


def write(page: Path = PAGE) -> None:
    page.write_text(with_table(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
