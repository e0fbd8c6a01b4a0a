"""Where the ledger is: a SQLite file or a PostgreSQL server, and what can befall it."""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from activities.ledger.ledger import Ledger
from activities.ledger.rows import Action
from activities.ledger.tables import actions
from tests.chaos.postgres import Postgres, running


class Kind(StrEnum):
    SQLITE = "SQLite"
    POSTGRES = "PostgreSQL"


class Site(ABC):
    url: str

    @abstractmethod
    def locked(self) -> AbstractAsyncContextManager[None]:
        """Nobody else reads or writes the ledger in here.

        Raises:
            OSError: it is locked or gone already.
        """

    @abstractmethod
    async def vanish(self, random: Random) -> None:
        """It is gone for some seconds."""

    @property
    @abstractmethod
    def pids(self) -> Sequence[int]:
        """Of its processes, if it has any."""

    async def rows(self) -> list[Action]:
        async with aclosing(await Ledger.open(self.url)) as ledger:
            return await ledger.search(limit=1_000_000)


@dataclass
class SqliteSite(Site):
    file: Path
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.url = f"sqlite:///{self.file}"

    @asynccontextmanager
    async def locked(self) -> AsyncGenerator[None]:
        try:
            file = f"file:{self.file}?mode=rw"
            with closing(sqlite3.connect(file, uri=True, isolation_level=None, timeout=0.2)) as connection:
                connection.execute("BEGIN EXCLUSIVE")  # the service begins even its reading as a writer
                yield
        except sqlite3.OperationalError as error:
            raise OSError(str(error)) from error

    async def vanish(self, random: Random) -> None:
        """A file stands where its directory was, so that no worker makes itself a new one."""
        home = self.file.parent
        away = home.with_name("elsewhere")
        home.rename(away)
        home.touch()
        try:
            await asyncio.sleep(random.uniform(1, 5))
        finally:
            home.unlink()
            away.rename(home)

    @property
    def pids(self) -> Sequence[int]:
        return ()


@dataclass
class PostgresSite(Site):
    server: Postgres

    @property
    def url(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # it does not change
        return self.server.url

    @asynccontextmanager
    async def locked(self) -> AsyncGenerator[None]:
        engine = sa.create_engine(self.url, poolclass=NullPool)
        try:
            connection = await asyncio.to_thread(engine.connect)
            with connection:
                lock = sa.text(f"LOCK TABLE {actions.name} IN ACCESS EXCLUSIVE MODE")
                await asyncio.to_thread(connection.execute, lock)
                yield
        except DBAPIError as error:
            raise OSError(str(error)) from error

    async def vanish(self, random: Random) -> None:
        """It crashes, and comes up again: killed with all its processes, or told to drop everything."""
        if random.random() < 0.5:
            self.server.kill()
        else:
            self.server.stop_at_once()

    @property
    def pids(self) -> Sequence[int]:
        return self.server.pids


@asynccontextmanager
async def ledger_site(kind: Kind, state: Path) -> AsyncGenerator[Site]:
    """A ledger that is there until the block ends."""
    if kind is Kind.SQLITE:
        site = SqliteSite(state / "ledger" / "ledger.db")
        with suppress(FileExistsError):
            site.file.parent.mkdir(parents=True)
        yield site
    else:
        async with running(state / "logs") as server:
            yield PostgresSite(server)
