"""Where the ledger is kept: SQLite, or PostgreSQL for workers on several machines.

Every transaction is one function that runs in a thread of its own kind, so that the event loop is told once that it is
over, and not after every statement.
"""

import asyncio
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from activities.errors import ConfigurationError, ServiceUnavailable
from activities.redaction import redacted

log = structlog.stdlib.get_logger(__name__)
T = TypeVar("T")

SCHEMA_VERSION = 1
SCHEMA_LOCK = 0x45727261
"""An advisory lock of PostgreSQL, so that of several workers that start at once only one creates the tables."""
BUSY_SECONDS = 10
"""How long SQLite waits for another writer, and PostgreSQL for a statement."""
TRANSACTIONS_AT_ONCE = 8
"""To read as to write, on PostgreSQL. Of SQLite's writers, one waits for the other, and all ask for their turn all the
while."""


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


class Database:
    """Runs transactions, and translates what goes wrong."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(errand_reading=True)
        self._closed = False
        # Of their own: what reads does not wait behind what waits to write.
        self._writers, self._readers = self._threads(), self._threads()

    @classmethod
    async def open(cls, url: str, *, create: bool) -> Self:
        """Connect, and create the tables that are missing, which the log tells.

        Args:
            url: as in ERRAND_LEDGER_URL.
            create: whether to make what is missing; otherwise that is an error.

        Raises:
            ConfigurationError: the database cannot be used; the message names ERRAND_LEDGER_URL and what is wrong.
        """
        try:
            database = cls(_engine(url, create=create))
        except (SQLAlchemyError, ImportError, OSError, ValueError) as error:
            # Without `from`: some of these quote the URL, and with it the password.
            raise _unusable(error) from None
        try:
            await (database._run(_prepare) if create else database._run(_look, reading=True))
        except BaseException as error:
            await database.aclose()
            if isinstance(error, (ConfigurationError, asyncio.CancelledError)):
                raise
            raise _unusable(error) from error
        return database

    async def aclose(self) -> None:
        self._closed = True
        for threads in (self._writers, self._readers):
            threads.shutdown(wait=False, cancel_futures=True)
        self._engine.dispose()

    async def write(self, transaction: Callable[[sa.Connection], T]) -> T:
        """
        Raises:
            ServiceUnavailable: it cannot be done now. If the connection was lost meanwhile, it may have been written.
        """
        with _translated("writing"):
            return await self._run(transaction)

    async def read(self, transaction: Callable[[sa.Connection], T]) -> T:
        """
        Raises:
            ServiceUnavailable: it cannot be done now.
        """
        with _translated("reading"):
            return await self._run(transaction, reading=True)

    async def _run(self, transaction: Callable[[sa.Connection], T], *, reading: bool = False) -> T:
        """A transaction that nobody waits for any longer is rolled back, unless it is being committed already."""
        if self._closed:
            raise ServiceUnavailable("the ledger is closed: the worker stops")
        threads, given_up = self._readers if reading else self._writers, threading.Event()

        def run() -> T:
            with (self._reading if reading else self._engine).begin() as connection:
                result = transaction(connection)
                if given_up.is_set():
                    raise TimeoutError
                return result

        try:
            # Longer than the database's own time limits, which say more; those do not hold where its host is frozen.
            async with asyncio.timeout(2 * BUSY_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(threads, run)
        except TimeoutError:
            self._start_anew(threads)
            raise
        finally:
            given_up.set()

    def _threads(self) -> ThreadPoolExecutor:
        at_once = 1 if self._engine.dialect.name == "sqlite" else TRANSACTIONS_AT_ONCE
        return ThreadPoolExecutor(at_once, thread_name_prefix="ledger")

    def _start_anew(self, stuck: ThreadPoolExecutor) -> None:
        """Leave threads and connections behind that may never answer: new ones may be answered at once."""
        if stuck is self._writers:
            self._writers = self._threads()
        elif stuck is self._readers:
            self._readers = self._threads()
        else:
            return
        stuck.shutdown(wait=False)
        self._engine.dispose()


@contextmanager
def _translated(doing: str) -> Generator[None]:
    try:
        yield
    except (SQLAlchemyError, TimeoutError) as error:
        raise ServiceUnavailable(f"{doing} the ledger failed: {words(error)}") from error


def words(error: BaseException) -> str:
    """The driver's own words, without the statement and its values, and without the URL."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return " ".join(redacted(str(cause)).split())[:200] or "no answer in time"


