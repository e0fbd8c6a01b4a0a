"""The ledger: a table that knows every write before it happens and after.

    no row      nothing has happened
    begun       the act may be under way; whoever finds it so and did not begin it must take it for unknown
    done        it happened; the result is stored, and is what every later attempt returns
    not_done    it certainly did not happen; it may be begun again, by an attempt that has seen this
    unknown     it may have happened; a person settles it

A row is changed only by who holds its `token`, or has seen the token that it replaces. So an attempt that was frozen
and wakes up again cannot act on what another attempt, a reset run or a person has decided meanwhile.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy.exc import IntegrityError

from activities.errors import KeyTaken, NotOpen, UnknownYet
from activities.ledger_database import Database, actions
from workflows.contract import Arguments, ToolCall

LONGEST_ACT = timedelta(minutes=15)
"""After which an attempt that has begun is not under way any more: send_email's time limit."""


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

    def must_be(self, call: ToolCall) -> None:
        """
        Raises:
            KeyTaken: the row is of another action than the call.
        """
        if self.digest != call.digest:
            raise KeyTaken(f"{call.key} stands in the ledger with another tool or other arguments")


class Ledger:
    """Reads and writes the table. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, url: str, *, create: bool = True) -> Self:
        """
        Args:
            url: as in ERRAND_LEDGER_URL.
            create: a worker makes the ledger where there is none. For a reader an empty one would look as if nothing
                had ever been done, so for it this is an error.

        Raises:
            ConfigurationError: the database cannot be used; the message names ERRAND_LEDGER_URL and what is wrong.
        """
        return cls(await Database.open(url, create=create))

    async def aclose(self) -> None:
        await self._database.aclose()

    async def find(self, key: str) -> Action | None:
        return await self._database.read(lambda connection: _row(connection, key))

    async def begin(self, call: ToolCall, *, attempt: int, seen: Action | None) -> str:
        """Write down that the act is about to happen, and return the token that goes with it.

        Args:
            call: the call.
            attempt: the number of the activity's attempt.
            seen: the row as this attempt found it; None where there was none.

        Raises:
            UnknownYet: another attempt has begun meanwhile.
            ServiceUnavailable: the ledger cannot be written; nothing has happened.
        """
        token = secrets.token_hex(16)
        begun: dict[str, object] = {
            "state": State.BEGUN,
            "token": token,
            "attempt": attempt,
            "begun_at": datetime.now(UTC),
            "finished_at": None,
            "error": None,
            "approved_by": call.approved_by,
            "resolved_by": None,
        }
        await self._database.write(lambda connection: _begin(connection, call, seen, begun))
        return token

    async def finish(
        self, key: str, token: str, state: State, *, result: JsonValue = None, error: str | None = None
    ) -> bool:
        """Write down what became of the act; false where the row is no longer this attempt's to change."""
        news = {"state": state, "result": result, "error": error, "finished_at": datetime.now(UTC)}
        return await self._database.write(lambda connection: _replace(connection, key, token, news))

    async def give_up(self, call: ToolCall) -> Action:
        """Settle what a lost attempt left behind, and keep it from acting later.

        Where it had not begun, from now on it cannot; where it had, the action is `unknown`, unless it has finished.

        Raises:
            KeyTaken: what stands under the key is another action.
            ServiceUnavailable: the ledger cannot be written.
        """
        return await self._database.write(lambda connection: _give_up(connection, call))

    async def resolve(self, key: str, *, delivered: bool, by: str, even_if_under_way: bool = False) -> Action:
        """A person's word on an action whose end nobody knew.

        Raises:
            NotOpen: there is no such action, or it is known how it ended, or it may be under way at this moment.
        """
        news = {
            "state": State.DONE if delivered else State.NOT_DONE,
            "resolved_by": by,
            "error": None,
            "finished_at": datetime.now(UTC),
            # From here on an attempt that was frozen all the while holds a token that counts no longer.
            "token": secrets.token_hex(16),
        }
        latest = datetime.now(UTC) - (timedelta(0) if even_if_under_way else LONGEST_ACT)
        is_open = sa.or_(
            actions.c.state == State.UNKNOWN, sa.and_(actions.c.state == State.BEGUN, actions.c.begun_at <= latest)
        )

        def resolved(connection: sa.Connection) -> Action | None:
            connection.execute(sa.update(actions).where(actions.c.key == key, is_open).values(**news))
            return _row(connection, key)

        row = await self._database.write(resolved)
        if row is None or row.token != news["token"]:
            raise NotOpen(f"{key}: {_why_not_open(row)}")
        return row

    async def search(
        self,
        *,
        request_id: str | None = None,
        state: State | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> list[Action]:
        """Actions, the latest first."""
        query = sa.select(actions).order_by(actions.c.begun_at.desc(), actions.c.key).limit(limit)
        if request_id:
            query = query.where(actions.c.request_id == request_id)
        if state:
            query = query.where(actions.c.state == state)
        if since:
            query = query.where(actions.c.begun_at >= since)
        return await self._database.read(
            lambda connection: [Action.model_validate(row) for row in connection.execute(query).mappings()]
        )


def _begin(connection: sa.Connection, call: ToolCall, seen: Action | None, begun: Mapping[str, object]) -> None:
    late = UnknownYet(f"another attempt of {call.key} has begun meanwhile")
    if seen is not None:
        if not _replace(connection, seen.key, seen.token, begun):
            raise late
        return
    try:
        connection.execute(sa.insert(actions).values(**_identity(call), **begun))
    except IntegrityError:
        raise late from None


def _give_up(connection: sa.Connection, call: ToolCall) -> Action:
    lost = {
        "state": State.NOT_DONE,
        "token": secrets.token_hex(16),
        "attempt": 0,
        "begun_at": datetime.now(UTC),
        "approved_by": call.approved_by,
        "error": "no attempt got as far as to begin",
    }
    found = _row(connection, call.key, lock=True)
    if found is None:
        connection.execute(sa.insert(actions).values(**_identity(call), **lost))
        return Action.model_validate({**_identity(call), **lost})
    found.must_be(call)
    news: dict[str, object] = {}
    if found.state is State.BEGUN:
        news = {"state": State.UNKNOWN}
    elif found.state is State.NOT_DONE:  # an attempt that is lost may have seen the token and not begun yet
        news = {"token": lost["token"]}
    if news:
        _replace(connection, call.key, found.token, news)
    return found.model_copy(update=news)


def _why_not_open(row: Action | None) -> str:
    if row is None:
        return "there is no such action"
    if row.state is State.BEGUN:
        until = row.begun_at + LONGEST_ACT
        return f"it may be under way; settle it after {until:%H:%M:%S} UTC, or before with --even-if-under-way"
    return f"it is {row.state} already"


def _row(connection: sa.Connection, key: str, *, lock: bool = False) -> Action | None:
    query = sa.select(actions).where(actions.c.key == key)
    # SQLite needs no FOR UPDATE: there, every transaction has the whole file to itself.
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return Action.model_validate(row) if row else None


def _replace(connection: sa.Connection, key: str, token: str, news: Mapping[str, object]) -> bool:
    changed = connection.execute(
        sa.update(actions).where(actions.c.key == key, actions.c.token == token).values(**news)
    )
    return changed.rowcount == 1


def _identity(call: ToolCall) -> dict[str, object]:
    return {
        "key": call.key,
        "digest": call.digest,
        "tool": call.tool,
        "arguments": call.arguments,
        "request_id": call.request_id,
        "requester": call.requester,
    }
