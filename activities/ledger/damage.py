"""Rows that cannot be read: changed by hand, or by a disk. The error names the key and the column of the first of them.

What reads rows reads them all at once; only where that fails are they looked at one by one.
"""

from collections.abc import Generator
from contextlib import contextmanager

import sqlalchemy as sa

from activities.errors import ServiceUnavailable
from activities.ledger.tables import actions

UNREADABLE = (ValueError, TypeError)
"""What the types of columns raise of a value that is none of theirs."""


class DamagedRow(ServiceUnavailable):
    """What stands in a column is nothing that the ledger writes."""

    def __init__(self, key: str, column: str, why: object) -> None:
        words = " ".join(str(why).split())[:200]
        super().__init__(
            f"{key}: {column} of its row in the ledger is damaged: {words}; put {column} right in the table "
            "errand_actions, from a backup or from an export of `client.py audit`"
        )
        self.key = key
        self.column = column


@contextmanager
def damage_named(connection: sa.Connection, which: sa.ColumnElement[bool]) -> Generator[None]:
    """While rows are read: where one cannot be read, say which.

    Raises:
        DamagedRow: it is the first of these rows that cannot be read.
    """
    try:
        yield
    except UNREADABLE as error:
        for key in connection.execute(sa.select(actions.c.key).where(which)).scalars().all():
            if damaged := damage_of(connection, key):
                raise damaged from error
        raise


def damage_of(connection: sa.Connection, key: str) -> DamagedRow | None:
    """The first column of a row whose value the driver's types cannot read."""
    for column in actions.c:
        try:
            connection.execute(sa.select(column).where(actions.c.key == key)).all()
        except UNREADABLE as error:
            return DamagedRow(key, column.name, error)
    return None
