"""The ledger: a table that knows every write before it happens and after.

    no row      nothing has happened
    begun       the act may be under way; whoever finds it so and did not begin it must take it for unknown
    done        it happened; the result is stored, and is what every later attempt returns
    not_done    it certainly did not happen; it may be begun again, by an attempt that has seen this
    unknown     it may have happened; a person settles it

A row is changed only by who holds its `token`, or has seen the token that it replaces. So an attempt that was frozen
and wakes up again cannot act on what another attempt, a reset run or a person has decided meanwhile.

A row belongs to a request by more than the request id, which may be used again: `chain` names the chain of Temporal
runs that the write was asked for in. A write is not begun where the ledger has a like one of the same request id that
the asking run does not know of: of an earlier request, of the run before a reset, of a future that Temporal forgot when
its database was restored.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Self

import sqlalchemy as sa
from pydantic import JsonValue

from activities.errors import AnotherLedger, ConfigurationError, NotOpen
from activities.ledger import of_requester, rows, settling
from activities.ledger.damage import DamagedRow
from activities.ledger.database import Database
from activities.ledger.engine import LEDGER_URL
from activities.ledger.late_ends import LateEnds
from activities.ledger.restores import Restores
from activities.ledger.rows import Action, Found, State, Write
from activities.ledger.spending import SpendingBook, take
from activities.ledger.tables import actions
from activities.ledger.tokens import new_token
from activities.ledger.upkeep import Upkeep
from activities.ledger.workers import WorkerLock, living
from activities.settings.ledger import DEFAULT_CONNECTIONS
from activities.stages import stage

if TYPE_CHECKING:
    from activities.encryption.key_ring import KeyRing

NEVER_REPORTED = "it was begun, and never reported on"


class Ledger:
    """Reads and writes the table. Every method is one transaction."""

    def __init__(self, database: Database, lock: WorkerLock | None = None) -> None:
        self._database = database
        self._lock = lock
        self.spending = SpendingBook(database)
        self.upkeep = Upkeep(database)
        self.restores = Restores(database)
        self.late_ends = LateEnds()

    @classmethod
    async def open(
        cls, url: str, *, create: bool = True, keys: "KeyRing | None" = None, connections: int = DEFAULT_CONNECTIONS
    ) -> Self:
        """Open the ledger at a URL.

        Args:
            url: as in ERRAND_LEDGER_URL.
            create: a worker makes the ledger where there is none. For a reader an empty one would look as if nothing
                had ever been done, so for it this is an error.
            keys: with which contents are encrypted and decrypted; without, they are in clear.
            connections: to PostgreSQL, at most; half of them to read.

        Raises:
            ConfigurationError: the database cannot be used; the message names ERRAND_LEDGER_URL and what is wrong.
        """
        database = await Database.open(url, create=create, keys=keys, connections=connections)
        try:
            return cls(database, WorkerLock.take(database.file) if create and database.file else None)
        except OSError as error:
            await database.aclose()
            raise ConfigurationError(f"{LEDGER_URL}: {database.place}.workers cannot be written: {error}") from error

    @property
    def identity(self) -> str:
        """Tells this ledger from any other; a copy of it has the same."""
        return self._database.identity

    @property
    def place(self) -> str:
        """The file, or host and database; without user and password."""
        return self._database.place

    def must_be(self, identity: str) -> None:
        """Refuse a ledger that is not the one of this identity.

        Args:
            identity: of the ledger in which a request's writes stand; empty where it has none yet.

        Raises:
            AnotherLedger: it is not this one.
        """
        if identity and identity != self.identity:
            raise AnotherLedger(
                f"the request's writes stand in ledger {identity}, and this worker's is {self.identity} at "
                f"{self.place}: {LEDGER_URL} has to name the same ledger for every worker"
            )

    async def aclose(self) -> None:
        await self.late_ends.aclose()
        await self._database.aclose()
        if self._lock:
            self._lock.release()

    async def find(self, key: str) -> Action | None:
        return await self._database.read(lambda connection: rows.row_of(connection, key))

    @stage("ledger look_up")
    async def look_up(self, write: Write) -> Found:
        """What is known of a write, before anything is done for it.

        Raises:
            KeyTaken: a like write stands there that the asking run does not know of.
            ServiceUnavailable: the ledger cannot be read.
        """
        return await self._database.read(lambda connection: rows.look_up(connection, write))

    async def is_under_way(self, write: Write) -> bool:
        """Whether the write has begun, not ended, and may still end by itself."""
        keys = [write.call.key, write.under_its_own_key().call.key]
        query = sa.select(actions).where(actions.c.key.in_(keys), actions.c.state == State.BEGUN, self._is_under_way())
        found = await self._database.read(lambda connection: rows.actions_of(connection, query))
        return any(row.is_of(write.call) for row in found)

    @stage("ledger begin")
    async def begin(self, write: Write, *, attempt: int, seen: Action | None, token: str | None = None) -> str:
        """Write down that the act is about to happen, and return the token that goes with it.

        Args:
            write: what is about to happen.
            attempt: the number of the activity's attempt.
            seen: the row as this attempt found it; None where there was none.
            token: by default a new one.

        Raises:
            OutcomeUnknownRetryable: another attempt has begun meanwhile.
            KeyTaken: a like write was begun meanwhile, by a run that the asking one does not know of.
            BudgetReached, LedgerRestored, ServiceUnavailable: it may not, or cannot be written; nothing has happened.
        """
        token = token or new_token(write.repeated_as)
        begun: dict[str, object] = {
            "state": State.BEGUN,
            "token": token,
            "attempt": attempt,
            "begun_at": self._database.now,
            "deadline": self._deadline(write),
            "worker": self._lock.name if self._lock else "",
            "finished_at": None,
            "error": None,
            "approved_by": write.call.approved_by,
            "resolved_by": None,
        }

        def begin(connection: sa.Connection) -> None:
            rows.begin(connection, write, seen, begun)
            if write.charges:
                take(connection, write.call.key, write.charges, over=write.call.over_budgets)

        await self.restores.begin(begin)
        return token

    @stage("ledger finish")
    async def finish(
        self, key: str, token: str, state: State, *, result: JsonValue = None, error: str | None = None
    ) -> bool:
        """Write down what became of the act; false where the row is no longer this attempt's to change."""
        news = {"state": state, "result": result, "error": error, "finished_at": self._database.now}
        return await self.restores.finish(key, token, news)

    async def give_up(self, write: Write, *, acted: Sequence[str] | None = None, doubt: str = "") -> Action:
        """Settle what a lost attempt left behind, and keep it from acting later.

        Where it had not begun, from now on it cannot; where it had, the action is `unknown`, unless it has finished.

        Args:
            write: what was to happen.
            acted: the tokens of attempts that acted, as Temporal knows; None where it knows of none. Where the ledger
                has no row of theirs, it has forgotten.
            doubt: why it may have happened all the same, where the ledger says that it did not.

        Raises:
            KeyTaken: what stands under the key is another action.
            ServiceUnavailable: the ledger cannot be written.
        """
        now = self._database.now
        return await self._database.write(
            lambda connection: settling.give_up(connection, write, acted=acted, doubt=doubt, now=now)
        )

    async def resolve(self, key: str, *, delivered: bool, by: str, even_if_under_way: bool = False) -> Action:
        """A person's word on an action whose end nobody knew.

        Raises:
            NotOpen: there is no such action, or it is known how it ended, or it may be under way at this moment.
        """
        news = {
            "state": State.DONE if delivered else State.NOT_DONE,
            "resolved_by": by,
            "error": None,
            "finished_at": self._database.now,
            # From here on an attempt that was frozen all the while holds a token that counts no longer.
            "token": new_token(),
        }
        is_open = sa.or_(
            actions.c.state == State.UNKNOWN,
            sa.and_(actions.c.state == State.BEGUN, sa.true() if even_if_under_way else ~self._is_under_way()),
        )

        def resolved(connection: sa.Connection) -> Action | None:
            rows.update(connection, key, is_open, news)
            return rows.row_of(connection, key)

        row = await self._database.write(resolved)
        if row is None or row.token != news["token"]:
            raise NotOpen(f"{key}: {self._why_not_open(row)}")
        return row

    async def search(
        self,
        *,
        request_id: str | None = None,
        requester: str | None = None,
        state: State | None = None,
        since: datetime | None = None,
        limit: int = 100,
        damaged: list[DamagedRow] | None = None,
    ) -> list[Action]:
        """Actions, the latest first. What was begun and cannot be under way any more is `unknown`.

        Args:
            request_id: of a request; of a cron's, with all its times.
            requester: whose requests.
            state: the only one to be found.
            since: when the oldest was begun.
            limit: how many at most.
            damaged: is given those that cannot be read; without it, the first of them is raised.
        """
        lost = sa.and_(actions.c.state == State.BEGUN, ~self._is_under_way())
        shown = sa.case((lost, State.UNKNOWN), else_=actions.c.state)
        columns = [each for each in actions.c if each not in (actions.c.state, actions.c.error)]
        error = sa.case((lost, NEVER_REPORTED), else_=actions.c.error)
        query = sa.select(*columns, shown.label("state"), error.label("error"))
        query = query.order_by(actions.c.begun_at.desc(), actions.c.key)
        if request_id:
            times = actions.c.request_id.startswith(f"{request_id}@", autoescape=True)
            query = query.where(sa.or_(actions.c.request_id == request_id, times))
        query = query if requester is None else query.where(of_requester.may_be_of(requester))
        query = query.where(shown == state) if state else query
        query = query.where(actions.c.begun_at >= since) if since else query
        return await self._database.read(
            lambda connection: of_requester.listed(connection, query, requester, limit, damaged)
        )

    async def recall(
        self, request_id: str, chain: str, positions: tuple[str, ...], limit: int
    ) -> tuple[list[Action], int]:
        """The writes of a request id that are done, or may be, and are not known: the latest ones, and how many more.

        Args:
            request_id: whose.
            chain: of the runs that ask.
            positions: of the writes that they know.
            limit: how many at most are returned.
        """
        known = rows.known_to(request_id, chain, positions)
        query = sa.select(actions).where(rows.OTHERS).params(known)
        query = query.order_by(actions.c.begun_at.desc(), actions.c.key).limit(limit)
        count = sa.select(sa.func.count()).select_from(actions).where(rows.OTHERS).params(known)

        def recalled(connection: sa.Connection) -> tuple[list[Action], int]:
            found = rows.actions_of(connection, query)
            return found, connection.execute(count).scalar_one() - len(found)

        return await self._database.read(recalled)

    def _deadline(self, write: Write) -> sa.ColumnElement[datetime] | None:
        """When the act has ended, by PostgreSQL's clock. With a file, the lock of the worker says it better."""
        return None if self._database.file else sa.func.now() + sa.literal(write.longest, sa.Interval)

    def _is_under_way(self) -> sa.ColumnElement[bool]:
        """Whether an act that has begun may not have ended: its worker lives; on PostgreSQL, its time is not over."""
        if self._database.file:
            return actions.c.worker.in_(living(self._database.file))
        return sa.func.coalesce(actions.c.deadline > sa.func.now(), sa.false())

    def _why_not_open(self, row: Action | None) -> str:
        if row is None:
            return "there is no such action"
        if row.state is State.BEGUN:
            ends = "when its worker has ended" if self._database.file else "when its tool's time is over"
            return f"it may be under way; settle it {ends}, or before with --even-if-under-way"
        return f"it is {row.state} already"
