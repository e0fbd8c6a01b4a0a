"""The tokens of an OpenID Connect issuer (RFC 9068, OpenID Connect Discovery 1.0, RFC 7517).

A token counts that the issuer has signed, for the audience that is asked for, and whose time is not over.
"""

import asyncio
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import JWKRegistry, KeySet
from pydantic_core import from_json

from activities.error_text import in_one_line
from activities.errors import ErrandError, Unreachable
from activities.http.tls import trusted_roots
from activities.settings.environment import is_safe

log = structlog.stdlib.get_logger("errand")

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]
"""With keys that only the issuer has. None of those with a shared secret, nor "none"."""
TYPES = ("jwt", "at+jwt")
"""That a token may say it is (RFC 8725 section 3.11); a logout token, for one, is signed too, and lets nobody in."""
LEEWAY = 30
"""Seconds by which the issuer's clock may differ."""
KEPT = 3600.0
"""Seconds after which the issuer's keys are fetched anew."""
OUTLIVED = 86_400.0
"""Seconds for which they count at most, where the issuer cannot be asked meanwhile."""
NOT_BEFORE = 30.0
"""Seconds between two fetches, however many tokens name a key that is not known."""
AGAIN_IN = 5.0
"""Seconds until the next, where no key is known yet."""
PATIENCE = 5.0
"""Seconds for all that is fetched."""
LARGEST = 1_048_576
"""Bytes of what is fetched."""

warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)  # what issuers sign with is their choice


class TokenRefused(ErrandError):
    """A token is none, or none of the issuer's that counts."""


@dataclass
class Issuer:
    """Its configuration and public keys, fetched when they are needed and kept for an hour."""

    url: str
    http: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(verify=trusted_roots(), timeout=PATIENCE, follow_redirects=False)
    )
    _keys: KeySet | None = None
    _configuration: Mapping[str, object] = field(default_factory=dict[str, object])
    _fetched_at: float = float("-inf")
    _tried_at: float = float("-inf")
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def claims(self, token: str, audience: str) -> dict[str, Any]:
        """What a token for this audience says.

        Raises:
            TokenRefused: it is none, or not signed by the issuer, or not for this audience, or its time is over.
            Unreachable: the issuer cannot be asked for its keys.
        """
        found = await self._signed(token)
        kind = found.header.get("typ", TYPES[0])
        if not isinstance(kind, str) or kind.casefold().removeprefix("application/") not in TYPES:
            raise TokenRefused(f"the token: it is no access token, but {kind}")
        wanted = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self.url},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
        )
        try:
            wanted.validate(found.claims)
        except JoseError as error:
            raise TokenRefused(f"the token: {error.description or error.error}") from error
        return found.claims

    async def endpoint(self, name: str) -> str:
        """Where the issuer takes what its configuration calls so.

        Raises:
            Unreachable: the issuer cannot be asked, or has no such endpoint that is safe.
        """
        await self._known()
        where = self._configuration.get(name)
        if not isinstance(where, str) or not is_safe(where):
            raise Unreachable(f"{self.url} has no {name} that can be used")
        return where

    def says(self, name: str) -> object:
        """What else the configuration says; None, where it does not."""
        return self._configuration.get(name)

    async def _signed(self, token: str) -> jwt.Token:
        """A token that the issuer has signed; where it names no key that is known, the issuer may have it since."""
        for anew in (False, True):
            known = await self._known(anew=anew)
            try:
                return jwt.decode(token, known, algorithms=ALGORITHMS)
            except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:  # of a header like no other
                if anew:
                    raise TokenRefused("the token: it is none, or not signed by the issuer") from error
        raise AssertionError("one of the two returns or raises")

    async def _known(self, *, anew: bool = False) -> KeySet:
        if self._is_due(anew):
            async with self._one_at_a_time:
                if self._is_due(anew):
                    await self._try()
        if self._keys is None or time.monotonic() - self._fetched_at > OUTLIVED:
            raise Unreachable(f"the keys of {self.url} cannot be fetched; the log says why")
        return self._keys

    def _is_due(self, anew: bool) -> bool:
        now = time.monotonic()
        if self._keys is None:
            return now - self._tried_at >= AGAIN_IN
        return (anew or now - self._fetched_at >= KEPT) and now - self._tried_at >= NOT_BEFORE

    async def _try(self) -> None:
        """Fetch what there is; where that fails, what was known counts on."""
        try:
            async with asyncio.timeout(PATIENCE):
                self._configuration, self._keys = await self._fetch()
            self._fetched_at = self._tried_at = time.monotonic()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, KeyError, TypeError) as error:
            self._tried_at = time.monotonic()
            log.warning("the keys of the issuer cannot be fetched", issuer=self.url, error=in_one_line(error))

    async def _fetch(self) -> tuple[Mapping[str, object], KeySet]:
        found = await self._json(f"{self.url.rstrip('/')}/.well-known/openid-configuration")
        if found["issuer"] != self.url:
            raise ValueError(f"it calls itself {found['issuer']}: the settings have to name it exactly so")
        where = str(found["jwks_uri"])
        if not is_safe(where):
            raise ValueError(f"its keys are at {where}, which is not https: whoever is on the way could change them")
        return found, _understood(await self._json(where))

    async def _json(self, url: str) -> Mapping[str, object]:
        body = bytearray()
        async with self.http.stream("GET", url) as answer:
            if not answer.is_success:
                raise ValueError(f"{url} answers {answer.status_code}")
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise ValueError(f"{url} has more than {LARGEST:,} bytes")
        return from_json(bytes(body))


def _understood(document: Mapping[str, object]) -> KeySet:
    """The keys of a set, without those that cannot be used here (RFC 7517 section 5)."""
    keys = [usable for each in cast("list[Any]", document["keys"]) for usable in _usable(each)]
    if not keys:
        raise ValueError("none of its keys can be used")
    return KeySet(keys)


def _usable(key: Any) -> KeySet | tuple[()]:
    try:
        return KeySet([JWKRegistry.import_key(key)])
    except (JoseError, UnsupportedAlgorithm, ValueError, KeyError, TypeError, AttributeError) as error:
        log.info("a key of the issuer cannot be used", error=in_one_line(error))
        return ()
