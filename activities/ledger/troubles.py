"""What SQLite and PostgreSQL say where a ledger cannot be used: whether it may pass, and what is to be done."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Trouble:
    """Known by what is said of it."""

    said: str
    todo: str
    passes: bool = False
    """Whether the same may work later."""


TROUBLES = (
    Trouble(
        "there is no ledger at|there is no folder",
        "name the workers' ledger in ERRAND_LEDGER_URL; the first worker makes it",
    ),
    Trouble("disk (of .* )?is full|No space left|could not extend", "make room on the ledger's disk", passes=True),
    Trouble("disk I/O error", "see that the ledger's disk is in order, and has room", passes=True),
    Trouble("is locked|no answer in time|lock timeout", "see what holds it, or that its server runs", passes=True),
    Trouble(
        "read-only transaction|during recovery",
        "name the server that takes writes in ERRAND_LEDGER_URL: this one is a replica, or was made read-only",
        passes=True,
    ),
    Trouble("too many|remaining connection slots", "see who holds its connections", passes=True),
    Trouble(
        "Is the server running|refused|timeout expired|starting up|shutting down|recovery mode|accepting|terminat",
        "see that host and port in ERRAND_LEDGER_URL are right, or that its server runs",
        passes=True,
    ),
    Trouble(
        "permission denied for|must be owner of",
        "give the user in ERRAND_LEDGER_URL the right to SELECT, INSERT, UPDATE and DELETE in each of its tables",
    ),
    Trouble(
        "password|pg_hba|(role|database|user) .* does not exist",
        "see that user, password and database in ERRAND_LEDGER_URL are right",
    ),
    Trouble(
        "readonly database|[Rr]ead-only file system|unable to open database file|Permission denied",
        "see that this user may write the file that ERRAND_LEDGER_URL names, and its folder: SQLite writes beside it, "
        "even to read a file that workers have open, or that has a -wal",
    ),
    Trouble("resolve|translate host|Name or service", "see that the host in ERRAND_LEDGER_URL is right"),
)
"""The first that fits is meant."""
OF_ANY = "see that ERRAND_LEDGER_URL is right, and is what the workers have"


def trouble_of(words: str) -> Trouble:
    """What is meant by the words of a database, or of an error about one."""
    return next((each for each in TROUBLES if re.search(each.said, words)), Trouble("", OF_ANY))
