"""Numbers that are made up but stay the same: the same question gets the same number on every machine."""

import hashlib


def fraction(*question: object) -> float:
    """A number from 0 up to 1 that depends on the question alone."""
    digest = hashlib.sha256(repr(question).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def between(low: float, high: float, *question: object) -> float:
    """A number from `low` up to `high` that depends on the question alone."""
    return low + (high - low) * fraction(*question)
