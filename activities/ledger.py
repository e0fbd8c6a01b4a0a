"""The ledger: a table that knows every write before it happens and after.

    no row      nothing has happened
    begun       the act may be under way; whoever finds it so and did not begin it must take it for unknown
    done        it happened; the result is stored, and is what every later attempt returns
    not_done    it certainly did not happen; it may be begun again, by an attempt that has seen this
    unknown     it may have happened; a person settles it

A row is changed only by who holds its `token`, or has seen the token that it replaces. So an attempt that was frozen
and wakes up again cannot act on what another attempt, a reset run or a person has decided meanwhile.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

import sqlalchemy as sa
import structlog
from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from activities.errors import ConfigurationError, KeyTaken, NotOpen, ServiceUnavailable, UnknownYet
from workflows.contract import Arguments, ToolCall

log = structlog.stdlib.get_logger(__name__)

SCHEMA_VERSION = 1
SCHEMA_LOCK = 0x45727261
"""An advisory lock of PostgreSQL, so that of several workers that start at once only one creates the tables."""
BUSY_SECONDS = 10
"""How long SQLite waits for another writer."""
LONGEST_ACT = timedelta(minutes=15)
"""After which an attempt that has begun is not under way any more: send_email's time limit."""


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment. SQLite keeps no zone, so it comes back without one, and is in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


metadata = sa.MetaData()
schema_version = sa.Table("errand_schema", metadata, sa.Column("version", sa.Integer, nullable=False))
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
)


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

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reading = _for_reading(engine)

    @classmethod
    async def open(cls, url: str, *, create: bool = True) -> Self:
        """Connect, and create the tables that are missing, which the log tells.

        Args:
            url: as in ERRAND_LEDGER_URL.
            create: a worker makes the ledger where there is none. For a reader an empty one would look as if nothing
                had ever been done, so for it this is an error.

        Raises:
            ConfigurationError: the database cannot be used; the message names ERRAND_LEDGER_URL and what is wrong.
        """
        try:
            engine = _engine(url, create=create)
        except (SQLAlchemyError, ImportError, OSError, ValueError) as error:
            # Without `from`: some of these quote the URL, and with it the password.
            raise _unusable(error) from None
        try:
            await (_prepare(engine) if create else _look(engine))
        except BaseException as error:
            await engine.dispose()
            if isinstance(error, (ConfigurationError, asyncio.CancelledError)):
                raise
            raise _unusable(error) from error
        return cls(engine)

    async def aclose(self) -> None:
        await self._engine.dispose()

    async def find(self, key: str) -> Action | None:
        async with self._transaction("reading", self._reading) as connection:
            return await _row(connection, key)

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
        begun = {
            "state": State.BEGUN,
            "token": token,
            "attempt": attempt,
            "begun_at": datetime.now(UTC),
            "finished_at": None,
            "error": None,
            "approved_by": call.approved_by,
            "resolved_by": None,
        }
        async with self._transaction("writing") as connection:
            if seen is None:
                try:
                    await connection.execute(sa.insert(actions).values(**_identity(call), **begun))
                except IntegrityError:
                    raise UnknownYet(f"another attempt of {call.key} has begun meanwhile") from None
            elif not await _replace(connection, seen.key, seen.token, begun):
                raise UnknownYet(f"another attempt of {call.key} has begun meanwhile")
        return token

    async def finish(
        self, key: str, token: str, state: State, *, result: JsonValue = None, error: str | None = None
    ) -> bool:
        """Write down what became of the act; false where the row is no longer this attempt's to change."""
        news = {"state": state, "result": result, "error": error, "finished_at": datetime.now(UTC)}
        async with self._transaction("writing") as connection:
            return await _replace(connection, key, token, news)

    async def give_up(self, call: ToolCall) -> Action:
        """Settle what a lost attempt left behind, and keep it from acting later.

        Where it had not begun, from now on it cannot; where it had, the action is `unknown`, unless it has finished.

        Raises:
            KeyTaken: what stands under the key is another action.
            ServiceUnavailable: the ledger cannot be written.
        """
        lost = {
            "state": State.NOT_DONE,
            "token": secrets.token_hex(16),
            "attempt": 0,
            "begun_at": datetime.now(UTC),
            "approved_by": call.approved_by,
            "error": "no attempt got as far as to begin",
        }
        async with self._transaction("writing") as connection:
            found = await _row(connection, call.key, lock=True)
            if found is None:
                await connection.execute(sa.insert(actions).values(**_identity(call), **lost))
                return Action.model_validate({**_identity(call), **lost})
            found.must_be(call)
            news: dict[str, object] = {}
            if found.state is State.BEGUN:
                news = {"state": State.UNKNOWN}
            elif found.state is State.NOT_DONE:  # an attempt that is lost may have seen the token and not begun yet
                news = {"token": lost["token"]}
            if news:
                await _replace(connection, call.key, found.token, news)
            return found.model_copy(update=news)

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
        async with self._transaction("writing") as connection:
            await connection.execute(sa.update(actions).where(actions.c.key == key, is_open).values(**news))
            row = await _row(connection, key)
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
        async with self._transaction("reading", self._reading) as connection:
            return [Action.model_validate(row) for row in (await connection.execute(query)).mappings()]

    @asynccontextmanager
    async def _transaction(self, doing: str, engine: AsyncEngine | None = None) -> AsyncGenerator[AsyncConnection]:
        try:
            async with (engine or self._engine).begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:  # a server that cannot be connected to is the driver's bare OSError
            raise ServiceUnavailable(f"{doing} the ledger failed: {_words(error)}") from error


