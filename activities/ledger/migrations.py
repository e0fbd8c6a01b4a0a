"""The ledger's schema: made where there is none, brought up to date where an older worker made it, taken back by one
version.

A version only adds tables, and columns that may be empty or have a default. So workers of the version before work on it
as it is: they run beside the new ones while these take over, and are what one goes back to. To take a version back is
for those of the version before that.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from activities.budgets import LONGEST_PERIOD
from activities.errors import ConfigurationError
from activities.ledger.engine import WORKER
from activities.ledger.rows import State
from activities.ledger.tables import (
    SCHEMA_VERSION,
    UtcDateTime,
    actions,
    marks,
    metadata,
    new_identity,
    restores,
    schema,
    spending,
    version_of,
)
from activities.ledger.workers import living

if TYPE_CHECKING:
    from pathlib import Path

    from alembic.operations import Operations

NEWEST_TO_WORK_ON = SCHEMA_VERSION + 1
SCHEMA_LOCK = 0x45727261
"""An advisory lock of PostgreSQL, so that of several workers that start at once only one creates the tables."""


def prepare(connection: sa.Connection) -> bool:
    """Make the tables, or bring them up to date.

    Returns:
        Whether the ledger is new.

    Raises:
        ConfigurationError: a worker has made it that is newer by more than one version.
    """
    _one_at_a_time(connection)
    version = version_of(connection) if sa.inspect(connection).has_table(schema.name) else None
    if version is None:
        metadata.create_all(connection)
        connection.execute(sa.insert(schema).values(version=SCHEMA_VERSION, identity=new_identity()))
    elif version < SCHEMA_VERSION:
        upgrade(connection, version)
    check_version(connection)
    return version is None


def check_version(connection: sa.Connection) -> None:
    """Refuse a ledger whose tables are more than one version newer than this code.

    Raises:
        ConfigurationError: they are.
    """
    version = version_of(connection)
    if version is not None and version > NEWEST_TO_WORK_ON:
        raise ConfigurationError(
            f"ERRAND_LEDGER_URL: the ledger is of version {version}, which is newer than this worker knows "
            f"({SCHEMA_VERSION}, and works on {NEWEST_TO_WORK_ON}); start a newer worker"
        )


def upgrade(connection: sa.Connection, version: int, to: int = SCHEMA_VERSION) -> None:
    """Bring the tables from one version to a later one; all rows stay."""
    op = _operations(connection)
    for each in range(version + 1, to + 1):
        UPGRADES[each](op)
    connection.execute(sa.update(schema).values(version=to))


def downgrade(connection: sa.Connection, *, file: "Path | None", forget_budgets: bool = False) -> int:
    """Take what the newest version has added off again; what is left is as that of the version before.

    Args:
        connection: in a transaction that writes.
        file: of SQLite.
        forget_budgets: whether what budgets count now may be lost.

    Returns:
        The version that the ledger is of now.

    Raises:
        ConfigurationError: it is of another version, workers use it, or something would be lost that is needed.
    """
    _one_at_a_time(connection)
    version = version_of(connection)
    if version != SCHEMA_VERSION:
        raise ConfigurationError(f"the ledger is of version {version}: only from {SCHEMA_VERSION} can it go back")
    if workers := _workers(connection, file):
        raise ConfigurationError(f"workers use the ledger ({workers}): stop them all first")
    if found := connection.execute(_HELD).scalar_one_or_none():
        raise ConfigurationError(f"writes are held, which would be forgotten: {found}; first: client.py ledger recover")
    since = {"since": datetime.now(UTC) - LONGEST_PERIOD}
    if not forget_budgets and (shares := connection.execute(_SHARES, since).scalar_one()):
        raise ConfigurationError(
            f"budgets may still count {shares} shares of the last {LONGEST_PERIOD.days} days, which would be lost: "
            "wait until they are older, or say --forget-budgets"
        )
    _back_from_3(_operations(connection))
    connection.execute(sa.update(schema).values(version=SCHEMA_VERSION - 1))
    return SCHEMA_VERSION - 1


def _to_2(op: "Operations") -> None:
    """Each ledger has an identity, and each row says which request it is of, what it is like and who works on it."""
    op.add_column(schema.name, sa.Column("identity", sa.String(8), nullable=False, server_default=""))
    for column in (
        sa.Column("chain", sa.String(8), nullable=False, server_default=""),
        sa.Column("likeness", sa.String(64), nullable=False, server_default=""),
        sa.Column("worker", sa.String(32), nullable=False, server_default=""),
        sa.Column("deadline", UtcDateTime),
    ):
        op.add_column(actions.name, column)
    op.execute(sa.update(schema).values(identity=new_identity()))


def _to_3(op: "Operations") -> None:
    """Budgets, and older copies that were put back. Some ledgers of version 2 have these tables already.

    A version that changes one of them has to spell them out here, as they are now.
    """
    metadata.create_all(op.get_bind(), [spending, restores, marks])


def _back_from_3(op: "Operations") -> None:
    metadata.drop_all(op.get_bind(), [spending, restores, marks])


UPGRADES: Mapping[int, "Callable[[Operations], None]"] = {2: _to_2, 3: _to_3}
"""By the version that they lead to."""


def _operations(connection: sa.Connection) -> "Operations":
    # Not before it is needed, which is once a release.
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    return Operations(MigrationContext.configure(connection))


def _one_at_a_time(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SCHEMA_LOCK)))


def _workers(connection: sa.Connection, file: "Path | None") -> str:
    """Those that use the ledger, as far as it is known."""
    if file:
        return f"processes: {count}" if (count := len(living(file))) else ""
    count = connection.execute(CONNECTIONS_OF_WORKERS).scalar_one()
    return f"connections: {count}" if count else ""


CONNECTIONS_OF_WORKERS = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = :name"
).bindparams(name=WORKER)
_HELD = sa.select(restores.c.message).where(restores.c.settled_at.is_(None)).limit(1)
_SHARES = (
    sa.select(sa.func.count())
    .select_from(spending.outerjoin(actions, actions.c.key == spending.c.key))
    .where(
        spending.c.taken_at >= sa.bindparam("since"),
        sa.or_(actions.c.state.is_(None), actions.c.state != State.NOT_DONE),
    )
)
