"""How requests to a far end say who asks. Secrets come from the environment, and stand nowhere but in the request."""

import re
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, field_validator

from activities.error_text import message_of
from activities.errors import AddressRefused, ConfigurationError, ServiceRefused, ServiceUnavailable
from activities.http.web import read
from activities.redaction import SECRETS
from activities.toolkit.openapi.settings import Auth, ClientCredentials

MARGIN = 60.0
"""Seconds before its end that a token is not used any more."""
LIFE = 300.0
"""Seconds, of a token that does not say how long it lives."""

Send = Callable[[httpx.Request], Awaitable[httpx.Response]]


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
        self._token = _Token(auth.oauth2, self._values) if auth.oauth2 else None

    @property
    def variables(self) -> tuple[str, ...]:
        return variables_of(self._auth)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(name for name in self.variables if name not in self._values)

    async def put_on(self, request: httpx.Request, send: Send) -> bool:
        """Write into a request who asks.

        Returns whether by a token that was fetched before, and may have been taken back since.

        Args:
            request: it is changed.
            send: sends the request for a token, and raises errors of the tree.

        Raises:
            ServiceUnavailable: no token can be had now.
            ServiceRefused: there is none for these credentials.
        """
        auth, values = self._auth, self._values
        is_kept = self._token is not None and self._token.is_kept
        if auth.bearer:
            request.headers["authorization"] = f"Bearer {values[auth.bearer]}"
        if auth.basic:
            request.headers["authorization"] = _basic(values[auth.basic.user], values[auth.basic.password])
        if self._token:
            request.headers["authorization"] = f"Bearer {await self._token.current(send)}"
        for name, variable in auth.header.items():
            request.headers[name] = values[variable]
        if auth.query:
            own = "&".join(
                f"{quote(name, safe='')}={quote(values[each], safe='')}" for name, each in auth.query.items()
            )
            query = b"&".join(part for part in (request.url.query, own.encode()) if part)
            request.url = request.url.copy_with(query=query)
        return is_kept

    @contextmanager
    def noticing_refusals(self, far: str, *, token_is_kept: bool) -> Generator[None]:
        """A far end that refuses may not have known who asked: the next attempt does so with a new token.

        Raises:
            ServiceUnavailable: by 401 it refused a token that was fetched before.
            ServiceRefused: it refused anything else.
        """
        try:
            yield
        except AddressRefused as error:
            raise ServiceRefused(f"{far}: {message_of(error)}") from error
        except ServiceRefused as error:
            self.refused()
            if error.unauthorized and token_is_kept:
                raise ServiceUnavailable(f"{message_of(error)}; the next attempt is with a new token") from error
            raise

    def refused(self) -> None:
        """The far end did not know who asked: a token that was fetched is of no more use."""
        if self._token:
            self._token.forget()


class _Reply(BaseModel):
    """RFC 6749 section 5.1."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    access_token: str
    expires_in: float = LIFE

    @field_validator("expires_in", mode="before")
    @classmethod
    def _may_say_nothing(cls, value: object) -> object:
        """Some servers write that they do not say it."""
        return LIFE if value in (None, "") else value


class _Token:
    """An access token, fetched when it is needed."""

    def __init__(self, settings: ClientCredentials, values: Mapping[str, str]) -> None:
        self._settings = settings
        self._values = values
        self._token = ""
        self._latest: str = ""
        self._before: str = ""
        """The one before the latest, which what is under way may still quote."""
        self._until = 0.0

    def forget(self) -> None:
        self._token = ""

    @property
    def is_kept(self) -> bool:
        """Whether there is one already."""
        return bool(self._token) and time.monotonic() < self._until

    async def current(self, send: Send) -> str:
        if self.is_kept:
            return self._token
        settings = self._settings
        fields = {
            "grant_type": "client_credentials",
            **({"scope": " ".join(settings.scopes)} if settings.scopes else {}),
        }
        user, password = (self._values[name] for name in (settings.client_id, settings.client_secret))
        headers = {
            "accept": "application/json",
            "authorization": _basic(quote(user, safe=""), quote(password, safe="")),
        }
        asked = time.monotonic()
        reply = await send(httpx.Request("POST", settings.token_url, data=fields, headers=headers))
        found = read(_Reply, reply, f"the token server of {settings.token_url}")
        if found.access_token != self._latest:
            SECRETS.exchange(self._before, found.access_token)
            self._before, self._latest = self._latest, found.access_token
        self._token, self._until = found.access_token, asked + max(found.expires_in - MARGIN, found.expires_in / 2)
        return self._token


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
