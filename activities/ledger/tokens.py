"""Tokens of attempts: one tells an attempt from any other.

That of a tool which may be asked again ends with how it asks, so that a worker whose tool would ask otherwise, or
somewhere else, does not. Both witnesses keep it: the ledger in its row, Temporal in the heartbeats.
"""

import secrets

RANDOM = 16
"""Characters that are random at least; there are 32 in all."""


def new_token(repeated_as: str = "") -> str:
    """A token that no attempt has had.

    Args:
        repeated_as: how the tool asks again, in 16 characters; empty where it must not.
    """
    return secrets.token_hex((2 * RANDOM - len(repeated_as)) // 2) + repeated_as


def another(token: str) -> str:
    """A new token, in place of one whose attempt may not end the write any more: what that has asked, it has asked."""
    return new_token(token[RANDOM:])


def asked_as(token: str, repeated_as: str) -> bool:
    """Whether the attempt of this token asked as a tool would ask again."""
    return bool(repeated_as) and token[RANDOM:] == repeated_as
