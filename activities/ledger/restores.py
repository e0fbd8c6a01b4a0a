"""Noticing that a copy of before was put back: of the ledger, or of Temporal's database.

A write that is done stays done, under the same token, for as long as its row is kept. So whoever remembers one such row
knows a ledger that is older than that. Two do: every worker the last one that it has finished, which it looks for
whenever it begins another; and Temporal the newest one of all, the *mark*, as of a few seconds ago. The ledger in turn
remembers the number of the newest mark that Temporal has confirmed, and so knows a Temporal that is older.

What is noticed is written down in the ledger, and no worker begins a write until an operator has settled it.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError

from activities.errors import LedgerRestored
from activities.ledger import rows, settling
from activities.ledger.database import Database
from activities.ledger.rows import State, Write
from activities.ledger.tables import actions, marks, restores
from workflows.contract.ledger import LedgerMark

log = structlog.stdlib.get_logger(__name__)

WHAT_TO_DO = "writes wait until an operator has run: client.py ledger recover (docs/operations.md, Backup and restore)"
KEPT = timedelta(days=30)
"""The age from which `ledger prune` may remove rows, and their absence says nothing."""
MARKS_APART = 1
"""The ledger is told that Temporal has heard a mark after it has; so of the two, Temporal's is never the older one, but
for a heartbeat that came late."""

Older = Literal["ledger", "temporal"]


@dataclass(frozen=True)
class Restore:
    """One that was noticed."""

    number: int
    older: Older
    noticed_at: datetime
    message: str


@dataclass(frozen=True)
class _LastDone:
    """By this worker. What was settled since it was remembered is no reason to stop once more."""

    key: str
    token: str
    at: datetime
    settled_at: datetime | None

    def is_missing(self, token: str | None, settled_at: datetime | None) -> bool:
        """Whether it is missing where its row has this token, or there is none."""
        return token != self.token and settled_at == self.settled_at and datetime.now(UTC) - self.at < KEPT


class Restores:
    """Of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last: _LastDone | None = None
        self._settled_at: datetime | None = None
        self._held = ""

    async def begin(self, transaction: Callable[[sa.Connection], None]) -> None:
        """Run a transaction that begins a write, where writes may go on.

        Raises:
            LedgerRestored: they may not; nothing has happened.
        """
        missing: list[str] = []

        def guarded(connection: sa.Connection) -> None:
            if lost := self._look(connection):
                missing.append(lost)
            else:
                transaction(connection)

        await self._database.write(guarded)
        if missing:
            raise _held(await self.miss(missing[0]))

    async def must_not_be_held(self) -> None:
        """Ask the ledger, where writes were held when it was last asked: before anything is prepared in vain.

        Raises:
            LedgerRestored: they still are.
        """
        if self._held and (found := await self.unsettled()):
            raise _held(found.message)
        self._held = ""

    async def finish(self, key: str, token: str, news: Mapping[str, object]) -> bool:
        """Write down how a write ended; false where the row is no longer this attempt's to change.

        A worker misses the row of the last write that it has finished, wherever it is lost.
        """

        def finish(connection: sa.Connection) -> tuple[bool, bool]:
            finished = rows.replace(connection, key, token, news)
            return finished, finished or rows.row_of(connection, key) is not None

        finished, is_there = await self._database.write(finish)
        if not is_there:
            await self.miss(key)
        elif finished and news["state"] is State.DONE:
            self._last = _LastDone(key, token, datetime.now(UTC), self._settled_at)
        return finished

    async def miss(self, key: str) -> str:
        """Hold all writes, because a row that this worker has written is not there any more; returns why."""
        self._last = None
        message = f"the ledger has lost {key}, which this worker has written: an older copy of it was put in its place"
        return await self._hold("ledger", message)

    async def compare(self, mark: LedgerMark | None) -> None:
        """Hold all writes where Temporal's newest mark and the ledger do not belong together."""
        if mark and (found := await self.difference(mark)):
            older, message = found
            await self._hold(older, message, mark.number)

    async def difference(self, mark: LedgerMark) -> tuple[Older, str] | None:
        """Which of Temporal and the ledger is an older copy, and how that shows; None where they belong together."""

        def read(connection: sa.Connection) -> tuple[int, int, str | None]:
            settled = connection.execute(
                sa.select(sa.func.max(restores.c.number)).where(restores.c.settled_at.is_not(None))
            ).scalar_one()
            token = connection.execute(_DONE, {"key": mark.key}).scalar_one_or_none()
            return _told(connection, mark.namespace), settled or 0, token

        told, settled, token = await self._database.read(read)
        if mark.number <= settled:
            return None
        since = mark.done_at or datetime.now(UTC)
        if mark.key and hashed(token) != mark.token and since > datetime.now(UTC) - KEPT:
            known = f"Temporal knows {mark.key}, done at {since:%Y-%m-%d %H:%M:%S} UTC"
            return "ledger", f"{known}, and the ledger does not: the ledger is an older copy"
        if mark.number + MARKS_APART < told:
            known = f"Temporal knows the ledger's mark {mark.number}, and had known {told}"
            return "temporal", f"{known}: Temporal's database is an older copy"
        return None

    async def next_mark(self, before: LedgerMark | None, *, namespace: str) -> LedgerMark | None:
        """The newest mark, for one of Temporal's namespaces; the one before where it is the same. None while writes are
        held."""

        def read(connection: sa.Connection) -> LedgerMark | None:
            if _unsettled(connection):
                return None
            newest = connection.execute(_NEWEST_DONE).one_or_none()
            key, token, at = (newest.key, hashed(newest.token), newest.finished_at) if newest else ("", "", None)
            settled = connection.execute(sa.select(sa.func.max(restores.c.number))).scalar_one() or 0
            if before and (before.key, before.token) == (key, token) and before.number > settled:
                return before
            number = max(_told(connection, namespace), settled, before.number if before else 0) + 1
            return LedgerMark(number=number, namespace=namespace, key=key, token=token, done_at=at)

        return await self._database.read(read)

    async def confirmed(self, mark: LedgerMark) -> None:
        """Write down that Temporal has heard a mark."""

        def write(connection: sa.Connection) -> None:
            here = marks.c.namespace == mark.namespace
            if _told(connection, mark.namespace):
                newer = sa.update(marks).where(here, marks.c.number < mark.number)
                connection.execute(newer.values(number=mark.number))
            else:
                connection.execute(sa.insert(marks).values(namespace=mark.namespace, number=mark.number))

        await self._database.write(write)

    async def unsettled(self) -> Restore | None:
        """The restore for which writes wait, if there is one."""

        def read(connection: sa.Connection) -> Restore | None:
            # A ledger on which no worker of this version has been has no such table.
            return _unsettled(connection) if sa.inspect(connection).has_table(restores.name) else None

        return await self._database.read(read)

    async def put_back(self, write: Write, state: State, *, only_look: bool = False, **known: object) -> bool:
        """Put a row back that was lost, as Temporal's history tells of it; false where the ledger knows as much."""
        return await self._database.write(
            lambda connection: settling.put_back(connection, write, state, known, only_look=only_look)
        )

    async def settle(self, by: str) -> None:
        """Let writes go on."""
        settled = {"settled_at": self._database.now, "settled_by": by}
        query = sa.update(restores).where(restores.c.settled_at.is_(None)).values(settled)
        await self._database.write(lambda connection: connection.execute(query))

    def _look(self, connection: sa.Connection) -> str:
        """The key of a row that this worker misses; empty if none.

        Raises:
            LedgerRestored: writes are held.
        """
        last = self._last
        found = connection.execute(_STATE, {"key": last.key if last else ""}).one()
        self._settled_at = found.settled_at
        if found.held:
            self._last, self._held = None, found.held
            raise _held(found.held)
        return last.key if last and last.is_missing(found.token, found.settled_at) else ""

    async def _hold(self, older: Older, message: str, number: int = 0) -> str:
        """Write down what was noticed; what was noticed before stands.

        Args:
            older: which of the two is a copy of before.
            message: how that shows.
            number: of the mark that it was noticed by, if it was by one.
        """

        def write(connection: sa.Connection) -> str:
            if held := _unsettled(connection):
                return held.message
            newest = connection.execute(sa.select(sa.func.max(restores.c.number))).scalar_one() or 0
            if 0 < number <= newest:  # settled since it was compared
                return ""
            row = {"older": older, "noticed_at": self._database.now, "message": message}
            told = connection.execute(sa.select(sa.func.max(marks.c.number))).scalar_one() or 0
            at = max(number, told, newest + 1)
            connection.execute(sa.insert(restores).values(number=at, **row))
            log.error(f"{message}; {WHAT_TO_DO}")
            return message

        try:
            self._held = await self._database.write(write)
        except IntegrityError:  # another worker has noticed it at the same moment
            self._held = message
        return self._held


