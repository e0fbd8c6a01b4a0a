"""Which workers live that share a ledger in a file.

Each holds the lock of a file of its own beside the ledger for as long as its process lives; the operating system lets
go of it, whatever the process dies of. So nobody has to compare clocks to know whether an act may be under way.
"""

import fcntl
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Self


class WorkerLock:
    """Of this process."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.name = path.name
        self._path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, ledger: Path) -> Self:
        """Mark this worker as alive, beside the ledger.

        Raises:
            OSError: the folder beside the ledger cannot be written.
        """
        folder = _folder(ledger)
        folder.mkdir(exist_ok=True)
        _remove_those_of_the_dead(folder)
        name = secrets.token_hex(8)
        new, path = folder / f".{name}", folder / name
        descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        new.rename(path)  # only now can others see it, and it is locked
        return cls(path, descriptor)

    def release(self) -> None:
        """Let go; a second time does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):  # the folder may be gone, with the ledger
                self._path.unlink()
            os.close(descriptor)


def living(ledger: Path) -> list[str]:
    """The names of the workers whose process lives, be it frozen."""
    folder = _folder(ledger)
    names = [path.name for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
    return [name for name in names if _is_locked(folder / name)]


def _folder(ledger: Path) -> Path:
    return ledger.with_name(f"{ledger.name}.workers")


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:  # another user's, or no more files can be opened: nobody knows, so it may live
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _remove_those_of_the_dead(folder: Path) -> None:
    for path in folder.iterdir():
        if not path.name.startswith(".") and not _is_locked(path):
            with suppress(OSError):
                path.unlink()
