"""The connections to the ledger's database, SQLite or PostgreSQL, and how each of them is made ready."""

import os
import sqlite3
import time
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor

from activities.errors import ConfigurationError
from activities.ledger.workers import living
from activities.settings.environment import PROJECT
from activities.settings.ledger import DEFAULT_LEDGER

LEDGER_URL = "ERRAND_LEDGER_URL"
BUSY_SECONDS = 10
"""How long SQLite waits for another writer, and PostgreSQL for a statement."""
WORKER = "errand-worker"
"""The `application_name` of workers in PostgreSQL, by which they are known to use the ledger."""


def engine_of(url: str, *, create: bool, connections: int) -> sa.Engine:
    """An engine that has not connected yet.

    Args:
        url: as in ERRAND_LEDGER_URL.
        create: whether to make a file, and the default folder, that is missing.
        connections: to PostgreSQL, how many at most.

    Raises:
        ConfigurationError: there is no file.
        ValueError, OSError: the URL or the folder cannot be used.
    """
    parts = sa.make_url(url)
    if parts.get_backend_name() not in ("sqlite", "postgresql"):
        raise ValueError(
            f"it is of SQLite (sqlite:////PATH) or PostgreSQL (postgresql://…), and not of {parts.get_backend_name()}"
        )
    if parts.get_dialect().is_async:
        backend = parts.get_backend_name()
        raise ValueError(f"{parts.drivername} is a driver for programs that wait otherwise; write {backend}://…")
    if parts.get_backend_name() == "sqlite":
        return _sqlite(parts, create=create)
    how = {
        # Not the database's own: of one without an encoding (SQL_ASCII), text would come as bytes.
        "client_encoding": "utf8",
        "connect_timeout": max(1, int(BUSY_SECONDS)),
        "tcp_user_timeout": int(BUSY_SECONDS * 1000),
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }
    engine = sa.create_engine(
        parts,
        pool_pre_ping=True,
        # Whatever the database's own default is: who has waited for its turn must see what others have done meanwhile.
        isolation_level="READ COMMITTED",
        pool_size=connections,
        max_overflow=0,
        connect_args=how if parts.get_driver_name() == "psycopg" else {},
    )
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _prepare_postgresql)
        if create:
            event.listen(engine, "connect", _name_worker)
    return engine


def _sqlite(parts: sa.URL, *, create: bool) -> sa.Engine:
    if create and parts.database:
        _require_folder(Path(parts.database).parent)
    if not create and not (parts.database and Path(parts.database).is_file()):
        raise missing(parts)
    if not create and parts.database and _is_kept_as_it_is(Path(parts.database)):
        return _as_it_is(parts, Path(parts.database))
    engine = sa.create_engine(parts, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _is_kept_as_it_is(file: Path) -> bool:
    """Whether a file lies where nothing can be written, as a copy of which nobody has more to say."""
    return not os.access(file.parent, os.W_OK) and not file.with_name(f"{file.name}-wal").exists() and not living(file)


def _as_it_is(parts: sa.URL, file: Path) -> sa.Engine:
    """To be read only: SQLite would want to write beside it even to read."""
    uri = f"{file.absolute().as_uri()}?immutable=1"
    engine = sa.create_engine(
        parts,
        creator=lambda: sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False),
    )
    event.listen(engine, "connect", _let_begin)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _require_folder(folder: Path) -> None:
    """Only the default one is made: another that is not there is more likely a slip than a place for a new ledger."""
    if folder == (PROJECT / DEFAULT_LEDGER).parent:
        folder.mkdir(exist_ok=True)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder.absolute()}; make it, or name another")


def _prepare_postgresql(connection: DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET SESSION statement_timeout = {int(BUSY_SECONDS * 1000)}")
    # What is about to happen must not be forgotten by a crash, even if the server is set up to risk that.
    cursor.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    cursor.close()
    connection.commit()


def _name_worker(connection: DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET SESSION application_name = '{WORKER}'")
    cursor.close()
    connection.commit()


def _begin_sqlite(connection: sa.Connection) -> None:
    # To write, at once: a transaction that began by reading could not wait for its turn. What only reads is one
    # statement, which needs no transaction and waits for no writer.
    if not connection.get_execution_options().get("errand_reading"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _let_begin(connection: DBAPIConnection, _: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late


def _prepare_sqlite(connection: DBAPIConnection, _: object) -> None:
    _let_begin(connection, _)
    cursor = connection.cursor()
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _write_ahead(cursor: DBAPICursor) -> None:
    """Where several workers make a new file at once, SQLite refuses all but one of them without waiting its time."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def missing(url: sa.URL) -> ConfigurationError:
    return ConfigurationError(f"{LEDGER_URL}: there is no ledger at {place_of(url)}; the worker's is the one to name")


def place_of(url: sa.URL) -> str:
    """The file, or host and database; without user and password."""
    if url.get_backend_name() == "sqlite":
        return str(Path(url.database).absolute()) if url.database else "a path"
    return f"{url.host or ''}/{url.database or ''}"