def _prepare(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SCHEMA_LOCK)))
    metadata.create_all(connection)
    new = _version(connection) is None
    if new:
        connection.execute(sa.insert(schema_version).values(version=SCHEMA_VERSION))
    _check_version(connection)
    if new:
        place = _place(connection.engine.url)
        log.warning("a new ledger was made: writes of earlier runs are not known in it", ledger=place)


def _look(connection: sa.Connection) -> None:
    if not sa.inspect(connection).has_table(actions.name):
        raise _missing(connection.engine.url)
    _check_version(connection)


def _version(connection: sa.Connection) -> int | None:
    return connection.execute(sa.select(schema_version.c.version)).scalar_one_or_none()


def _check_version(connection: sa.Connection) -> None:
    version = _version(connection)
    if version is not None and version > SCHEMA_VERSION:
        raise ConfigurationError(
            f"ERRAND_LEDGER_URL: the ledger is of version {version}, which is newer than this worker ({SCHEMA_VERSION})"
        )


def _unusable(error: BaseException) -> ConfigurationError:
    advice = "; PostgreSQL needs `uv sync --extra postgres`" if isinstance(error, ImportError) else ""
    return ConfigurationError(f"ERRAND_LEDGER_URL: the ledger cannot be used: {words(error)}{advice}")


def _missing(url: sa.URL) -> ConfigurationError:
    return ConfigurationError(
        f"ERRAND_LEDGER_URL: there is no ledger at {_place(url)}; the worker's is the one to name"
    )


def _place(url: sa.URL) -> str:
    """The file, or host and database; without user and password."""
    if url.get_backend_name() == "sqlite":
        return str(Path(url.database).absolute()) if url.database else "a path"
    return f"{url.host or ''}/{url.database or ''}"


def _engine(url: str, *, create: bool) -> sa.Engine:
    parts = sa.make_url(url)
    if parts.get_dialect().is_async:
        backend = parts.get_backend_name()
        raise ValueError(f"{parts.drivername} is a driver for programs that wait otherwise; write {backend}://…")
    if parts.get_backend_name() == "sqlite":
        return _sqlite(parts, create=create)
    limits = {
        "connect_timeout": max(1, int(BUSY_SECONDS)),
        "tcp_user_timeout": int(BUSY_SECONDS * 1000),
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }
    engine = sa.create_engine(
        parts,
        pool_pre_ping=True,
        pool_size=TRANSACTIONS_AT_ONCE,
        max_overflow=TRANSACTIONS_AT_ONCE,
        connect_args=limits if parts.get_driver_name() == "psycopg" else {},
    )
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _sqlite(parts: sa.URL, *, create: bool) -> sa.Engine:
    if create and parts.database:
        Path(parts.database).parent.mkdir(parents=True, exist_ok=True)
    if not create and not (parts.database and Path(parts.database).is_file()):
        raise _missing(parts)
    engine = sa.create_engine(parts, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_postgresql(connection: DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET SESSION statement_timeout = {int(BUSY_SECONDS * 1000)}")
    cursor.close()
    connection.commit()


def _begin_sqlite(connection: sa.Connection) -> None:
    # To write, at once: a transaction that began by reading could not wait for its turn. What only reads is one
    # statement, which needs no transaction and waits for no writer.
    if not connection.get_execution_options().get("errand_reading"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare_sqlite(connection: DBAPIConnection, _: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
