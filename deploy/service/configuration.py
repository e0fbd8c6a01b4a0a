"""The table of all variables in docs/configuration.md, made from the settings.

python -m deploy.service.configuration
"""

from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import cast, get_args

from pydantic.fields import FieldInfo

from activities.model.profiles import PROFILES
from activities.settings import Settings
from activities.settings.environment import PROJECT, variable

PAGE = PROJECT / "docs" / "configuration.md"
BEGINNING = "<!-- variables: written by python -m deploy.service.configuration -->\n"
END = "<!-- end of variables -->\n"


def table() -> str:
    """One row for each variable, in Markdown."""
    rows = (_row(name, field) for name, field in Settings.fields().items())
    return "\n".join(("| variable | default | |", "|---|---|---|", *rows)) + "\n"


def with_table(page: str) -> str:
    """A page with the table of today between its marks."""
    before, _, rest = page.partition(BEGINNING)
    _, _, after = rest.partition(END)
    return f"{before}{BEGINNING}\n{table()}\n{END}{after}"


def write(page: Path = PAGE) -> None:
    page.write_text(with_table(page.read_text(encoding="utf-8")), encoding="utf-8")


def _row(name: str, field: FieldInfo) -> str:
    choices = tuple(PROFILES) if name == "model_profile" else _choices(field.annotation)
    one_of = f": {', '.join(f'`{choice}`' for choice in choices)}" if choices else ""
    return f"| `{variable(name)}` | {_default(field.default)} | {field.description}{one_of} |"


def _choices(annotation: object) -> tuple[str, ...]:
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return tuple(annotation)
    parts = get_args(annotation) if isinstance(annotation, UnionType) else ()
    return tuple(choice for part in parts for choice in _choices(part))


def _default(value: object) -> str:
    if value is None or value in ((), {}):
        return ""
    return f"`{' '.join(cast('tuple[str, ...]', value)) if isinstance(value, tuple) else value}`"


if __name__ == "__main__":
    write()
