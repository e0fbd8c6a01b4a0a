"""The ledger's tables, as the newest version has them."""

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa

SCHEMA_VERSION = 3
"""`migrations` leads to it, and back by one."""


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
"""Since version 3. What is taken of budgets. `key` is that of a write's row, which says whether it is settled, or of a
model call."""
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
"""Since version 3. Copies of before that were put back, as they were noticed. No write begins while one is not settled.
`number` is that of the newest mark then, `older` says which is the older one, the ledger or Temporal."""

marks = sa.Table(
    "errand_marks",
    metadata,
    sa.Column("namespace", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)
"""Since version 3. The newest mark that Temporal has confirmed, in each of its namespaces."""


def version_of(connection: sa.Connection) -> int | None:
    """None of a ledger that is being made."""
    return connection.execute(sa.select(schema.c.version)).scalar_one_or_none()


def identity_of(connection: sa.Connection) -> str:
    return connection.execute(sa.select(schema.c.identity)).scalar_one_or_none() or ""


def new_identity() -> str:
    return secrets.token_hex(4)
