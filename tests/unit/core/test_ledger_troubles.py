"""What a database says of a ledger that cannot be used comes with what is to be done about just that."""

import pytest

from activities.ledger.troubles import OF_ANY, trouble_of

REFUSED = 'connection failed: connection to server at "10.0.0.1", port 5432 failed: Connection refused'
NO_SPACE = "could not extend file: No space left on device"


@pytest.mark.parametrize(
    ("words", "todo", "passes"),
    [
        ("there is no ledger at /x/ledger.db; the worker's is the one to name", "the first worker makes it", False),
        ("database or disk is full", "make room", True),
        ("the disk of the ledger /x/ledger.db is full: 0 bytes are free", "make room", True),
        (NO_SPACE, "make room", True),
        ("database is locked", "see what holds it", True),
        ("cannot execute INSERT in a read-only transaction", "a replica", True),
        ("FATAL: sorry, too many clients already", "who holds its connections", True),
        (REFUSED, "host and port", True),
        ("FATAL: the database system is starting up", "its server runs", True),
        ("permission denied for table errand_actions", "the right to SELECT, INSERT", False),
        ('FATAL: password authentication failed for user "ann"', "user, password and database", False),
        ('FATAL: database "errand" does not exist', "user, password and database", False),
        ("attempt to write a readonly database", "this user may write the file", False),
        ("unable to open database file", "this user may write the file", False),
        ("[Errno -2] Name or service not known", "the host in ERRAND_LEDGER_URL", False),
        ("what nobody has heard of", OF_ANY, False),
    ],
)
def test_each_trouble_has_its_own_advice(words: str, todo: str, passes: bool) -> None:
    trouble = trouble_of(words)
    assert todo in trouble.todo
    assert trouble.passes is passes
