"""What a process and its descendants have used, from Linux's /proc."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and all its descendants, those that have ended and were waited for included."""
    return sum(sum(map(int, _stat(each)[11:15])) for each in tree(pid)) * TICK


def rss_mib(pid: int) -> float:
    """Memory that is resident now, of a process and its descendants."""
    return sum(_status(each, "VmRSS") for each in tree(pid)) / 1024


def peak_rss_mib(pid: int) -> float:
    """The most that was ever resident, of a process and its descendants."""
    return sum(_status(each, "VmHWM") for each in tree(pid)) / 1024


def tree(pid: int) -> list[int]:
    """A process and its living descendants."""
    children: dict[int, list[int]] = {}
    for each in _processes():
        with suppress(OSError):
            children.setdefault(int(_stat(each)[1]), []).append(each)
    found = [pid]
    for each in found:  # it grows meanwhile
        found += children.get(each, [])
    return found


def _processes() -> Iterable[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal())


def _stat(pid: int) -> list[str]:
    """The fields behind the command's name, which may hold anything: the first is the state, the second the parent."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _status(pid: int, field: str) -> int:
    lines = (PROC / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
