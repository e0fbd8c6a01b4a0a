"""A tool's result as the text of a file: a table, JSON, or text."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from activities.errors import InvalidArguments

SEPARATORS = {"csv": ",", "tsv": "\t"}


def text_of(value: JsonValue, name: str) -> str:
    """What a file of this name holds of a result.

    Raises:
        InvalidArguments: it is to be a table, and the result is none.
    """
    end = name.rpartition(".")[2].lower()
    if end == "json" and not _is_json(value):
        return to_json(value).decode()
    if isinstance(value, str):
        return value
    if separator := SEPARATORS.get(end):
        return _table(_rows(value, name), separator)
    return f"{to_json(value, indent=2).decode()}\n"


def _is_json(value: JsonValue) -> bool:
    """Or no text at all."""
    if not isinstance(value, str):
        return True
    try:
        from_json(value, allow_inf_nan=False)
    except ValueError:
        return False
    return True


def _rows(value: JsonValue, name: str) -> Sequence[Mapping[str, JsonValue]]:
    """A list of flat objects: the result itself, or the only such list in it."""
    lists = [each for each in (value.values() if isinstance(value, dict) else [value]) if _are_objects(each)]
    if len(lists) != 1:
        raise InvalidArguments(f"{name}: the result is no list of rows, nor has it exactly one; use .json in its place")
    rows = cast("list[dict[str, JsonValue]]", lists[0])
    nested = next((key for row in rows for key, cell in row.items() if isinstance(cell, dict | list)), None)
    if nested is not None:
        raise InvalidArguments(f"{name}: {nested} has more than one value in a row; use .json in its place")
    return rows


def _are_objects(value: JsonValue) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _table(rows: Sequence[Mapping[str, JsonValue]], separator: str) -> str:
    """With the names in its first line, each column where it first came up."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    written = io.StringIO()
    table = csv.writer(written, delimiter=separator, lineterminator="\n")
    table.writerow(names)
    table.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return written.getvalue()


def _cell(value: JsonValue) -> str:
    """Numbers and truth values as JSON has them; nothing, where there is none."""
    if value is None:
        return ""
    return value if isinstance(value, str) else to_json(value).decode()
