"""What has been taken of the policy's budgets, in a table beside the writes'.

A write takes its share in the transaction that begins its row, and the row says what becomes of it:

    begun             reserved
    done, unknown     used
    not_done          given back: also where a person settles it so later

A model call takes the most that it may cost, and is settled with what it has cost. One of which nothing is heard any
more keeps the most. A share belongs to the period in which it was taken, by PostgreSQL's clock, or with a file by the
machine's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from activities.budgets import Budget, Charge, amount_text
from activities.errors import BudgetReached
from activities.ledger.database import Database
from activities.ledger.rows import State
from activities.ledger.tables import actions, spending

BUDGET_LOCK = 0x42756467
"""The first half of PostgreSQL's advisory locks of budgets; the second is the budget's."""


@dataclass(frozen=True)
class Standing:
    """Of one budget in one period. Amounts are in millionths."""

    budget: Budget
    used: int
    reserved: int
    since: datetime
    free_at: datetime
    """When the next period begins."""

    @property
    def left(self) -> int:
        return max(0, self.budget.limit - self.used - self.reserved)

    def allows(self, amount: int) -> bool:
        return self.used + self.reserved + amount <= self.budget.limit

    def refusal(self, amount: int, planned: int = 0) -> str:
        """Whose budget, what is left, and when it will be free again.

        Args:
            amount: of what is refused.
            planned: what the writes before it in a plan take, of which nothing is taken yet.
        """
        under_way = f", {amount_text(self.reserved)} of it under way" if self.reserved else ""
        taken = f"{amount_text(self.used + self.reserved)} is taken{under_way}; {amount_text(self.left)} is left"
        if planned:
            taken += f"; the writes before this one in the plan take {amount_text(planned)}"
        most = "up to " if self.budget.cost is not None else ""
        wanted = "" if self.budget.most is not None else f", and this takes {most}{amount_text(amount)}"
        again = f"it is free again at {self.free_at:%Y-%m-%d %H:%M} UTC"
        if planned + amount > self.budget.limit:
            again = "that is more than all of it"
        return f"the budget of {self.budget} is reached: {taken}{wanted}; {again}"


class SpendingBook:
    """Reads and writes the table. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, key: str, charges: Sequence[Charge]) -> None:
        """Take the most that a model call may cost.

        Args:
            key: of this one call, and of none before it.
            charges: one for each budget that it is held to.

        Raises:
            BudgetReached: it does not fit into one of them; nothing is taken.
            ServiceUnavailable: the ledger cannot be written.
        """
        await self._database.write(lambda connection: take(connection, key, charges, settled=False))

    async def settle(self, key: str, amount: int) -> None:
        """Write down what a model call has cost.

        Raises:
            ServiceUnavailable: the ledger cannot be written; the most is kept.
        """
        query = sa.update(spending).where(spending.c.key == key).values(amount=amount, settled=True)
        await self._database.write(lambda connection: connection.execute(query))

    async def standings(self, budgets: Sequence[Budget]) -> list[Standing]:
        """How the budgets stand now.

        Raises:
            ServiceUnavailable: the ledger cannot be read.
        """

        def read(connection: sa.Connection) -> list[Standing]:
            now = _now(connection)
            if not sa.inspect(connection).has_table(spending.name):  # no worker that knows of budgets has been here
                return [Standing(budget, 0, 0, *budget.period(now)) for budget in budgets]
            return [_standing(connection, budget, now) for budget in budgets]

        return await self._database.read(read)


def take(
    connection: sa.Connection,
    key: str,
    charges: Sequence[Charge],
    *,
    over: Iterable[str] = (),
    settled: bool | None = None,
) -> None:
    """Take a share of each budget, or of none.

    Args:
        connection: in a transaction that writes.
        key: of the write's row, or of the model call.
        charges: one for each budget.
        over: ids of budgets over which a person has said yes.
        settled: of a model call, whether its cost is known; of a write None.

    Raises:
        BudgetReached: one of them is reached. Where a person may be asked about all that are, it says so.
    """
    _one_at_a_time(connection, charges)
    now = _now(connection)
    connection.execute(sa.delete(spending).where(spending.c.key == key))  # of an attempt that certainly did nothing
    standings = [(_standing(connection, charge.budget, now), charge) for charge in charges]
    reached = [
        (standing, charge)
        for standing, charge in standings
        if not standing.allows(charge.amount) and not (charge.budget.then == "ask" and charge.budget.id in over)
    ]
    if reached:
        may_ask = all(charge.budget.then == "ask" for _, charge in reached)
        raise BudgetReached(
            "; ".join(standing.refusal(charge.amount) for standing, charge in reached),
            ask=[charge.budget.id for _, charge in reached] if may_ask else [],
        )
    connection.execute(sa.insert(spending), [_row(key, charge, now, settled) for charge in charges])


def _row(key: str, charge: Charge, now: datetime, settled: bool | None) -> Mapping[str, object]:
    return {"budget": charge.budget.id, "key": key, "taken_at": now, "amount": charge.amount, "settled": settled}


def _one_at_a_time(connection: sa.Connection, charges: Iterable[Charge]) -> None:
    """Of what is taken from one budget; in one order, so that nobody waits for each other."""
    if connection.dialect.name == "postgresql":
        for lock in sorted({int(charge.budget.id[:7], 16) for charge in charges}):
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(BUDGET_LOCK, lock)))


def _now(connection: sa.Connection) -> datetime:
    """By the clock that all workers share; after waiting for one's turn."""
    if connection.dialect.name == "postgresql":
        return connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return datetime.now(UTC)


def _standing(connection: sa.Connection, budget: Budget, now: datetime) -> Standing:
    since, until = budget.period(now)
    row = connection.execute(_TAKEN, {"budget": budget.id, "since": since, "until": until}).one()
    return Standing(budget, int(row.used), int(row.reserved), since, until)


_RESERVED = sa.or_(actions.c.state == State.BEGUN, spending.c.settled.is_(sa.false()))
_TAKEN = (
    sa.select(
        sa.func.coalesce(sa.func.sum(sa.case((_RESERVED, 0), else_=spending.c.amount)), 0).label("used"),
        sa.func.coalesce(sa.func.sum(sa.case((_RESERVED, spending.c.amount), else_=0)), 0).label("reserved"),
    )
    .select_from(spending.outerjoin(actions, actions.c.key == spending.c.key))
    .where(
        spending.c.budget == sa.bindparam("budget"),
        spending.c.taken_at >= sa.bindparam("since"),
        spending.c.taken_at < sa.bindparam("until"),
        sa.or_(actions.c.state.is_(None), actions.c.state != State.NOT_DONE),
    )
)
"""What is used and reserved of a budget in a period."""
