"""Programs of ours that start at once, because they are forked from a process that has imported everything.

Most of what `python client.py` takes is importing. What is forked is a process like any other: it runs the program from
its first line, with words, variables, folder, terminal and signals of its own.

    server.py   imports, and forks
    ask.py      stands for one process that was forked: has its standard streams, passes signals on, ends as it ends
"""

import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterable
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


@contextmanager
def forked(modules: Iterable[str]) -> Generator[Forked]:
    """A server that has imported these modules; what it has forked ends with it."""
    with tempfile.TemporaryDirectory(prefix="errand-forked-") as folder:
        socket = Path(folder, "socket")
        command = (sys.executable, "-m", "tests.forked.server", str(socket), *modules)
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdin
            assert server.stdout
            assert server.stdout.readline(), f"one of {modules} cannot be imported"
            yield Forked(socket)
            server.stdin.close()