def hashed(token: str | None) -> str:
    """What Temporal keeps of a token, which is its holder's alone while the act goes on."""
    return hashlib.sha256(token.encode()).hexdigest()[:16] if token else ""


def _held(message: str) -> LedgerRestored:
    return LedgerRestored(f"{message}; {WHAT_TO_DO}")


def _unsettled(connection: sa.Connection) -> Restore | None:
    columns = (restores.c.number, restores.c.older, restores.c.noticed_at, restores.c.message)
    query = sa.select(*columns).where(restores.c.settled_at.is_(None)).order_by(restores.c.number).limit(1)
    row = connection.execute(query).one_or_none()
    return Restore(row.number, row.older, row.noticed_at, row.message) if row else None


def _told(connection: sa.Connection, namespace: str) -> int:
    query = sa.select(marks.c.number).where(marks.c.namespace == namespace)
    return connection.execute(query).scalar_one_or_none() or 0


_DONE = sa.select(actions.c.token).where(actions.c.key == sa.bindparam("key"), actions.c.state == State.DONE)
_NEWEST_DONE = (
    sa.select(actions.c.key, actions.c.token, actions.c.finished_at)
    .where(actions.c.state == State.DONE)
    .order_by(actions.c.begun_at.desc())
    .limit(1)
)
_STATE = sa.select(
    sa.select(restores.c.message).where(restores.c.settled_at.is_(None)).limit(1).scalar_subquery().label("held"),
    sa.select(sa.func.max(restores.c.settled_at)).scalar_subquery().label("settled_at"),
    _DONE.scalar_subquery().label("token"),
)
