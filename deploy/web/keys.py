"""The keys that open the door, as their file has them now."""

from dataclasses import dataclass
from pathlib import Path

import structlog

from activities.errors import ConfigurationError
from deploy.client.keys import Key, KeyFile
from workflows.contract.approvals import is_same_person

log = structlog.stdlib.get_logger("errand")


@dataclass
class Keys:
    """Reads the file anew when it has changed. Where it cannot be read, the keys from before count."""

    path: Path
    _known: KeyFile | None = None
    _as_of: tuple[int, int, int] | None = None

    @property
    def file(self) -> KeyFile | None:
        """None where there is no file, and has been none since this was asked first."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            # Keys that were there have been taken away; the door does not open for that.
            self._known = None if self._known is None else KeyFile()
            self._as_of = None
            return self._known
        as_of = (found.st_ino, found.st_mtime_ns, found.st_size)
        if as_of != self._as_of:
            self._as_of = as_of
            self._read()
        return self._known

    def key_of(self, secret: str) -> Key | None:
        known = self.file
        return known.key_of(secret) if known else None

    def named(self, name: str) -> Key | None:
        known = self.file
        return next((key for key in known.keys if is_same_person(key.name, name)), None) if known else None

    def has(self, name: str) -> bool:
        return self.named(name) is not None

    def _read(self) -> None:
        try:
            self._known = KeyFile.read(self.path)
        except ConfigurationError as error:
            if self._known is None:
                raise
            log.error("the keys cannot be read; those from before count", error=str(error))
