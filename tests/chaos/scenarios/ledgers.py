"""The ledger of one scene: a file, or a database of a PostgreSQL server that several scenes share."""

import asyncio
import resource
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tests.chaos.scenarios.stage import WorkerProcess

ROWS = "SELECT key, state, arguments ->> 'subject' FROM errand_actions WHERE arguments ->> 'subject' IS NOT NULL"
NOT_DONE = "SELECT key, finished_at FROM errand_actions WHERE state = 'not_done' AND finished_at IS NOT NULL"
TAKEN = """SELECT coalesce(sum(share.amount), 0) FROM errand_spending share JOIN errand_actions write
USING (key) WHERE write.tool = '{tool}' AND write.state <> 'not_done'"""

Row = tuple[str, str, str]
"""(key, state, subject)"""


class SceneLedger(ABC):
    url: str

    @abstractmethod
    def out_of_reach(self, worker: WorkerProcess) -> AbstractAsyncContextManager[None]:
        """A worker cannot write it, in here."""

    def rows(self) -> Sequence[Row]:
        """Everything in it, past the service."""
        with self._connection() as connection:
            return [(str(key), str(state), str(subject)) for key, state, subject in connection.exec_driver_sql(ROWS)]

    def not_done(self) -> Mapping[str, datetime]:
        """The keys of writes that did not happen, and since when that is known."""
        with self._connection() as connection:
            found = connection.exec_driver_sql(NOT_DONE).all()
        moments = {str(key): datetime.fromisoformat(str(at)) for key, at in found}
        return {key: at if at.tzinfo else at.replace(tzinfo=UTC) for key, at in moments.items()}

    def taken(self, tool: str) -> int:
        """What the writes of a tool hold of its one budget, in millionths."""
        with self._connection() as connection:
            return int(connection.exec_driver_sql(TAKEN.format(tool=tool)).scalar_one())

    def older_copies(self) -> Sequence[str]:
        """What was noticed to be older, each time: the ledger, or Temporal."""
        with self._connection() as connection:
            return [str(older) for (older,) in connection.exec_driver_sql("SELECT older FROM errand_restores")]

    def mark(self) -> int:
        """The number of the newest mark that Temporal has confirmed."""
        with self._connection() as connection:
            return int(connection.exec_driver_sql("SELECT max(number) FROM errand_marks").scalar_one() or 0)

    def run(self, *statements: str) -> None:
        with self._connection() as connection:
            for each in statements:
                connection.exec_driver_sql(each)

    def _connection(self, url: str | None = None) -> sa.Connection:
        engine = sa.create_engine(url or self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        return engine.connect()


@dataclass
class FileLedger(SceneLedger):
    file: Path

    def __post_init__(self) -> None:
        self.url = f"sqlite:///{self.file}"

    @asynccontextmanager
    async def out_of_reach(self, worker: WorkerProcess) -> AsyncGenerator[None]:
        """Its disk is full: no file of its may grow."""
        before = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (0, before[1]))
        try:
            yield
        finally:
            resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, before)

    def remove(self) -> None:
        """With what SQLite keeps beside it."""
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.file}{suffix}").unlink(missing_ok=True)

    def copy(self) -> Path:
        copy = self.file.with_name("copy.db")
        self.run(f"VACUUM INTO '{copy}'")
        return copy

    def restore(self, copy: Path) -> None:
        self.remove()
        copy.rename(self.file)


@dataclass
class DatabaseLedger(SceneLedger):
    server: str
    """The URL of its database `postgres`."""
    name: str

    def __post_init__(self) -> None:
        self.url = self.server.replace("/postgres?", f"/{self.name}?")
        self._on_server(f'CREATE DATABASE "{self.name}"')

    @asynccontextmanager
    async def out_of_reach(self, worker: WorkerProcess) -> AsyncGenerator[None]:
        """Nobody can connect to it."""
        await asyncio.to_thread(self._on_server, f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS false', self._ended)
        try:
            yield
        finally:
            await asyncio.to_thread(self._on_server, f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS true')

    def replicate(self) -> None:
        """Make a replica, which from now on hears no more."""
        self._without_connections(f'CREATE DATABASE "{self.name}-replica" TEMPLATE "{self.name}"')

    def fail_over(self) -> None:
        """Behind the same URL is the replica."""
        rename = f'ALTER DATABASE "{self.name}-replica" RENAME TO "{self.name}"'
        self._without_connections(f'DROP DATABASE "{self.name}" WITH (FORCE)', rename)

    def _without_connections(self, *statements: str) -> None:
        """PostgreSQL wants to be alone with a database that is copied."""
        self._on_server(f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS false', self._ended, *statements)
        self._on_server(f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS true')

    @property
    def _ended(self) -> str:
        return f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'"

    def _on_server(self, *statements: str) -> None:
        with self._connection(self.server) as connection:
            for each in statements:
                connection.exec_driver_sql(each)
