"""Bearer tokens of an OpenID Connect issuer (RFC 9068, OpenID Connect Discovery 1.0).

A token counts that the issuer has signed, for this door's audience, and whose time is not over. Its rights stand in one
claim, each as `errand:submit`; what else stands there is none of ours.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.requests import HTTPConnection

from activities.http.tls import trusted_roots
from deploy.client.keys import Right
from deploy.web.callers import Caller, Way, bearer, not_authenticated
from deploy.web.keys import Keys
from deploy.web.problems import AGAIN_IN, Kind, Problem
from deploy.web.settings import WebSettings

log = structlog.stdlib.get_logger("errand")

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]
"""With keys that only the issuer has. None of those with a shared secret, nor "none"."""
LEEWAY = 30
"""Seconds by which the issuer's clock may differ."""
KEPT = 3600.0
"""Seconds after which the issuer's keys are fetched anew."""
NOT_BEFORE = 30.0
"""Seconds between two fetches, however many tokens name a key that is not known."""
PATIENCE = 5.0
PREFIX = "errand:"
LONGEST_NAME = 200


@dataclass
class IssuerKeys:
    """The issuer's public keys, fetched when they are needed and kept for an hour."""

    issuer: str
    http: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(verify=trusted_roots(), timeout=PATIENCE, follow_redirects=False)
    )
    _keys: KeySet | None = None
    _configuration: Mapping[str, object] = field(default_factory=dict[str, object])
    _fetched_at: float = float("-inf")
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, *, anew: bool = False) -> KeySet:
        """The keys.

        Args:
            anew: a token names one that is not among them; the issuer may have it since.

        Raises:
            Problem: the issuer cannot be asked.
        """
        async with self._one_at_a_time:
            age = time.monotonic() - self._fetched_at
            if self._keys is not None and age < (NOT_BEFORE if anew else KEPT):
                return self._keys
            try:
                self._keys = await self._fetch()
                self._fetched_at = time.monotonic()
            except (httpx.HTTPError, ValueError, KeyError, TypeError, JoseError) as error:
                log.warning("the keys of the issuer cannot be fetched", issuer=self.issuer, error=str(error))
                if self._keys is None:
                    why = f"the keys of {self.issuer} cannot be fetched"
                    raise Problem(Kind.UNAVAILABLE, why, again_in=AGAIN_IN) from error
                self._fetched_at = time.monotonic() - KEPT + NOT_BEFORE  # those from before count until the next try
            return self._keys

    async def endpoint(self, name: str) -> str:
        """Where the issuer takes what its configuration calls so.

        Raises:
            Problem: the issuer cannot be asked, or has no such endpoint that is safe.
        """
        await self.get()
        where = self._configuration.get(name)
        if not isinstance(where, str) or (self.issuer.startswith("https://") and not where.startswith("https://")):
            raise Problem(Kind.UNAVAILABLE, f"{self.issuer} has no {name} that can be used", again_in=60)
        return where

    def says(self, name: str) -> object:
        """What else the configuration says; None, where it does not."""
        return self._configuration.get(name)

    async def _fetch(self) -> KeySet:
        found = await self._json(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found["issuer"] != self.issuer:
            raise ValueError(f"it calls itself {found['issuer']}")
        where = str(found["jwks_uri"])
        if self.issuer.startswith("https://") and not where.startswith("https://"):
            raise ValueError(f"its keys are at {where}, which is not https")
        known = KeySet.import_key_set(cast("Any", await self._json(where)))
        self._configuration = found
        return known

    async def _json(self, url: str) -> Mapping[str, object]:
        answer = await self.http.get(url)
        answer.raise_for_status()
        return answer.json()


def by_token(settings: WebSettings, keys: Keys, issued: IssuerKeys | None = None) -> Way:
    """Callers with tokens of the issuer that the settings name. None may be called like one who has a key."""
    issued = issued or IssuerKeys(settings.oidc_issuer or "")

    async def way(connection: HTTPConnection) -> Caller | None:
        token = bearer(connection)
        if token is None:
            return None
        return caller_in(await claims_in(token, issued, settings.oidc_audience or ""), settings, keys)

    return way


async def claims_in(token: str, issued: IssuerKeys, audience: str) -> dict[str, Any]:
    """The claims of a token that the issuer has signed for this audience, and whose time is not over.

    Raises:
        Problem: it is none.
    """
    claims = await _signed(token, issued)
    wanted = jwt.JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": issued.issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
    )
    try:
        wanted.validate(claims)
    except JoseError as error:
        raise not_authenticated(f"the token: {error.description or error.error}") from error
    return claims


async def _signed(token: str, issued: IssuerKeys) -> dict[str, Any]:
    """What the issuer has signed."""
    for anew in (False, True):
        known = await issued.get(anew=anew)
        try:
            return jwt.decode(token, known, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError) as error:
            if anew:
                raise not_authenticated("the token: it is none, or not signed by the issuer") from error
    raise AssertionError("one of the two returns or raises")


def caller_in(claims: Mapping[str, Any], settings: WebSettings, keys: Keys) -> Caller:
    """Whom a token's claims name.

    Raises:
        Problem: nobody, or somebody who is called like a caller with a key.
    """
    name = claims.get(settings.oidc_name)
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise not_authenticated(f"the token: its claim {settings.oidc_name} is no name")
    if settings.oidc_name == "email" and claims.get("email_verified") is not True:
        raise not_authenticated("the token: its claim email is not verified")
    if keys.has(name):
        raise not_authenticated(f"the token: {name} is called like a caller with a key")
    return Caller(name, frozenset(_rights(claims.get(settings.oidc_rights))))


def _rights(claim: object) -> list[Right]:
    """Those in a claim: text with spaces between (RFC 8693), or a list."""
    words = claim.split() if isinstance(claim, str) else cast("list[object]", claim) if isinstance(claim, list) else []
    named = {f"{PREFIX}{right}": right for right in Right}
    return [named[word] for word in words if isinstance(word, str) and word in named]
