"""Who sits at the desk: a cookie that is signed, so that any door knows it, also after a restart.

A session belongs to one key: where the key is removed or replaced, it is over. One of somebody whom an issuer has let
in has the rights that the issuer gave then. It counts for the pages alone, and not for `/v1/`, whose callers say who
they are with every call.
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

from deploy.client.keys import Key, Right
from deploy.web.callers import Caller, Way
from deploy.web.keys import Keys
from deploy.web.problems import Kind, Problem

LASTS = 12 * 3600
"""Seconds."""
LASTS_BY_ISSUER = 4 * 3600
"""Nobody tells the door when the issuer takes a right away."""
SIGN_IN_LASTS = 600
COOKIE = "errand_desk"
SIGN_IN_COOKIE = "errand_sign_in"
SECRET_BYTES = 32

log = structlog.stdlib.get_logger("errand")


class Session(BaseModel):
    """What the cookie says."""

    model_config = ConfigDict(frozen=True)

    name: str
    until: int
    of_key: str = ""
    of_issuer: str = ""
    may: tuple[Right, ...] = ()
    """Of somebody whom an issuer has let in; a key says itself what it may."""


class _Rules(TypedDict):
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["strict", "lax"]


@dataclass(frozen=True)
class Sessions:
    """`secret` signs cookies and tokens; `secure` keeps the cookie to HTTPS; `issuer` is who lets people in."""

    secret: bytes
    secure: bool
    issuer: str = ""
    now: Callable[[], float] = time.time

    def begin(self, response: Response, key: Key) -> None:
        """Let a response say that its reader is signed in."""
        self._begin(response, Session(name=key.name, of_key=_of(key), until=int(self.now()) + LASTS), LASTS)

    def begin_by_issuer(self, response: Response, caller: Caller) -> None:
        """The same, of somebody whom the issuer has let in."""
        until, may = int(self.now()) + LASTS_BY_ISSUER, tuple(sorted(caller.rights))
        session = Session(name=caller.name, until=until, of_issuer=self.issuer, may=may)
        self._begin(response, session, LASTS_BY_ISSUER)

    def _begin(self, response: Response, session: Session, lasts: int) -> None:
        written = base64.urlsafe_b64encode(session.model_dump_json().encode()).decode()
        response.set_cookie(self.cookie, f"{written}.{self._sign('session', written)}", max_age=lasts, **self._rules())

    def end(self, response: Response) -> None:
        response.delete_cookie(self.cookie, **self._rules())

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
        if session.until < self.now():
            return None
        if session.of_issuer:  # who is called like a caller with a key is none of the issuer's
            is_of_it = session.of_issuer == self.issuer and key is None
            return Caller(session.name, frozenset(session.may)) if is_of_it else None
        return Caller(key.name, frozenset(key.may)) if key and _of(key) == session.of_key else None

    def begin_sign_in(self, response: Response, state: str, begun: str) -> None:
        """Let the browser keep what a sign-in at the issuer began with, beside others in other tabs.

        It is sent along when the issuer's page leads back here, which `SameSite=Strict` would not be.
        """
        text = base64.urlsafe_b64encode(begun.encode()).decode()
        written = f"{int(self.now()) + SIGN_IN_LASTS}.{text}"
        value = f"{written}.{self._sign('sign-in', written)}"
        response.set_cookie(self._sign_in_cookie(state), value, max_age=SIGN_IN_LASTS, **self._rules("lax"))

    def has_begun(self, connection: HTTPConnection, state: str) -> bool:
        """Whether a sign-in under way has the place of this one."""
        return self._sign_in_cookie(state) in connection.cookies

    def sign_in_of(self, connection: HTTPConnection, state: str) -> str | None:
        """What it began with; None where none was begun, or too long ago."""
        written, _, signature = connection.cookies.get(self._sign_in_cookie(state), "").rpartition(".")
        if not hmac.compare_digest(self._sign("sign-in", written).encode(), signature.encode()):
            return None
        until, _, text = written.partition(".")
        return base64.urlsafe_b64decode(text).decode() if int(until) >= self.now() else None

    def end_sign_in(self, response: Response, state: str) -> None:
        response.delete_cookie(self._sign_in_cookie(state), **self._rules("lax"))

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

    def _sign_in_cookie(self, state: str) -> str:
        """One of sixteen, so that a browser has never so many that no server takes their header."""
        name = f"{SIGN_IN_COOKIE}_{hashlib.sha256(state.encode()).hexdigest()[0]}"
        return f"__Host-{name}" if self.secure else name

    def _rules(self, sent: Literal["strict", "lax"] = "strict") -> _Rules:
        return {"path": "/", "secure": self.secure, "httponly": True, "samesite": sent}

    def _sign(self, what: str, text: str) -> str:
        return hmac.new(self.secret, f"{what}|{text}".encode(), hashlib.sha256).hexdigest()


def by_session(sessions: Sessions, keys: Keys) -> Way:
    async def way(connection: HTTPConnection) -> Caller | None:
        return None if connection.scope["path"].startswith("/v1/") else sessions.of(connection, keys)

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
