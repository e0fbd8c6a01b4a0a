"""How requests to a far end say who asks. Secrets come from the environment, and stand nowhere but in the request."""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from activities.error_text import message_of
from activities.errors import AddressRefused, ConfigurationError, ServiceRefused, ServiceUnavailable
from activities.redaction import SECRETS
from activities.toolkit.openapi.access_token import AccessToken, Send, basic
from activities.toolkit.openapi.settings import Auth


@dataclass(frozen=True)
class Token:
    """That of a request, by `oauth2`; empty where it has none."""

    value: str = ""
    was_kept: bool = False
    """Whether it was fetched before, and may have been taken back since."""


def variables_of(auth: Auth) -> tuple[str, ...]:
    """The variables that have to be there."""
    basic = (auth.basic.user, auth.basic.password) if auth.basic else ()
    oauth = (auth.oauth2.client_id, auth.oauth2.client_secret) if auth.oauth2 else ()
    bearer = (auth.bearer,) if auth.bearer else ()
    return tuple(dict.fromkeys((*bearer, *basic, *auth.header.values(), *auth.query.values(), *oauth)))


def filled_by(auth: Auth) -> frozenset[tuple[str, str]]:
    """Place and name of the parameters that are no arguments, since they say who asks."""
    headers = {("header", name.lower()) for name in auth.header}
    return frozenset(headers | {("query", name) for name in auth.query})


class Credentials:
    """Of one source.

    Args:
        auth: which variables go where.
        environment: their values. Each is kept out of histories and logs from now on.

    Raises:
        ConfigurationError: a value cannot stand in a header; the message names its variable.
    """

    def __init__(self, auth: Auth, environment: Mapping[str, str]) -> None:
        self._auth = auth
        self._values = {name: environment[name] for name in variables_of(auth) if environment.get(name)}
        user = auth.basic.user if auth.basic else None
        SECRETS.add_headers(*(value for name, value in self._values.items() if name != user))
        for name in (auth.bearer, *auth.header.values()):
            if name in self._values and not re.fullmatch(r"[!-~]+( [!-~]+)*", self._values[name]):
                raise ConfigurationError(
                    f"{name}: it has characters that no key has, such as a line end or one that is not ASCII"
                )
        self._token = AccessToken(auth.oauth2, self._values) if auth.oauth2 else None

    @property
    def variables(self) -> tuple[str, ...]:
        return variables_of(self._auth)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(name for name in self.variables if name not in self._values)

    async def put_on(self, request: httpx.Request, send: Send) -> Token:
        """Write into a request who asks.

        Returns the token by which it says so.

        Args:
            request: it is changed.
            send: sends the request for a token, and raises errors of the tree.

        Raises:
            ServiceUnavailable: no token can be had now.
            ServiceRefused: there is none for these credentials.
        """
        auth, values, token = self._auth, self._values, Token()
        if auth.bearer:
            request.headers["authorization"] = f"Bearer {values[auth.bearer]}"
        if auth.basic:
            request.headers["authorization"] = basic(values[auth.basic.user], values[auth.basic.password])
        if self._token:
            was_kept = self._token.is_kept
            token = Token(await self._token.current(send), was_kept)
            request.headers["authorization"] = f"Bearer {token.value}"
        for name, variable in auth.header.items():
            request.headers[name] = values[variable]
        if auth.query:
            own = "&".join(
                f"{quote(name, safe='')}={quote(values[each], safe='')}" for name, each in auth.query.items()
            )
            query = b"&".join(part for part in (request.url.query, own.encode()) if part)
            request.url = request.url.copy_with(query=query)
        return token

    @contextmanager
    def noticing_refusals(self, far: str, token: Token) -> Generator[None]:
        """A far end that answers 401 did not know who asked: the next attempt does so with a new token.

        Raises:
            ServiceUnavailable: by 401 it refused a token that was fetched before.
            ServiceRefused: it refused anything else.
        """
        try:
            yield
        except AddressRefused as error:
            raise ServiceRefused(f"{far}: {message_of(error)}") from error
        except ServiceRefused as error:
            if self._token and error.unauthorized:
                self._token.forget(token.value)
            if error.unauthorized and token.was_kept:
                raise ServiceUnavailable(f"{message_of(error)}; the next attempt is with a new token") from error
            raise
