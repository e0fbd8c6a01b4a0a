"""Several workers, each in a process of its own, as one."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

METRICS_ADDRESS = "ERRAND_METRICS_ADDRESS"


def serve_in(processes: int, program: Path) -> int:
    """Run so many workers of a program, and stop them together: on a signal, or when one of them ends.

    Returns:
        The exit code of the one that ended first.
    """
    workers = [
        subprocess.Popen([sys.executable, program], env=environment_of(number))  # noqa: S603  # our own
        for number in range(processes)
    ]

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


def environment_of(number: int) -> Mapping[str, str]:
    """Of a worker: its metrics are at a port of its own, counted from the one that is set."""
    host, _, port = os.environ.get(METRICS_ADDRESS, "").rpartition(":")
    return {**os.environ, METRICS_ADDRESS: f"{host}:{int(port) + number}"} if port.isdecimal() else os.environ
