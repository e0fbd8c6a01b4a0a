"""The ledger's tables: made where they are missing, and brought up to date where an older worker made them."""

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa

from activities.errors import ConfigurationError

SCHEMA_VERSION = 2
"""A new version only adds what has a default, so that workers of the version before still work on it: they run beside
the new ones while these take over, and are what one goes back to."""
NEWEST_TO_WORK_ON = SCHEMA_VERSION + 1
SCHEMA_LOCK = 0x45727261
"""An advisory lock of PostgreSQL, so that of several workers that start at once only one creates the tables."""


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment. SQLite keeps no zone, so it comes back without one, and is in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


metadata = sa.MetaData()
schema = sa.Table(
    "errand_schema",
    metadata,
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("identity", sa.String(8), nullable=False, server_default=""),
)
"""One row. `identity` tells the ledger from any other; a copy of it has the same."""

actions = sa.Table(
    "errand_actions",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("tool", sa.Text, nullable=False),
    sa.Column("arguments", sa.JSON, nullable=False),
    sa.Column("request_id", sa.Text, nullable=False, index=True),
    sa.Column("requester", sa.Text, nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("token", sa.String(32), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("begun_at", UtcDateTime, nullable=False, index=True),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("result", sa.JSON),
    sa.Column("error", sa.Text),
    sa.Column("resolved_by", sa.Text),
    # Since version 2.
    sa.Column("chain", sa.String(8), nullable=False, server_default=""),
    sa.Column("likeness", sa.String(64), nullable=False, server_default=""),
    sa.Column("worker", sa.String(32), nullable=False, server_default=""),
    sa.Column("deadline", UtcDateTime),
)
spending = sa.Table(
    "errand_spending",
    metadata,
    sa.Column("budget", sa.String(16), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True, index=True),
    sa.Column("taken_at", UtcDateTime, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("settled", sa.Boolean),
    sa.Index("errand_spending_of_budget", "budget", "taken_at"),
)
"""What is taken of budgets. `key` is that of a write's row, which says whether it is settled, or of a model call."""
restores = sa.Table(
    "errand_restores",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("older", sa.String(8), nullable=False),
    sa.Column("noticed_at", UtcDateTime, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("settled_at", UtcDateTime),
    sa.Column("settled_by", sa.Text),
)
"""Copies of before that were put back, as they were noticed. No write begins while one is not settled. `number` is that
of the newest mark then, `older` says which is the older one, the ledger or Temporal."""

marks = sa.Table(
    "errand_marks",
    metadata,
    sa.Column("namespace", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)
"""The newest mark that Temporal has confirmed, in each of its namespaces."""

NEW_IN_VERSION_2 = (schema.c.identity, actions.c.chain, actions.c.likeness, actions.c.worker, actions.c.deadline)


def prepare(connection: sa.Connection) -> bool:
    """Make the tables, or bring them up to date.

    Returns:
        Whether the ledger is new.

    Raises:
        ConfigurationError: a worker has made it that is newer by more than one version.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SCHEMA_LOCK)))
    metadata.create_all(connection)
    version = _version(connection)
    if version is None:
        connection.execute(sa.insert(schema).values(version=SCHEMA_VERSION, identity=secrets.token_hex(4)))
    elif version < SCHEMA_VERSION:
        _upgrade(connection)
    check_version(connection)
    return version is None


def check_version(connection: sa.Connection) -> None:
    """Refuse a ledger whose tables are more than one version newer than this code.

    Raises:
        ConfigurationError: they are.
    """
    version = _version(connection)
    if version is not None and version > NEWEST_TO_WORK_ON:
        raise ConfigurationError(
            f"ERRAND_LEDGER_URL: the ledger is of version {version}, which is newer than this worker knows "
            f"({SCHEMA_VERSION}, and works on {NEWEST_TO_WORK_ON}); start a newer worker"
        )


def identity_of(connection: sa.Connection) -> str:
    return connection.execute(sa.select(schema.c.identity)).scalar_one_or_none() or ""


def _version(connection: sa.Connection) -> int | None:
    return connection.execute(sa.select(schema.c.version)).scalar_one_or_none()


def _upgrade(connection: sa.Connection) -> None:
    for column in NEW_IN_VERSION_2:
        definition = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE {column.table.name} ADD COLUMN {definition}")
    connection.execute(sa.update(schema).values(version=SCHEMA_VERSION, identity=secrets.token_hex(4)))
