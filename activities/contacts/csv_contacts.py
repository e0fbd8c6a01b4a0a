"""Contacts in a table (RFC 4180), as people write one, and as Google and Outlook export them.

The first line names the columns: `name`, or `first name` and `last name`; `email`, or several: `E-mail 2 Address`.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence

from activities.contacts.entry import Entry, Unreadable

WHOLE_NAME = ("name", "full name", "display name")
PARTS_OF_A_NAME = ("first name", "given name", "middle name", "additional name", "last name", "family name", "surname")
NICKNAMES = ("nickname", "nick name")
ORGANIZATION = ("organization", "organisation", "company", "organization name", "organization 1 name")
EMAIL = re.compile(r"(e ?)?mail( address)?( \d+)?( value| address)?")
SEVERAL = re.compile(r":::|[;,]")
"""Between the addresses of one cell."""


def csv_entries(text: str) -> Iterator[Entry]:
    """The contacts of a table. Its cells are divided by commas, semicolons or tabs.

    Raises:
        Unreadable: it is no table of names and addresses; the message begins with the line.
    """
    first_line = text.partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] = []
    began = 1
    try:
        for row in rows:
            if not columns:
                columns = _columns(row)
            elif any(map(str.strip, row)):
                yield _entry(_cells(columns, row, began))
            began = rows.line_num + 1
    except csv.Error as error:
        raise Unreadable(f"it is no table: {error}", line=rows.line_num) from error
    if not columns:
        raise Unreadable("the file is empty", line=1)


def _columns(row: Sequence[str]) -> list[str]:
    names = [re.sub(r"[^a-z0-9]+", " ", name.casefold()).strip() for name in row]
    if not {*names} & {*WHOLE_NAME, *PARTS_OF_A_NAME}:
        raise Unreadable("no column is called name; the first line names the columns, such as name,email", line=1)
    if not any(map(EMAIL.fullmatch, names)):
        raise Unreadable("no column is called email; the first line names the columns, such as name,email", line=1)
    return names


def _cells(columns: Sequence[str], row: Sequence[str], line: int) -> list[tuple[str, str]]:
    if any(map(str.strip, row[len(columns) :])):
        raise Unreadable(f"it has {len(row)} cells, and the first line names {len(columns)} columns", line=line)
    return [(name, cell.strip()) for name, cell in zip(columns, row, strict=False) if cell.strip()]


def _entry(cells: Sequence[tuple[str, str]]) -> Entry:
    named: Mapping[str, str] = dict(reversed(cells))
    whole = next((named[name] for name in WHOLE_NAME if name in named), "")
    parts = " ".join(named[name] for name in PARTS_OF_A_NAME if name in named)
    addresses = [each.strip() for name, cell in cells if EMAIL.fullmatch(name) for each in SEVERAL.split(cell)]
    return Entry(
        whole or parts,
        tuple(each for each in addresses if each),
        organization=next((named[name] for name in ORGANIZATION if name in named), ""),
        nicknames=" ".join(named[name] for name in NICKNAMES if name in named),
    )
