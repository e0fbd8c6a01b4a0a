"""Every test with a ledger runs on SQLite and on PostgreSQL."""

import asyncio
import secrets
import shutil
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from activities.execution import act
from activities.ledger import database as ledger_database
from activities.ledger import engine
from activities.ledger.ledger import Ledger
from tests.conftest import new_ledger
from tests.integration.ledger.postgres import Postgres


@dataclass
class Database:
    """`open` is what a worker does with it at its start."""

    url: str
    _postgres: Postgres | None
    _folder: Path
    _opened: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def open(self) -> Ledger:
        opened = await Ledger.open(self.url)
        self._opened.push_async_callback(opened.aclose)
        return opened

    async def close(self) -> None:
        await self._opened.aclose()

    async def run(self, statement: str) -> None:
        """SQL, past the ledger."""
        if self._postgres:
            await self._postgres.run(statement)
        else:
            with closing(sqlite3.connect(self._file, timeout=10, isolation_level=None)) as connection:
                connection.execute(statement)

    async def count(self, question: str) -> int:
        """The one number that SQL answers with, past the ledger."""
        if self._postgres:
            return await self._postgres.ask(question)
        with closing(sqlite3.connect(self._file, timeout=10)) as connection:
            return int(connection.execute(question).fetchone()[0])

    async def backup(self) -> Path:
        """A copy of it, as it is now."""
        copy = self._folder / f"copy-{secrets.token_hex(4)}"
        if self._postgres:
            await self._postgres.dump(copy)
        else:
            await self.run(f"VACUUM INTO '{copy}'")
        return copy

    async def put_back(self, copy: Path) -> None:
        """In place of what is there, while workers have it open."""
        if self._postgres:
            await self._postgres.restore(copy)
        else:
            await asyncio.to_thread(self._replace, copy)

    def _replace(self, copy: Path) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._file}{suffix}").unlink(missing_ok=True)
        shutil.copy(copy, self._file)

    @property
    def is_postgresql(self) -> bool:
        return self._postgres is not None

    @property
    def can_be_read_while_gone(self) -> bool:
        return self._postgres is None

    @asynccontextmanager
    async def gone(self) -> AsyncGenerator[None]:
        """PostgreSQL cannot be reached; the file of SQLite is locked by another writer."""
        if self._postgres:
            await self._postgres.disconnect()
            try:
                yield
            finally:
                self._postgres.let_connect()
        else:
            with closing(sqlite3.connect(self._file, timeout=10, isolation_level=None)) as connection:
                connection.execute("BEGIN EXCLUSIVE")
                yield

    @property
    def _file(self) -> str:
        return self.url.removeprefix("sqlite:///")


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A ledger in which nothing is."""
    if request.param == "sqlite":
        made = Database(new_ledger(), None, tmp_path)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        await server.new_ledger()
        made = Database(server.url, server, tmp_path)
    yield made
    await made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def bare_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Without any table; whatever a test makes of them is of no use to the tests after it."""
    if request.param == "sqlite":
        bare = Database(f"sqlite:///{tmp_path}/ledger.db", None, tmp_path)
        yield bare
        await bare.close()
        return
    server: Postgres = request.getfixturevalue("postgres")
    await server.empty()
    bare = Database(server.url, server, tmp_path)
    yield bare
    await bare.close()
    await server.empty()


@pytest.fixture
async def empty(postgres: Postgres) -> None:
    """PostgreSQL without any table."""
    await postgres.empty()


@pytest.fixture
async def opened(database: Database) -> Ledger:
    return await database.open()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a lock or a statement; a whole transaction may take longer where much else is done."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.3)
    monkeypatch.setattr(ledger_database, "BUSY_SECONDS", 1.5)
    monkeypatch.setattr(act, "PAUSES", (0.05, 0.05))
