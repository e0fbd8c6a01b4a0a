"""The table of all variables in docs/configuration.md, made from the settings.

python -m deploy.service.configuration
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import cast, get_args

from annotated_types import Ge
from pydantic.fields import FieldInfo

from activities.model.profiles import PROFILES
from activities.settings import Settings
from activities.settings.environment import PROJECT, variable

PAGE = PROJECT / "docs" / "configuration.md"
BEGINNING = "<!-- variables: written by python -m {module} -->\n"
END = "<!-- end of variables -->\n"


def table() -> str:
    """One row for each variable of workers and clients, in Markdown."""
    return table_of({variable(name): _row(name, field) for name, field in Settings.fields().items()})


def table_of(rows: Mapping[str, str]) -> str:
    """A table of variables: what stands behind the name of each."""
    lines = (f"| `{name}` | {rest} |" for name, rest in rows.items())
    return "\n".join(("| variable | default | |", "|---|---|---|", *lines)) + "\n"


def with_table(page: str, rows: str | None = None, module: str = "deploy.service.configuration") -> str:
    """A page with the table of today, or with these rows, between the marks of whoever writes it."""
    beginning = BEGINNING.format(module=module)
    before, _, rest = page.partition(beginning)
    _, _, after = rest.partition(END)
    return f"{before}{beginning}\n{table() if rows is None else rows}\n{END}{after}"


def write(page: Path = PAGE) -> None:
    page.write_text(with_table(page.read_text(encoding="utf-8")), encoding="utf-8")


def described(field: FieldInfo, choices: Iterable[str] = ()) -> str:
    """The default of a setting, what it means, and the least that it may be."""
    one_of = f": {', '.join(f'`{choice}`' for choice in choices)}" if choices else ""
    least = "".join(f"; at least {each.ge}" for each in field.metadata if isinstance(each, Ge) and each.ge)
    return f"{_default(field.default)} | {field.description}{one_of}{least}"


def _row(name: str, field: FieldInfo) -> str:
    choices = tuple(PROFILES) if name == "model_profile" else _choices(field.annotation)
    return described(field, choices)


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
