"""Rows of the ledger, and the steps of its transactions."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from sqlalchemy.exc import IntegrityError

from activities.budgets import Charge
from activities.errors import KeyTaken, OutcomeUnknownRetryable
from activities.ledger.contents import decrypted, encrypted
from activities.ledger.damage import UNREADABLE, DamagedRow, damage_named
from activities.ledger.rehearsals import refuse_rehearsed
from activities.ledger.tables import actions
from workflows.contract.internal import ToolCall
from workflows.contract.values import Arguments

LONGEST_ACT = timedelta(minutes=30)
"""After which an act is not under way any more, where its tool does not say."""


class State(StrEnum):
    BEGUN = "begun"
    DONE = "done"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"


class Action(BaseModel):
    """One row."""

    model_config = ConfigDict(frozen=True)

    key: str
    digest: str
    tool: str
    arguments: Arguments
    request_id: str
    requester: str
    approved_by: str
    state: State
    token: str
    attempt: int
    begun_at: datetime
    finished_at: datetime | None = None
    result: JsonValue = None
    error: str | None = None
    resolved_by: str | None = None
    chain: str = ""

    def must_be(self, call: ToolCall) -> None:
        """Refuse a call that is not the one of this row.

        Raises:
            KeyTaken: the row is of another action than the call.
        """
        if self.digest != call.digest:
            raise KeyTaken(f"{call.key} stands in the ledger with another tool or other arguments")

    def says_less_than(self, acted: Sequence[str]) -> bool:
        """Whether it says that nothing happened, and is of none of the attempts that Temporal knows to have acted.

        Args:
            acted: the tokens of that attempt, and of a later one.
        """
        known = self.token in acted or self.is_given_up(acted)
        return self.state is State.NOT_DONE and self.resolved_by is None and not known

    def is_given_up(self, tokens: Sequence[str]) -> bool:
        """Whether an attempt with one of these tokens had it before it was given up."""
        return self.token in map(given_up, tokens)

    def is_of(self, call: ToolCall) -> bool:
        """Whether the same request asked for it; a row of an older ledger does not say, and goes by its key."""
        return self.chain in ("", call.chain)


def given_up(token: str) -> str:
    """The token of a row that was given up: no attempt has it, and the same question gets the same answer again."""
    return hashlib.sha256(f"given up: {token}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Write:
    """What is to be written down of a call."""

    call: ToolCall
    likeness: str = ""
    """The same for calls that would do the same, or something with the same recipients."""
    longest: timedelta = LONGEST_ACT
    charges: tuple[Charge, ...] = ()
    """What it takes of the budgets that hold for it."""
    repeated_as: str = ""
    """As its tool has it."""

    def under_its_own_key(self) -> "Write":
        """Under the key that the call has where an earlier request of the same id has taken the usual one."""
        call = self.call
        return replace_fields(self, call=call.model_copy(update={"key": f"{call.key}~{call.chain}"}))


@dataclass(frozen=True)
class Found:
    """What the ledger knows that matters to one write."""

    write: Write
    """Under the key that it has in the ledger."""
    row: Action | None = None
    earlier: bool = False
    """There are writes of the same request id that the asking run does not know of."""


def look_up(connection: sa.Connection, write: Write) -> Found:
    """The row of a write, if there is one.

    Raises:
        KeyTaken: there is a like write that the asking run does not know of.
    """
    own = write.under_its_own_key()
    keys = [write.call.key, own.call.key]
    with damage_named(connection, sa.or_(actions.c.key.in_(keys), actions.c.request_id == write.call.request_id)):
        known = connection.execute(_KNOWN, {**_others_of(write), "keys": keys}).mappings().all()
    rows = {each["key"]: _action(connection, each) for each in known if each["key"] in keys}
    taken = rows.get(write.call.key)
    found = Found(write, taken) if taken is None or taken.is_of(write.call) else Found(own, rows.get(own.call.key))
    if found.row is not None and found.row.state in (State.DONE, State.UNKNOWN):
        return found
    others = [each for each in known if each["other"]]
    _refuse_like(write.call, others)
    return Found(found.write, found.row, earlier=bool(others))


def refuse_like(connection: sa.Connection, write: Write) -> None:
    """Refuse a write that is like another of the same request id.

    Raises:
        KeyTaken: there is a like write of the request id that the asking run does not know of.
    """
    with damage_named(connection, actions.c.request_id == write.call.request_id):
        like = connection.execute(_LIKE, _others_of(write)).mappings().all()
    _refuse_like(write.call, like)


def _refuse_like(call: ToolCall, others: Sequence[sa.RowMapping]) -> None:
    like = next((each for each in others if each["like"]), None)
    if like is None:
        return
    whose = "by an earlier request of the same id; a new request needs an id of its own"
    if like["chain"] in ("", call.chain):
        whose = "before the request was reset" if call.past_run else "in a part of it that Temporal forgot"
    begun = f"{like['begun_at']:%Y-%m-%d %H:%M} UTC"
    raise KeyTaken(f"the same was done as {like['key']} at {begun}, or may have been, {whose}")


def known_to(request_id: str, chain: str, positions: tuple[str, ...]) -> dict[str, object]:
    """What `OTHERS` has to be given: the writes that a chain of runs has made."""
    usual = {f"{request_id}/{position.partition('~')[0]}" for position in positions}
    known = sorted(usual | {f"{key}~{chain}" for key in usual})
    return {"request_id": request_id, "chain": chain, "known": known}


def _others_of(write: Write) -> dict[str, object]:
    call = write.call
    known = known_to(call.request_id, call.chain, (*call.known, call.position))
    return {**known, "likeness": write.likeness}


# Made once: to build a statement takes longer than to run it.
OTHERS = sa.and_(
    actions.c.request_id == sa.bindparam("request_id"),
    actions.c.state != State.NOT_DONE,
    sa.or_(
        actions.c.key.not_in(sa.bindparam("known", expanding=True)),
        sa.and_(actions.c.chain != "", actions.c.chain != sa.bindparam("chain")),
    ),
)
"""Writes of a request id that are done, or may be, and are none of those that a chain of runs has made."""
_ALIKE = sa.and_(OTHERS, actions.c.likeness != "", actions.c.likeness == sa.bindparam("likeness"))
_LIKE = (
    sa.select(actions.c.key, actions.c.chain, actions.c.begun_at, sa.true().label("like"))
    .where(_ALIKE)
    .order_by(actions.c.begun_at)
    .limit(1)
)
_OF_KEYS = actions.c.key.in_(sa.bindparam("keys", expanding=True))
_KNOWN = (
    sa.select(actions, OTHERS.label("other"), _ALIKE.label("like"))
    .where(sa.or_(_OF_KEYS, OTHERS))
    .order_by(sa.case((_OF_KEYS, 0), (_ALIKE, 1), else_=2), actions.c.begun_at)
    .limit(3)
)
"""The rows of a write's own keys, and of the others of its request id that one which matters most."""


