"""The rows of one requester, also where it takes the keys to tell whose a row is."""

import sqlalchemy as sa

from activities.ledger.contents import MARK
from activities.ledger.damage import DamagedRow
from activities.ledger.rows import Action, actions_of
from activities.ledger.tables import actions

AT_ONCE = 500
"""Rows that are looked through at once."""


def may_be_of(requester: str) -> sa.ColumnElement[bool]:
    """Rows of a requester, and those that do not say whose they are until they are decrypted."""
    hidden = actions.c.requester.startswith(f"{MARK}:", autoescape=True)
    return sa.or_(actions.c.requester == requester, hidden)


def listed(
    connection: sa.Connection,
    query: sa.Select[tuple[object, ...]],
    requester: str | None,
    limit: int,
    damaged: list[DamagedRow] | None = None,
) -> list[Action]:
    """The first so many, of everybody or of one requester; `damaged` is given those that cannot be read."""
    found: list[Action] = []
    start, at_once = 0, limit  # which is enough, unless it takes the keys to tell whose a row is
    while True:
        unread = list[DamagedRow]() if damaged is not None else None
        page = actions_of(connection, query.limit(at_once).offset(start), unread)
        found += [each for each in page if requester in (None, each.requester)]
        if damaged is not None and unread:
            damaged += unread
        if len(found) >= limit or len(page) + len(unread or ()) < at_once:
            return found[:limit]
        start, at_once = start + at_once, AT_ONCE
