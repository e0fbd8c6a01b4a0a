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
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from activities.errors import ConfigurationError, ErrandError, ServiceUnavailable, Unreachable
from activities.ledger.contents import KEYS
from activities.ledger.engine import BUSY_SECONDS, LEDGER_URL, engine_of, missing, place_of
from activities.ledger.migrations import check_version, prepare
from activities.ledger.tables import actions, identity_of, version_of
from activities.ledger.trial import try_to_write
from activities.ledger.troubles import trouble_of
from activities.redaction import redacted
from activities.settings.ledger import DEFAULT_CONNECTIONS

if TYPE_CHECKING:
    from activities.encryption.key_ring import KeyRing

log = structlog.stdlib.get_logger(__name__)
T = TypeVar("T")


class Database:
    """Runs transactions, and translates what goes wrong."""

    def __init__(self, engine: sa.Engine, connections: int, keys: "KeyRing | None" = None) -> None:
        self._engine = engine.execution_options(**{KEYS: keys})
        self._reading = self._engine.execution_options(errand_reading=True)
        # Of SQLite's writers, one waits for the other, and all ask for their turn all the while.
        self._at_once = 1 if engine.dialect.name == "sqlite" else connections // 2
        self._closed = False
        self._opened: tuple[int, int] | None = None
        self.identity = ""
        """Tells this ledger from any other; a copy of it has the same."""
        # Of their own: what reads does not wait behind what waits to write.
        self._writers, self._readers = self._threads(), self._threads()

    @classmethod
    async def open(
        cls, url: str, *, create: bool, keys: "KeyRing | None" = None, connections: int = DEFAULT_CONNECTIONS
    ) -> Self:
        """Connect, and create the tables that are missing, which the log tells.

        Args:
            url: as in ERRAND_LEDGER_URL.
            create: whether to make what is missing; otherwise that is an error.
            keys: with which contents are encrypted and decrypted.
            connections: to PostgreSQL, at most; half of them to read.

        Raises:
            ConfigurationError: the database cannot be used; the message names ERRAND_LEDGER_URL and what is wrong.
            Unreachable: it cannot be used now, because it is locked or its server does not answer.
        """
        try:
            database = cls(engine_of(url, create=create, connections=connections), connections, keys)
        except (SQLAlchemyError, ImportError, OSError, ValueError) as error:
            # Without `from`: some of these quote the URL, and with it the password.
            raise _unusable(error) from None
        try:
            database.identity = await (database._run(_make_ready) if create else database._run(_look, reading=True))
            database._opened = database._file_as_it_is()
        except BaseException as error:
            await database.aclose()
            if isinstance(error, (ConfigurationError, asyncio.CancelledError)):
                raise
            # Of a URL that is written wrong, what is taken for the host may be of the password.
            raise _unusable(error, f" {database.place}" if database.file else "") from error
        return database

    @cached_property
    def file(self) -> Path | None:
        """Of SQLite."""
        url = self._engine.url
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None

    @property
    def place(self) -> str:
        """The file, or host and database; without user and password."""
        return place_of(self._engine.url)

    @property
    def now(self) -> datetime | sa.Function[datetime]:
        """By PostgreSQL's clock, which all its workers share; with a file there is only the machine's own."""
        return datetime.now(UTC) if self.file else sa.func.now()

    async def aclose(self) -> None:
        self._closed = True
        for threads in (self._writers, self._readers):
            threads.shutdown(wait=False, cancel_futures=True)
        self._engine.dispose()

    async def write(self, transaction: Callable[[sa.Connection], T]) -> T:
        """Run a transaction that changes the database.

        Raises:
            ServiceUnavailable: it cannot be done now. If the connection was lost meanwhile, it may have been written.
        """
        with _translated("writing"):
            return await self._run(transaction)

    async def read(self, transaction: Callable[[sa.Connection], T]) -> T:
        """Run a transaction that changes nothing.

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
            self._check_file()
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

    def _check_file(self) -> None:
        """A file that was removed would go on taking what nobody else can read; one in its place is opened anew.

        Raises:
            ServiceUnavailable: the ledger is gone, or is another one.
        """
        if self._opened is None or self._opened == (now := self._file_as_it_is()):
            return
        if now is None:
            raise ServiceUnavailable(f"{LEDGER_URL}: the ledger {self.place} was removed; put it back")
        self._engine.dispose()
        with self._reading.begin() as connection:
            found = identity_of(connection) if sa.inspect(connection).has_table(actions.name) else "none"
        if found != self.identity:
            raise ServiceUnavailable(f"{LEDGER_URL}: another ledger lies at {self.place} now; put back the one before")
        self._opened = now

    def _file_as_it_is(self) -> tuple[int, int] | None:
        try:
            status = self.file.stat() if self.file else None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            what = f"{LEDGER_URL}: the ledger {self.place} cannot be looked at: {error.strerror}"
            raise ServiceUnavailable(f"{what}; check the path and its permissions") from error
        return (status.st_dev, status.st_ino) if status else None

    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._at_once, thread_name_prefix="ledger")

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


def _make_ready(connection: sa.Connection) -> str:
    """The ledger's identity, of one that can be written."""
    is_new = prepare(connection)
    try_to_write(connection)
    if is_new:
        place = place_of(connection.engine.url)
        log.warning("a new ledger was made: writes of earlier runs are not known in it", ledger=place)
    return identity_of(connection)


def _look(connection: sa.Connection) -> str:
    """The ledger's identity, of one that a worker has made."""
    if not sa.inspect(connection).has_table(actions.name):
        raise missing(connection.engine.url)
    if version_of(connection) == 1:
        raise ConfigurationError(
            f"{LEDGER_URL}: the ledger {place_of(connection.engine.url)} is of an older version; "
            "start a worker on it once"
        )
    check_version(connection)
    return identity_of(connection)


def _unusable(error: BaseException, which: str = "") -> ErrandError:
    said, trouble = words(error), trouble_of(words(error))
    if trouble.passes:
        return Unreachable(f"{LEDGER_URL}: the ledger{which} cannot be used now: {said}; {trouble.todo}")
    todo = "PostgreSQL needs `uv sync --extra postgres`" if isinstance(error, ImportError) else trouble.todo
    return ConfigurationError(f"{LEDGER_URL}: the ledger{which} cannot be used: {said}; {todo}")
