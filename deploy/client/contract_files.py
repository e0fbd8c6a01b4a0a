"""docs/contract, and the part of docs/api.md that shows it, made from the messages.

python -m deploy.client.contract_files
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from activities.settings.environment import PROJECT
from deploy.client.contract import MessageName, as_text, published, schema_of

FOLDER = PROJECT / "docs" / "contract"
PAGE = PROJECT / "docs" / "api.md"
WHOLE = "contract"
"""The name of the document with all messages."""
BEGINNING = "<!-- messages: written by python -m deploy.client.contract_files -->\n"
END = "<!-- end of messages -->\n"
SHORT = (MessageName.SAY, MessageName.APPROVE, MessageName.REJECT)
"""What the page shows whole: what callers write beside the request itself."""


def files() -> dict[str, str]:
    """What stands in every file of docs/contract, by its name."""
    schemas = {name.value: schema_of(name) for name in MessageName} | {WHOLE: published()}
    return {f"{name}.json": f"{as_text(schema)}\n" for name, schema in schemas.items()}


def listed() -> str:
    """Every message with a link to its schema, and the short ones whole, in Markdown."""
    rows = "\n".join(_row(name, schema_of(name)) for name in MessageName)
    shown = "\n".join(f"`{name}`:\n\n```json\n{as_text(schema_of(name))}\n```\n" for name in SHORT)
    return f"| message | required | |\n|---|---|---|\n{rows}\n\n{shown}"


def with_messages(page: str) -> str:
    """A page with the messages of today between its marks."""
    before, _, rest = page.partition(BEGINNING)
    _, _, after = rest.partition(END)
    return f"{before}{BEGINNING}\n{listed()}\n{END}{after}"


def write(folder: Path = FOLDER, page: Path = PAGE) -> None:
    """Write everything anew; a message that is gone loses its file."""
    for left in folder.glob("*.json"):
        left.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8")
    page.write_text(with_messages(page.read_text(encoding="utf-8")), encoding="utf-8")


def _row(name: MessageName, schema: Mapping[str, Any]) -> str:
    paragraph = str(schema["description"]).partition("\n\n")[0].replace("\n", " ")
    always = ", ".join(f"`{field}`" for field in schema.get("required", ()))
    return f"| [`{name}`](contract/{name}.json) | {always} | {paragraph} |"


if __name__ == "__main__":
    write()
