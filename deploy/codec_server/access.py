"""Who may read what: the tokens of a TOML file, and those of an OpenID provider that it names.

[token.support]                                # printf %s "$TOKEN" | sha256sum
sha256 = "9f86d0…"
keys = ["2026-11"]                             # or ["*"]

[oidc]
issuer = "https://login.example.com"
audience = "temporal-ui"
[oidc.groups]                                  # of the claim `groups`, or of another that `claim` names
operators = ["*"]
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Self, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator

from activities.errors import ConfigurationError, ErrandError
from activities.settings.environment import is_safe
from activities.written_by_hand import read_toml
from deploy.service.issuer import Issuer, TokenRefused

EVERY_KEY = "*"

Keys = Annotated[frozenset[str], Field(min_length=1)]
"""Ids of keys; `*` is every key."""


class NotKnown(ErrandError):
    """Whoever asks has not said who it is, or not so that it can be believed."""


class Token(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    keys: Keys


class Oidc(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(pattern=r"^https?://")
    audience: str
    claim: str = "groups"
    groups: dict[str, Keys]

    @field_validator("issuer")
    @classmethod
    def _keys_cannot_be_changed_on_the_way(cls, url: str) -> str:
        if not is_safe(url):
            raise ValueError("expected https://: whoever is on the way could sign tokens")
        return url


class Access(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: dict[str, Token] = {}
    oidc: Oidc | None = None

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a file.

        Raises:
            ConfigurationError: it cannot be read, or does not say what it should.
        """
        found = read_toml(cls, file, "ERRAND_CODEC_ACCESS")
        if not found.token and found.oidc is None:
            raise ConfigurationError(f"ERRAND_CODEC_ACCESS: {file} lets nobody in; it needs [token.NAME] or [oidc]")
        return found


class Readers:
    """Tells by the header `Authorization` which keys somebody may read with."""

    def __init__(self, access: Access | None, every_key: Collection[str]) -> None:
        self._access = access
        self._every_key = frozenset(every_key)
        self._issuer: Issuer | None = None

    async def keys_for(self, authorization: str) -> frozenset[str]:
        """The ids of the keys; without a file of access, on loopback, every one.

        Raises:
            NotKnown: there is no token in the header, or none that is valid.
            Unreachable: the provider cannot be asked for its keys.
        """
        if self._access is None:
            return self._every_key
        kind, _, token = authorization.partition(" ")
        if kind.casefold() != "bearer" or not token:
            raise NotKnown("expected the header `Authorization: Bearer TOKEN`")
        digest = hashlib.sha256(token.strip().encode()).hexdigest()
        for each in self._access.token.values():
            if hmac.compare_digest(each.sha256, digest):
                return self._of([each.keys])
        if self._access.oidc is None:
            raise NotKnown("the token is not known")
        return self._of(await self._by_groups(self._access.oidc, token.strip()))

    async def _by_groups(self, oidc: Oidc, token: str) -> list[Keys]:
        issuer = self._issuer = self._issuer or Issuer(oidc.issuer)
        try:
            claims = await issuer.claims(token, oidc.audience)
        except TokenRefused as error:
            raise NotKnown(str(error)) from error
        said = claims.get(oidc.claim)
        groups = [said] if isinstance(said, str) else cast("list[object]", said) if isinstance(said, list) else []
        return [keys for group, keys in oidc.groups.items() if group in groups]

    def _of(self, granted: Iterable[Keys]) -> frozenset[str]:
        ids = frozenset(key_id for keys in granted for key_id in keys)
        return self._every_key if EVERY_KEY in ids else ids & self._every_key
