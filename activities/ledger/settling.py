"""Writes of which no attempt can say any more how they ended: given up, or put back from Temporal's histories."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from activities.ledger.rows import Action, State, Write, columns_of, given_up, insert, one_at_a_time, replace, row_of
from activities.ledger.tokens import another, new_token
from workflows.contract.internal import ToolCall

FORGOTTEN = "an attempt acted, and the ledger has forgotten it"
FORGOTTEN_SINCE = "an attempt acted, and the ledger knows only of one before it"
OF_ITS_TOOL = "its tool says that it may have happened, although not in its act"
BY_HAND = "its activity was completed by hand, with what is no result of it"


def give_up(
    connection: sa.Connection,
    write: Write,
    *,
    acted: Sequence[str] | None,
    doubt: str,
    now: datetime | sa.Function[datetime],
) -> Action:
    one_at_a_time(connection, write)
    own = write.under_its_own_key()
    usual = row_of(connection, write.call.key, lock=True)
    is_taken = usual is not None and not usual.is_of(write.call)
    found = row_of(connection, own.call.key, lock=True) if is_taken else usual
    key, token = (own if is_taken else write).call.key, _in_place_of(found, acted, write)
    doubt = _doubt(found, acted, doubt)
    if found is None:
        lost = {
            "state": State.UNKNOWN if doubt else State.NOT_DONE,
            "token": token,
            "attempt": 0,
            "begun_at": now,
            "approved_by": write.call.approved_by,
            "error": doubt or "no attempt got as far as to begin",
        }
        insert(connection, columns_of(write) | {"key": key} | lost)
    else:
        found.must_be(write.call.model_copy(update={"key": found.key}))
        if found.state is State.BEGUN:
            replace(connection, key, found.token, {"state": State.UNKNOWN})
        elif doubt:
            replace(connection, key, found.token, {"state": State.UNKNOWN, "error": doubt, "token": token})
        elif found.state is State.NOT_DONE and not found.is_given_up(acted or ()):
            # An attempt that is lost may have seen the token and not begun yet.
            replace(connection, key, found.token, {"token": given_up(found.token)})
    settled = row_of(connection, key)
    assert settled is not None, "it was written in this very transaction"
    return settled


def _in_place_of(row: Action | None, acted: Sequence[str] | None, write: Write) -> str:
    if acted:
        return another(acted[0])
    return another(row.token) if row else new_token(write.repeated_as)


def _doubt(row: Action | None, acted: Sequence[str] | None, doubt: str) -> str:
    """Why it may have happened although the ledger says that it did not, or nothing; empty where it may not."""
    if row is not None and (row.state is not State.NOT_DONE or row.resolved_by is not None):
        return ""
    if acted is not None and row is None:
        return FORGOTTEN
    if acted is not None and row is not None and row.says_less_than(acted):
        return FORGOTTEN_SINCE
    return doubt


def put_back(
    connection: sa.Connection, write: Write, state: State, known: Mapping[str, object], *, only_look: bool
) -> bool:
    """Write down of a write that it is done, or may be, where the ledger does not know; returns whether it did not."""
    one_at_a_time(connection, write)
    own = write.under_its_own_key()
    found = row_of(connection, write.call.key)
    if found is not None and not found.is_of(write.call):
        write, found = own, row_of(connection, own.call.key)
    if found is not None and not _knows_less(found, write.call, state):
        return False
    # Where a person has said the opposite, it is not their word any more.
    nobodys = {"error": None, "resolved_by": None, "approved_by": write.call.approved_by}
    row = {"state": state, "token": new_token(), **nobodys, **known}
    if not only_look and found is None:
        insert(connection, columns_of(write) | row)
    elif not only_look and found is not None:
        replace(connection, found.key, found.token, row)
    return True


def _knows_less(row: Action, call: ToolCall, state: State) -> bool:
    if row.digest != call.digest or row.state is State.DONE:
        return False
    return state is State.DONE or (row.state is State.NOT_DONE and row.resolved_by is None)
