"""Signing people in by an OpenID Connect issuer: the authorization code flow with PKCE (OpenID Connect Core 1.0 section
3.1, RFC 7636).

Nothing of it is kept here: what a sign-in began with travels in a signed cookie of the browser that began it.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode

import httpx
import structlog
from pydantic import BaseModel, ConfigDict

from activities.error_text import in_one_line
from deploy.service.issuer import PATIENCE, Issuer
from deploy.web.callers import Caller, not_authenticated
from deploy.web.keys import Keys
from deploy.web.oidc import caller_in, claims_in
from deploy.web.problems import AGAIN_IN, Kind, Problem
from deploy.web.settings import WebSettings

log = structlog.stdlib.get_logger("errand")

AGAIN = "sign in again"


class Begun(BaseModel):
    """What a sign-in began with, which its end is held to."""

    model_config = ConfigDict(frozen=True)

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Begun":
        return cls(state=secrets.token_urlsafe(24), nonce=secrets.token_urlsafe(24), verifier=secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        """RFC 7636 section 4.2, method S256."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class CodeFlow:
    """`settings` name the issuer, and this door as its client."""

    settings: WebSettings
    issuer: Issuer
    keys: Keys

    async def where_to_begin(self, begun: Begun, redirect_uri: str) -> str:
        """The issuer's page.

        Raises:
            Unreachable: the issuer cannot be asked where that is.
        """
        page = await self.issuer.endpoint("authorization_endpoint")
        asked = {
            "response_type": "code",
            "client_id": self._client,
            "redirect_uri": redirect_uri,
            "scope": " ".join(dict.fromkeys(("openid", *self.settings.oidc_scopes))),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": begun.challenge,
            "code_challenge_method": "S256",
        }
        return f"{page}{'&' if '?' in page else '?'}{urlencode(asked)}"

    async def signed_in(self, begun: Begun, answer: Mapping[str, str], redirect_uri: str) -> Caller:
        """Who has signed in, by what the issuer sends their browser back with.

        Raises:
            Problem: nobody has; or the answer is to another sign-in, or not of this issuer.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise Problem(Kind.ELSEWHERE, f"the issuer's answer is to another sign-in: {AGAIN}")
        if answer.get("iss", self.issuer.url) != self.issuer.url:  # RFC 9207
            raise Problem(Kind.ELSEWHERE, f"the answer is of another issuer: {AGAIN}")
        if "code" not in answer:
            why = answer.get("error_description") or answer.get("error") or "nothing"
            raise not_authenticated(f"the issuer let nobody in, and says: {why[:300]}")
        return await self._caller(await self._tokens(answer["code"], begun, redirect_uri), begun)

    async def _tokens(self, code: str, begun: Begun, redirect_uri: str) -> Mapping[str, Any]:
        where = await self.issuer.endpoint("token_endpoint")
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": begun.verifier,
        }
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await self.issuer.http.post(where, **self._as_client(sent))
            told = answer.json()
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            log.warning("the issuer gives no tokens", issuer=self.issuer.url, error=in_one_line(error))
            raise Problem(Kind.UNAVAILABLE, f"{self.issuer.url} gives no tokens", again_in=AGAIN_IN) from error
        if not answer.is_success or not isinstance(told, dict):
            log.warning("the issuer gives no tokens", issuer=self.issuer.url, status=answer.status_code, told=told)
            raise not_authenticated(f"the issuer gives no tokens for this sign-in: {AGAIN}")
        return cast("Mapping[str, Any]", told)

    def _as_client(self, sent: Mapping[str, str]) -> dict[str, Any]:
        """The form, and who sends it (RFC 6749 section 2.3.1); a client without a secret is known by PKCE alone."""
        secret = self.settings.oidc_client_secret
        if secret is None:
            return {"data": {**sent, "client_id": self._client}}
        plain = secret.get_secret_value()
        if self.issuer.says("token_endpoint_auth_methods_supported") == ["client_secret_post"]:
            return {"data": {**sent, "client_id": self._client, "client_secret": plain}}
        return {"data": sent, "auth": (quote(self._client, safe=""), quote(plain, safe=""))}

    async def _caller(self, tokens: Mapping[str, Any], begun: Begun) -> Caller:
        """Of the ID token; where it says nothing of rights, they are those of the access token at this door."""
        identity = await claims_in(str(tokens.get("id_token", "")), self.issuer, self._client)
        nonce = identity.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), begun.nonce.encode()):
            raise not_authenticated(f"the ID token is of another sign-in: {AGAIN}")
        if identity.get("azp", self._client) != self._client:
            raise not_authenticated(f"the ID token is another client's: {AGAIN}")
        rights = self.settings.oidc_rights
        if rights not in identity:
            identity[rights] = await self._rights_at_this_door(tokens, identity.get("sub"))
        caller = caller_in(identity, self.settings, self.keys)
        if not caller.rights:
            raise Problem(Kind.FORBIDDEN, f"the issuer gives {caller.name} no right here, in the claim {rights}")
        return caller

    async def _rights_at_this_door(self, tokens: Mapping[str, Any], subject: object) -> object:
        audience, token = self.settings.oidc_audience or "", str(tokens.get("access_token", ""))
        try:
            access = await claims_in(token, self.issuer, audience)
        except Problem as problem:
            if problem.kind is Kind.UNAVAILABLE:
                raise
            why = f"the ID token has no claim {self.settings.oidc_rights}, and the access token is none for {audience}"
            raise not_authenticated(f"{why} ({problem})") from problem
        if access.get("sub") != subject:
            raise not_authenticated(f"the access token is somebody else's: {AGAIN}")
        return access.get(self.settings.oidc_rights)

    @property
    def _client(self) -> str:
        return self.settings.oidc_client_id or ""