def begin(connection: sa.Connection, write: Write, seen: Action | None, begun: Mapping[str, object]) -> None:
    refuse_rehearsed(write.call)
    late = OutcomeUnknownRetryable(f"another attempt of {write.call.key} has begun meanwhile")
    one_at_a_time(connection, write)
    refuse_like(connection, write)
    if seen is not None:
        if not replace(connection, seen.key, seen.token, begun):
            raise late
        return
    try:
        insert(connection, {**columns_of(write), **begun})
    except IntegrityError:
        raise late from None


def one_at_a_time(connection: sa.Connection, write: Write) -> None:
    """Of the writes of one request id; a file has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        lock = sa.func.pg_advisory_xact_lock(sa.func.hashtext(write.call.request_id))
        connection.execute(sa.select(lock))


def actions_of(
    connection: sa.Connection, query: sa.Select[tuple[object, ...]], damaged: list[DamagedRow] | None = None
) -> list[Action]:
    """Rows; those that are damaged are added to `damaged`.

    Raises:
        DamagedRow: one is, and there is no such list.
    """
    try:
        return [_action(connection, row) for row in connection.execute(query).mappings()]
    except (*UNREADABLE, DamagedRow):
        keys = connection.execute(query.with_only_columns(actions.c.key)).scalars().all()
    found = list[Action]()
    for key in keys:
        which = actions.c.key == key
        try:
            with damage_named(connection, which):
                row = connection.execute(query.where(which).limit(None).offset(None)).mappings().one_or_none()
            found += [_action(connection, row)] if row else []
        except DamagedRow as error:
            if damaged is None:
                raise
            damaged.append(error)
    return found


def row_of(connection: sa.Connection, key: str, *, lock: bool = False) -> Action | None:
    query = sa.select(actions).where(actions.c.key == key)
    # SQLite needs no FOR UPDATE: there, every transaction has the whole file to itself.
    with damage_named(connection, actions.c.key == key):
        row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return _action(connection, row) if row else None


def replace(connection: sa.Connection, key: str, token: str, news: Mapping[str, object]) -> bool:
    return update(connection, key, actions.c.token == token, news)


def update(connection: sa.Connection, key: str, if_so: sa.ColumnElement[bool], news: Mapping[str, object]) -> bool:
    values = encrypted(connection, key, news)
    return connection.execute(sa.update(actions).where(actions.c.key == key, if_so).values(**values)).rowcount == 1


def insert(connection: sa.Connection, values: Mapping[str, object]) -> None:
    connection.execute(sa.insert(actions).values(**encrypted(connection, str(values["key"]), values)))


def _action(connection: sa.Connection, row: sa.RowMapping) -> Action:
    try:
        return Action.model_validate(decrypted(connection, row))
    except ValidationError as invalid:
        first = invalid.errors()[0]
        raise DamagedRow(row["key"], str(first["loc"][0]), first["msg"]) from invalid


def columns_of(write: Write) -> dict[str, object]:
    call = write.call
    return {
        "key": call.key,
        "digest": call.digest,
        "tool": call.tool,
        "arguments": call.arguments,
        "request_id": call.request_id,
        "requester": call.requester,
        "chain": call.chain,
        "likeness": write.likeness,
    }
