"""Disks on which nothing can be written, of which only root can make a real one."""

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path) -> Generator[Path]:
    """A disk of four megabytes at a folder; the test is skipped where nobody may mount one."""
    if os.geteuid() != 0 or _ran("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)) != 0:
        pytest.skip("only root can mount a disk, and not everywhere")
    try:
        yield folder
    finally:
        _ran("umount", "--lazy", str(folder))


def fill(disk: Path) -> None:
    """Leave no room on it."""
    with (disk / "full").open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return


def make_read_only(disk: Path) -> None:
    assert _ran("mount", "-o", "remount,ro", str(disk)) == 0


def _ran(*command: str) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode
