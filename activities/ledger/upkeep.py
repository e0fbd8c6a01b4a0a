"""What an operator does with a ledger: look whether it can be used, write its rows out, remove old ones."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import sqlalchemy as sa

from activities.budgets import LONGEST_PERIOD
from activities.errors import ServiceUnavailable
from activities.ledger import migrations, rows
from activities.ledger.damage import DamagedRow
from activities.ledger.database import Database
from activities.ledger.rows import Action, State
from activities.ledger.tables import actions, spending
from activities.ledger.trial import LEAST, room_beside, try_to_write

AT_ONCE = 500
"""Rows of one transaction: others that write wait no longer than that takes."""
A_TIME = "____-__-__ __:__:__%"
"""As SQLite keeps it, for LIKE."""
SETTLED = (State.DONE, State.NOT_DONE)


class Upkeep:
    """Of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check_writable(self) -> None:
        """Do what a write needs, and leave nothing behind.

        Raises:
            ServiceUnavailable: the ledger cannot be written.
        """
        await self._database.write(try_to_write)
        file = self._database.file
        if file and (room := room_beside(file)) is not None and room < LEAST:
            raise ServiceUnavailable(f"the disk of the ledger {self._database.place} is full: {room} bytes are free")

    async def clock(self) -> datetime:
        """What time it is for the ledger: by PostgreSQL's clock, or this machine's where the ledger is a file."""
        if self._database.file:
            return datetime.now(UTC)
        return await self._database.read(lambda connection: connection.execute(sa.select(sa.func.now())).scalar_one())

    async def downgrade(self, *, forget_budgets: bool = False) -> int:
        """Take the ledger back by one version of its schema, for workers of the version before the last.

        Args:
            forget_budgets: whether what budgets count now may be lost.

        Returns:
            The version that it is of now.

        Raises:
            ConfigurationError: workers use it, or something would be lost that is needed.
            ServiceUnavailable: the ledger cannot be written.
        """
        return await self._database.write(
            lambda connection: migrations.downgrade(connection, file=self._database.file, forget_budgets=forget_budgets)
        )

    async def count_settled(self, before: datetime) -> int:
        """How many rows `remove_settled` would remove."""
        count = sa.select(sa.func.count()).select_from(actions).where(_settled(before))
        return await self._database.read(lambda connection: connection.execute(count).scalar_one())

    async def remove_settled(self, before: datetime) -> int:
        """Remove the rows of acts that had begun and ended before a moment, and of which it is known how they ended.

        What was taken of budgets in periods that were over by then goes with them.

        Returns:
            How many acts there were.
        """
        some = sa.select(actions.c.key).where(_settled(before)).order_by(actions.c.begun_at).limit(AT_ONCE)
        # The condition again: what is begun anew meanwhile stays.
        query = sa.delete(actions).where(actions.c.key.in_(some.scalar_subquery()), _settled(before))
        counts = await self._database.read(lambda connection: sa.inspect(connection).has_table(spending.name))
        if counts:
            await self._remove(_given_back(before))
            await self._remove(_of_past_periods(before))
        return await self._remove(query)

    async def _remove(self, some: sa.Delete) -> int:
        """Repeat a deletion of up to AT_ONCE rows until there are no more."""
        removed, last = 0, AT_ONCE
        while last == AT_ONCE:
            last = await self._database.write(lambda connection: connection.execute(some).rowcount)
            removed += last
        return removed

    async def changed_since(self, since: datetime | None) -> AsyncGenerator[Action]:
        """Rows that were begun or ended since a moment, or all; those that were begun first come first."""
        changed = sa.or_(actions.c.begun_at >= since, actions.c.finished_at >= since) if since else sa.true()
        query = sa.select(actions).where(changed).order_by(actions.c.begun_at, actions.c.key).limit(AT_ONCE)
        page = query
        while found := await self._page(page):
            for row in found:
                yield row
            last = found[-1]
            later = sa.and_(actions.c.begun_at == last.begun_at, actions.c.key > last.key)
            page = query.where(sa.or_(actions.c.begun_at > last.begun_at, later))

    async def between(
        self, since: datetime | None, until: datetime, damaged: list[DamagedRow] | None = None
    ) -> list[Action]:
        """Actions that were begun in this time, as they stand in the table, the earliest first.

        Args:
            since: when the first was begun; None for all.
            until: when the last was begun.
            damaged: is given those that cannot be read; without it, the first of them is raised.
        """
        in_time = actions.c.begun_at.between(since, until) if since else actions.c.begun_at <= until
        if self._database.file:  # where a time may be any text, and would not be in any time
            in_time = sa.or_(in_time, ~sa.cast(actions.c.begun_at, sa.Text).like(A_TIME))
        query = sa.select(actions).where(in_time).order_by(actions.c.begun_at, actions.c.key)
        return await self._page(query, damaged)

    async def _page(
        self, query: sa.Select[tuple[object, ...]], damaged: list[DamagedRow] | None = None
    ) -> list[Action]:
        return await self._database.read(lambda connection: rows.actions_of(connection, query, damaged))


def _given_back(before: datetime) -> sa.Delete:
    """Shares of writes that did not happen: without their rows, they would count again."""
    not_done = sa.select(actions.c.key).where(_settled(before), actions.c.state == State.NOT_DONE)
    return _some_of(spending.c.key.in_(not_done))


def _of_past_periods(before: datetime) -> sa.Delete:
    """Shares of periods that are over, but of writes that are open."""
    is_open = sa.exists().where(actions.c.key == spending.c.key, actions.c.state.not_in(SETTLED))
    return _some_of(sa.and_(spending.c.taken_at < before - LONGEST_PERIOD, ~is_open))


def _some_of(which: sa.ColumnElement[bool]) -> sa.Delete:
    row = sa.tuple_(spending.c.budget, spending.c.key)
    some = sa.select(spending.c.budget, spending.c.key).where(which).limit(AT_ONCE)
    return sa.delete(spending).where(row.in_(some))


def _settled(before: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        actions.c.state.in_(SETTLED),
        actions.c.begun_at < before,
        sa.or_(actions.c.finished_at.is_(None), actions.c.finished_at < before),
    )
