"""The access token of a source that signs in by OAuth 2.0 client credentials (RFC 6749 section 4.4)."""

import asyncio
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationInfo, field_validator

from activities.errors import ServiceRefused
from activities.http.web import read
from activities.redaction import SECRETS
from activities.toolkit.openapi.settings import ClientCredentials

MARGIN = 60.0
"""Seconds before its end that a token is not used any more."""
LIFE = 300.0
"""Seconds, of a token that does not say how long it lives."""
QUOTED_FOR = 600.0
"""Seconds after a token was replaced, in which what was sent with it may still be answered, and quote it."""
MOST_REPLACED = 200
"""Of a server whose tokens live for no time at all."""

BEARER = "Bearer"
"""What some servers leave out, or lengthen ("BearerToken")."""

Send = Callable[[httpx.Request], Awaitable[httpx.Response]]


class _Reply(BaseModel):
    """RFC 6749 section 5.1; of the characters of a token those that RFC 6750 section 2.1 lets stand in a header."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    access_token: Annotated[str, StringConstraints(pattern=r"^[!-~]+$")]
    token_type: str = BEARER
    expires_in: float = LIFE

    @field_validator("expires_in", "token_type", mode="before")
    @classmethod
    def _may_say_nothing(cls, value: object, info: ValidationInfo) -> object:
        """Some servers write that they do not say it."""
        return cls.model_fields[info.field_name or ""].default if value in (None, "") else value


class AccessToken:
    """Fetched when it is needed, once for all who need it, and kept until it ends."""

    def __init__(self, settings: ClientCredentials, values: Mapping[str, str]) -> None:
        self._settings = settings
        self._values = values
        self._token = ""
        self._until = 0.0
        self._fetching: asyncio.Task[str] | None = None
        self._latest = ""
        self._replaced: dict[str, float] = {}
        """Earlier ones → when they were replaced; they are still redacted."""

    @property
    def is_kept(self) -> bool:
        """Whether there is one already."""
        return bool(self._token) and time.monotonic() < self._until

    def forget(self, token: str) -> None:
        """A token was refused: where it is still the one that is kept, it is of no more use."""
        if token == self._token:
            self._token = ""

    async def current(self, send: Send) -> str:
        """The one that is kept, or a new one.

        Args:
            send: sends the request for it, and raises errors of the tree.

        Raises:
            ServiceUnavailable: none can be had now.
            ServiceRefused: there is none for these credentials.
        """
        if self.is_kept:
            return self._token
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch(send))
            self._fetching.add_done_callback(self._is_fetched)
        # Who does not wait any longer takes it from nobody else.
        return await asyncio.shield(self._fetching)

    def _is_fetched(self, task: asyncio.Task[str]) -> None:
        self._fetching = None
        if not task.cancelled():
            task.exception()  # told to all who waited, if there still are any

    async def _fetch(self, send: Send) -> str:
        settings = self._settings
        fields = {
            "grant_type": "client_credentials",
            **({"scope": " ".join(settings.scopes)} if settings.scopes else {}),
        }
        user, password = (self._values[name] for name in (settings.client_id, settings.client_secret))
        headers = {
            "accept": "application/json",
            "authorization": basic(quote(user, safe=""), quote(password, safe="")),
        }
        asked = time.monotonic()
        reply = await send(httpx.Request("POST", settings.token_url, data=fields, headers=headers))
        found = read(_Reply, reply, f"the token server of {settings.token_url}")
        self._redact(found.access_token)
        if not found.token_type.lower().startswith(BEARER.lower()):
            kind = found.token_type[:30]
            raise ServiceRefused(
                f"the token server of {settings.token_url} gives {kind!r} tokens; only Bearer is known"
            )
        self._token, self._until = found.access_token, asked + max(found.expires_in - MARGIN, found.expires_in / 2)
        return self._token

    def _redact(self, token: str) -> None:
        """From now on, and earlier ones as long as they may be quoted."""
        if token == self._latest:
            return
        now = time.monotonic()
        self._replaced.pop(token, None)
        if self._latest:
            self._replaced[self._latest] = now
        self._latest = token
        SECRETS.add_passing(token)
        too_many = len(self._replaced) - MOST_REPLACED
        for place, (earlier, at) in enumerate([*self._replaced.items()]):
            if place < too_many or now - at > QUOTED_FOR:
                del self._replaced[earlier]
                SECRETS.forget(earlier)


def basic(user: str, password: str) -> str:
    """The header's value (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
