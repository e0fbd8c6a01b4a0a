"""Who calls, and what they may do.

A caller is known by a key, by a token, or by being the user of this machine; whatever a body says counts for nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import HTTPConnection

from activities.errors import ConfigurationError
from deploy.client.keys import MARK, Right
from deploy.web.keys import Keys
from deploy.web.problems import Kind, Problem
from deploy.web.settings import WebSettings

ADD_A_KEY = "add one: uv run client.py keys add NAME --may submit,read"


@dataclass(frozen=True)
class Caller:
    name: str
    rights: frozenset[Right]

    def may(self, right: Right) -> bool:
        return right in self.rights or Right.ADMIN in self.rights

    @property
    def sees_all(self) -> bool:
        return self.may(Right.READ_ALL)


Way: TypeAlias = Callable[[HTTPConnection], Awaitable[Caller | None]]
"""One way to tell who calls: None where the call has nothing of the kind.

Raises `Problem` where it has, and it is wrong.
"""


@dataclass(frozen=True)
class Callers:
    """Asks every way in turn."""

    ways: Sequence[Way]

    async def of(self, connection: HTTPConnection) -> Caller:
        """Who calls.

        Raises:
            Problem: nobody knows.
        """
        for way in self.ways:
            if caller := await way(connection):
                return caller
        raise not_authenticated("say who calls: Authorization: Bearer KEY")


def not_authenticated(why: str) -> Problem:
    return Problem(Kind.NOT_AUTHENTICATED, why, headers={"WWW-Authenticate": 'Bearer realm="errand"'})


def bearer(connection: HTTPConnection) -> str | None:
    """What stands in the header `Authorization`, if it is a bearer's (RFC 6750)."""
    header = connection.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, secret = header.partition(" ")
    if scheme.casefold() != "bearer" or not secret.strip():
        raise not_authenticated("the header Authorization: expected Bearer KEY")
    return secret.strip()


def by_key(keys: Keys) -> Way:
    async def way(connection: HTTPConnection) -> Caller | None:
        secret = bearer(connection)
        if secret is None or not secret.startswith(MARK):
            return None
        if key := keys.key_of(secret):
            return Caller(key.name, frozenset(key.may))
        raise not_authenticated("there is no such key, or not any more")

    return way


def as_the_local_user(keys: Keys, name: str) -> Way:
    """Whoever calls is the user of this machine, until there are keys."""

    async def way(connection: HTTPConnection) -> Caller | None:
        if keys.file is not None or bearer(connection) is not None:
            return None
        return Caller(name, frozenset(Right))

    return way


def must_be_closed(settings: WebSettings, keys: Keys) -> bool:
    """Whether callers have to say who they are.

    Raises:
        ConfigurationError: they would, and nobody could; or the door could be called under any name.
    """
    if not settings.names:
        raise ConfigurationError(f"ERRAND_WEB_PUBLIC_URL: say under which URL the door at {settings.host} is called")
    known = keys.file
    if settings.oidc_issuer or (known and known.keys):
        return True
    if settings.only_here and known is None:
        return False
    where = f"{settings.keys} has no key" if known else "there is no key"
    raise ConfigurationError(f"ERRAND_WEB_KEYS: {where}, and no ERRAND_WEB_OIDC_ISSUER is set; {ADD_A_KEY}")
