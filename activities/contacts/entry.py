"""One contact as a file has it."""

from typing import NamedTuple


class Entry(NamedTuple):
    name: str
    addresses: tuple[str, ...]
    """As they are written there."""
    organization: str = ""
    nicknames: str = ""


class Unreadable(ValueError):
    """The file is broken; the message says where, and what to do."""

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
