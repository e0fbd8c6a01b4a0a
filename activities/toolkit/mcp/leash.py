"""Runs a program, and ends its whole process group when the program ends or when whoever started this is gone.

    python -I -S leash.py PROGRAM [ARGUMENT…]

An MCP server is often a wrapper (npx, uvx) around another process, and a worker that is killed cannot end anything.
"""

import os
import signal
import sys
import threading
import time
from contextlib import suppress

EACH = 0.5
"""Seconds between two looks at who is there."""
GRACE = 2.0
"""Seconds from the end of its input until a program that goes on is killed."""


def main() -> None:
    """It has to lead a process group of its own."""
    parent = os.getppid()
    try:
        child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
    except OSError as error:
        sys.stderr.write(f"{sys.argv[1]}: {error.strerror}\n")
        sys.exit(127)
    # Whoever reads what the program writes is to see its end.
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    with suppress(ChildProcessError):
        os.waitpid(child, 0)
    _end()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(EACH)
    time.sleep(GRACE)
    _end()


def _end() -> None:
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
