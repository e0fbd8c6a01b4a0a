"""Several workers, each in a process of its own, as one."""

import os
import signal
import subprocess
import sys
from pathlib import Path


def serve_in(processes: int, program: Path) -> int:
    """Run so many workers of a program, and stop them together: on a signal, or when one of them ends.

    Returns:
        The exit code of the one that ended first.
    """
    workers = [subprocess.Popen([sys.executable, program]) for _ in range(processes)]  # noqa: S603  # our own

    def stop(*_: object) -> None:
        for each in workers:
            each.terminate()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    first, status = os.wait()
    ended = next(each for each in workers if each.pid == first)
    ended.returncode = os.waitstatus_to_exitcode(status)
    stop()
    for each in workers:
        each.wait()
    return ended.returncode if ended.returncode >= 0 else 1
