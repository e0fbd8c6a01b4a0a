"""Programs of ours that start at once, because they are forked from a process that has imported everything.

Most of what `python client.py` takes is importing. What is forked is a process like any other: it runs the program from
its first line, with words, variables, folder, terminal and signals of its own.

    server.py   imports, and forks
    ask.py      stands for one process that was forked: has its standard streams, passes signals on, ends as it ends
    process.py  one that was forked, by its own pid
    part.py     one that stands for a part of a deployment
"""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ASK = Path(__file__).parent / "ask.py"


@dataclass(frozen=True)
class Forked:
    socket: Path

    def __call__(self, *words: str) -> tuple[str, ...]:
        """The command that runs `python` with these words."""
        # Isolated and without site-packages: 12 ms until it asks.
        return (sys.executable, "-IS", str(ASK), str(self.socket), *words)


COLLECTED = "--collected"
"""In place of modules, before the paths of tests: by pytest, which rewrites their assertions."""
SHARED = "FORKED_BY"
"""The variable with the socket of a server that is there for everybody: a run of the tests has one."""


@contextmanager
def forked(modules: Iterable[str]) -> Generator[Forked]:
    """The server that is there, or one that has imported these modules; what that one has forked ends with it."""
    if there := os.environ.get(SHARED):
        yield Forked(Path(there))
        return
    with started(modules) as (server, ready):
        assert ready(), f"one of {modules} cannot be imported"
        yield server


@contextmanager
def started(modules: Iterable[str]) -> Generator[tuple[Forked, Callable[[], bytes]]]:
    """A server which takes orders from now on, and whether it is ready, which is waited for."""
    with tempfile.TemporaryDirectory(prefix="errand-forked-") as folder:
        path = Path(folder, "socket")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            listening.listen(64)
            command = (sys.executable, "-m", "tests.forked.server", str(listening.fileno()), *modules)
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[listening.fileno()],
                start_new_session=True,  # Ctrl-C is for what it has forked, which clears up and needs it until then
            )
        with process as server:
            assert server.stdin
            assert server.stdout
            yield Forked(path), server.stdout.readline
            server.stdin.close()
