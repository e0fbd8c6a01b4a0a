"""Who sits at the desk: a cookie that is signed, so that any door knows it, also after a restart.

A session belongs to one key: where the key is removed or replaced, it is over. It counts for the pages alone, and not
for `/v1/`, whose callers say who they are with every call.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import HTTPConnection
from starlette.responses import Response

from deploy.client.keys import Key
from deploy.web.callers import Caller, Way
from deploy.web.keys import Keys
from deploy.web.problems import Kind, Problem

LASTS = 12 * 3600
"""Seconds."""
COOKIE = "errand_desk"
SECRET_BYTES = 32

log = structlog.stdlib.get_logger("errand")


class Session(BaseModel):
    """What the cookie says."""

    model_config = ConfigDict(frozen=True)

    name: str
    of_key: str
    until: int


class _Rules(TypedDict):
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["strict"]


@dataclass(frozen=True)
class Sessions:
    """`secret` signs cookies and tokens; `secure` keeps the cookie to HTTPS."""

    secret: bytes
    secure: bool
    now: Callable[[], float] = time.time

    def begin(self, response: Response, key: Key) -> None:
        """Let a response say that its reader is signed in."""
        session = Session(name=key.name, of_key=_of(key), until=int(self.now()) + LASTS)
        written = base64.urlsafe_b64encode(session.model_dump_json().encode()).decode()
        response.set_cookie(self.cookie, f"{written}.{self._sign('session', written)}", max_age=LASTS, **self._rules)

    def end(self, response: Response) -> None:
        response.delete_cookie(self.cookie, **self._rules)

    def of(self, connection: HTTPConnection, keys: Keys) -> Caller | None:
        """Who is signed in with this call, if anybody is."""
        written, _, signature = connection.cookies.get(self.cookie, "").partition(".")
        if not hmac.compare_digest(self._sign("session", written).encode(), signature.encode()):
            return None
        try:
            session = Session.model_validate_json(base64.urlsafe_b64decode(written))
        except (ValidationError, binascii.Error):
            return None
        key = keys.named(session.name)
        if session.until < self.now() or key is None or _of(key) != session.of_key:
            return None
        return Caller(key.name, frozenset(key.may))

    def token(self, connection: HTTPConnection) -> str:
        """What a form of this session has to bring along (CSRF): no other site can know it."""
        return self._sign("form", connection.cookies.get(self.cookie, ""))

    def check(self, connection: HTTPConnection, token: str) -> None:
        """Refuse a form that is not of this session.

        Raises:
            Problem: it is not.
        """
        if not hmac.compare_digest(self.token(connection).encode(), token.encode()):
            raise Problem(Kind.ELSEWHERE, "the form is of another session: load the page again, and repeat it")

    @property
    def cookie(self) -> str:
        """A name that begins so is taken by browsers over HTTPS alone, and from this very host."""
        return f"__Host-{COOKIE}" if self.secure else COOKIE

    @property
    def _rules(self) -> _Rules:
        return {"path": "/", "secure": self.secure, "httponly": True, "samesite": "strict"}

    def _sign(self, what: str, text: str) -> str:
        return hmac.new(self.secret, f"{what}|{text}".encode(), hashlib.sha256).hexdigest()


def by_session(sessions: Sessions, keys: Keys) -> Way:
    async def way(connection: HTTPConnection) -> Caller | None:
        return None if connection.url.path.startswith("/v1/") else sessions.of(connection, keys)

    return way


def secret_beside(keys: Path) -> bytes:
    """The secret that doors with the same file of keys share; it is made by the first of them."""
    path = keys.with_name(f"{keys.stem}.session-secret")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            number, written = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # readable by nobody else
            with os.fdopen(number, "wb") as file:
                file.write(secrets.token_bytes(SECRET_BYTES))
            try:
                with suppress(FileExistsError):  # another door was first
                    os.link(written, path)
            finally:
                Path(written).unlink()
        return path.read_bytes()
    except OSError as error:
        log.warning("sessions of the desk end with this door", why=f"{path}: {error.strerror}")
        return secrets.token_bytes(SECRET_BYTES)


def _of(key: Key) -> str:
    """Which key it is, for whoever has the file of hashes."""
    return hashlib.sha256(key.hash.encode()).hexdigest()[:16]
