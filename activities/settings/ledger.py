"""The ledger's database."""

import re

from pydantic import Field, field_validator

from activities.settings.environment import PROJECT, Group

DEFAULT_LEDGER = ".errand/ledger.db"
"""Below the project's folder."""
DEFAULT_CONNECTIONS = 8
"""Six workers leave PostgreSQL's usual 100 connections to share with others."""
IN_MEMORY = re.compile(r"sqlite(\+\w+)?:(/{0,3}(:memory:)?(\?.*)?|.*\bfile::memory:.*|.*[?&]mode=memory\b.*)")
"""URLs of SQLite that name no file."""


class LedgerSettings(Group):
    """Where it is."""

    ledger_url: str = Field(
        default=f"sqlite:///{DEFAULT_LEDGER}",
        validate_default=True,
        repr=False,  # it may hold a password
        description="the table that knows every write; postgresql://… for workers on more than one machine",
    )

    ledger_connections: int = Field(
        default=DEFAULT_CONNECTIONS,
        ge=2,
        description="to PostgreSQL, of one worker process at most; half are for writes",
    )

    @field_validator("ledger_url")
    @classmethod
    def _is_kept(cls, url: str) -> str:
        """A ledger in memory would be empty for every connection, and forgotten with the worker."""
        if IN_MEMORY.fullmatch(url):
            raise ValueError("SQLite needs a file, such as sqlite:////var/lib/errand/ledger.db")
        return url

    @field_validator("ledger_url")
    @classmethod
    def _names_the_same_file_wherever_it_is_read(cls, url: str) -> str:
        """A relative path is one from the project's folder: two start folders must not be two ledgers."""
        relative = re.fullmatch(r"(sqlite(?:\+\w+)?:///)([^/:?].*)", url)
        return f"{relative[1]}{PROJECT / relative[2]}" if relative else url
