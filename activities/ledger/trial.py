"""Whether a ledger can be written: what workers write is written, and taken back.

What is taken back never leaves SQLite's memory, so of a file the room on its disk is looked at too. It must not be made
to leave it, by `PRAGMA cache_size`: where SQLite 3.40 had written pages to its log twice before it took them back, that
log could not be read from there on, and with a process that was killed went what it had written since.
"""

import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from activities.ledger.tables import actions, marks, restores, spending

LEAST = 1024 * 1024
"""Bytes that are to be free on the disk of a file: SQLite's log alone may grow by more before it is begun anew."""


def try_to_write(connection: sa.Connection) -> None:
    """Do to each table what a worker does, and take it back.

    Args:
        connection: in a transaction that writes.

    Raises:
        SQLAlchemyError: something of it cannot be written.
    """
    there = set(sa.inspect(connection).get_table_names())
    # Where one fails the database may have taken back everything, so that nothing is left to be taken back here.
    trial = connection.begin_nested()
    for table, values in _rows(f"trial/{secrets.token_hex(8)}"):
        if table.name in there:
            connection.execute(sa.insert(table).values(**values))
            connection.execute(sa.update(table).values(**values).where(_is_row_of(table, values)))
            if table is spending:
                connection.execute(sa.delete(table).where(_is_row_of(table, values)))
    trial.rollback()


def room_beside(file: Path) -> int | None:
    """The bytes that are free on the disk of a file; None where it does not say."""
    disk = os.statvfs(file.parent)
    free = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
    return free * disk.f_frsize if disk.f_blocks else None


def _is_row_of(table: sa.Table, values: Mapping[str, object]) -> sa.ColumnElement[bool]:
    return sa.and_(*(column == values[column.name] for column in table.primary_key))


def _rows(key: str) -> list[tuple[sa.Table, Mapping[str, object]]]:
    now = datetime.now(UTC)
    action: Mapping[str, object] = {
        "key": key,
        "digest": "",
        "tool": "",
        "arguments": {},
        "request_id": key,
        "requester": "",
        "approved_by": "",
        "state": "begun",
        "token": "",
        "attempt": 0,
        "begun_at": now,
    }
    return [
        (actions, action),
        (spending, {"budget": "trial", "key": key, "taken_at": now, "amount": 0}),
        (restores, {"number": -1, "older": "ledger", "noticed_at": now, "message": ""}),
        (marks, {"namespace": key, "number": 0}),
    ]