async def _prepare(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SCHEMA_LOCK)))
        await connection.run_sync(metadata.create_all)
        new = await _version(connection) is None
        if new:
            await connection.execute(sa.insert(schema_version).values(version=SCHEMA_VERSION))
        await _check_version(connection)
    if new:
        log.warning("a new ledger was made: writes of earlier runs are not known in it", ledger=_place(engine.url))


async def _look(engine: AsyncEngine) -> None:
    async with _for_reading(engine).begin() as connection:
        if not await connection.run_sync(lambda synchronous: sa.inspect(synchronous).has_table(actions.name)):
            raise _missing(engine.url)
        await _check_version(connection)


def _unusable(error: BaseException) -> ConfigurationError:
    return ConfigurationError(f"ERRAND_LEDGER_URL: the ledger cannot be used: {_words(error)}")


def _missing(url: sa.URL) -> ConfigurationError:
    return ConfigurationError(
        f"ERRAND_LEDGER_URL: there is no ledger at {_place(url)}; the worker's is the one to name"
    )


def _place(url: sa.URL) -> str:
    """The file, or host and database; without user and password."""
    if url.get_backend_name() == "sqlite":
        return str(Path(url.database).absolute()) if url.database else "a path"
    return f"{url.host or ''}/{url.database or ''}"


def _why_not_open(row: Action | None) -> str:
    if row is None:
        return "there is no such action"
    if row.state is State.BEGUN:
        until = row.begun_at + LONGEST_ACT
        return f"it may be under way; settle it after {until:%H:%M:%S} UTC, or before with --even-if-under-way"
    return f"it is {row.state} already"


async def _row(connection: AsyncConnection, key: str, *, lock: bool = False) -> Action | None:
    query = sa.select(actions).where(actions.c.key == key)
    # SQLite needs no FOR UPDATE: there, every transaction has the whole file to itself.
    row = (await connection.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    return Action.model_validate(row) if row else None


async def _replace(connection: AsyncConnection, key: str, token: str, news: Mapping[str, object]) -> bool:
    changed = await connection.execute(
        sa.update(actions).where(actions.c.key == key, actions.c.token == token).values(**news)
    )
    return changed.rowcount == 1


async def _version(connection: AsyncConnection) -> int | None:
    return (await connection.execute(sa.select(schema_version.c.version))).scalar_one_or_none()


async def _check_version(connection: AsyncConnection) -> None:
    version = await _version(connection)
    if version is not None and version > SCHEMA_VERSION:
        raise ConfigurationError(
            f"ERRAND_LEDGER_URL: the ledger is of version {version}, which is newer than this worker ({SCHEMA_VERSION})"
        )


def _engine(url: str, *, create: bool) -> AsyncEngine:
    parts = sa.make_url(url)
    if parts.get_backend_name() != "sqlite":
        limits = {"timeout": BUSY_SECONDS, "command_timeout": BUSY_SECONDS} if "asyncpg" in url else {}
        return create_async_engine(url, pool_pre_ping=True, connect_args=limits)
    if create and parts.database:
        Path(parts.database).parent.mkdir(parents=True, exist_ok=True)
    if not create and not (parts.database and Path(parts.database).is_file()):
        raise _missing(parts)
    engine = create_async_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _for_reading(engine: AsyncEngine) -> AsyncEngine:
    """The same connections, for transactions that write nothing."""
    return engine.execution_options(errand_reading=True)


def _begin_sqlite(connection: sa.Connection) -> None:
    # To write, at once: a transaction that began by reading could not wait for its turn. To read, beside any writer.
    reading = connection.get_execution_options().get("errand_reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _prepare_sqlite(connection: DBAPIConnection, _: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _identity(call: ToolCall) -> dict[str, object]:
    return {
        "key": call.key,
        "digest": call.digest,
        "tool": call.tool,
        "arguments": call.arguments,
        "request_id": call.request_id,
        "requester": call.requester,
    }


def _words(error: BaseException) -> str:
    """The driver's own words, without the statement and its values, and without the URL."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return " ".join(str(cause).split())[:200]
