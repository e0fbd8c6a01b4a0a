"""The keys of callers: a file of their hashes, which `client.py keys` writes and the door reads.

A key is 32 random bytes, so its SHA-256 is enough: nobody can guess what it is the hash of, however fast they hash. A
slow hash with a salt is for what people choose.
"""

import fcntl
import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import SettingsConfigDict

from activities.error_text import said_by
from activities.errors import ConfigurationError
from activities.settings.environment import PROJECT, Group
from workflows.contract.approvals import is_same_person

PREFIX = "ERRAND_WEB_"
MARK = "errand_"
"""What every key begins with, for people and for programs that look for secrets in the wrong places."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")


class Right(StrEnum):
    """What a caller may do."""

    SUBMIT = "submit"
    """Start requests, and have to do with one's own: say more, cancel, close."""
    READ = "read"
    """See one's own requests."""
    READ_ALL = "read-all"
    """See everybody's."""
    APPROVE = "approve"
    """Decide about calls of the requests that one may see, and approve tools in advance."""
    RESOLVE = "resolve"
    """Settle writes of which nobody knows whether they happened."""
    ADMIN = "admin"
    """All of it, also with requests of others."""


class KeySettings(Group):
    """Where the keys are."""

    model_config = SettingsConfigDict(env_prefix=PREFIX)

    keys: Path = Field(
        default=Path(".errand/keys.json"),
        validate_default=True,
        description="the file with the hashes of callers' keys, which `client.py keys` writes",
    )

    @field_validator("keys")
    @classmethod
    def _is_the_same_wherever_it_is_read(cls, path: Path) -> Path:
        return PROJECT / path

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment.

        Raises:
            ConfigurationError: a variable's value is wrong; the message names the variable.
        """
        try:
            return cls()
        except ValidationError as invalid:
            first = invalid.errors()[0]
            where = f"{PREFIX}{str(first['loc'][0]).upper()}: " if first["loc"] else ""
            raise ConfigurationError(where + said_by(first)) from invalid


class Key(BaseModel):
    """One caller's key, as the file has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=f"^{NAME.pattern}$")
    hash: str = Field(pattern="^[0-9a-f]{64}$")
    may: tuple[Right, ...]
    added_at: datetime


class KeyFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[Key, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The keys in a file; None where there is no file.

        Raises:
            ConfigurationError: it cannot be read, or is no file of keys.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError(f"{PREFIX}KEYS: {path}: {error.strerror}") from error
        except ValidationError as invalid:
            first = invalid.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise ConfigurationError(f"{PREFIX}KEYS: {path}: {where or 'the file'}: {said_by(first)}") from invalid

    def key_of(self, secret: str) -> Key | None:
        """Whose key this is. It takes as long whichever it is, and for one that is none."""
        given, found = hash_of(secret), None
        for key in self.keys:
            if secrets.compare_digest(key.hash, given):
                found = key
        return found


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def add_key(path: Path, name: str, may: Sequence[Right]) -> str:
    """Write down a new key.

    Returns:
        The key itself, which stands nowhere.

    Raises:
        ConfigurationError: the name cannot be one or is taken, or the file cannot be written.
    """
    if not NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} cannot be a caller's name: letters (A to Z), digits and . _ @ + - can")
    if not may:
        raise ConfigurationError(f"--may: say what {name} may do: {', '.join(Right)}")
    secret = MARK + secrets.token_urlsafe(32)
    with _changed(path) as keys:
        if any(is_same_person(each.name, name) for each in keys):
            raise ConfigurationError(f"there is a key of {name} already; remove it first, or use another name")
        key = Key(name=name, hash=hash_of(secret), may=tuple(dict.fromkeys(may)), added_at=datetime.now(UTC))
        keys.append(key)
    return secret


def remove_key(path: Path, name: str) -> None:
    """From now on the key of this name opens nothing.

    Raises:
        ConfigurationError: there is none, or the file cannot be written.
    """
    with _changed(path) as keys:
        left = [each for each in keys if each.name != name]
        if len(left) == len(keys):
            raise ConfigurationError(f"there is no key of {name}")
        keys[:] = left


@contextmanager
def _changed(path: Path) -> Generator[list[Key]]:
    """The keys, to be changed by one program at a time; a reader sees the file before or after, never half of it."""
    try:
        path.parent.mkdir(exist_ok=True)
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = KeyFile.read(path)
            keys = [*known.keys] if known else []
            yield keys
            # Readable by nobody else from the first byte on.
            number, written = tempfile.mkstemp(dir=path.parent, prefix=path.name)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(KeyFile(keys=tuple(keys)).model_dump_json(indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            Path(written).replace(path)
    except OSError as error:
        raise ConfigurationError(f"{PREFIX}KEYS: {path}: {error.strerror}") from error
