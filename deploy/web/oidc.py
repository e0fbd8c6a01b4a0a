"""Callers with bearer tokens of an OpenID Connect issuer.

A token's rights stand in one claim, each as `errand:submit`; what else stands there is none of ours.
"""

from collections.abc import Mapping
from typing import Any, cast

from starlette.requests import HTTPConnection

from activities.errors import Unreachable
from deploy.client.keys import Right
from deploy.service.issuer import Issuer, TokenRefused
from deploy.web.callers import Caller, Way, bearer, not_authenticated
from deploy.web.keys import Keys
from deploy.web.problems import problem_of
from deploy.web.settings import WebSettings

PREFIX = "errand:"
LONGEST_NAME = 200


def by_token(settings: WebSettings, keys: Keys, issuer: Issuer | None = None) -> Way:
    """Callers with tokens of the issuer that the settings name. None may be called like one who has a key."""
    known = issuer or Issuer(settings.oidc_issuer or "")

    async def way(connection: HTTPConnection) -> Caller | None:
        token = bearer(connection)
        if token is None:
            return None
        return caller_in(await claims_in(token, known, settings.oidc_audience or ""), settings, keys)

    return way


async def claims_in(token: str, issuer: Issuer, audience: str) -> dict[str, Any]:
    """The claims of a token that the issuer has signed for this audience, and whose time is not over.

    Raises:
        Problem: it is none; or the issuer cannot be asked for its keys.
    """
    try:
        return await issuer.claims(token, audience)
    except TokenRefused as error:
        raise not_authenticated(str(error)) from error
    except Unreachable as error:
        raise problem_of(error) from error


def caller_in(claims: Mapping[str, Any], settings: WebSettings, keys: Keys) -> Caller:
    """Whom a token's claims name.

    Raises:
        Problem: nobody, or somebody who is called like a caller with a key.
    """
    if (name := claims.get(settings.oidc_name)) is None:
        raise not_authenticated(f"the token: it has no claim {settings.oidc_name}, by which this door calls people")
    if not isinstance(name, str) or not is_a_name(name):
        raise not_authenticated(f"the token: its claim {settings.oidc_name} is no name")
    if settings.oidc_name == "email" and claims.get("email_verified") is not True:
        raise not_authenticated("the token: its issuer does not say that the email is verified (email_verified: true)")
    if keys.has(name):
        raise not_authenticated(f"the token: {name} is called like a caller with a key")
    return Caller(name, frozenset(_rights(claims.get(settings.oidc_rights))))


def is_a_name(said: str) -> bool:
    """Whether people see all of it, and take it for no other: nothing that is not shown, no space at either end."""
    return 0 < len(said) <= LONGEST_NAME and said == said.strip() and said.isprintable()


def _rights(claim: object) -> list[Right]:
    """Those in a claim: text with spaces between (RFC 8693), or a list."""
    words = claim.split() if isinstance(claim, str) else cast("list[object]", claim) if isinstance(claim, list) else []
    named = {f"{PREFIX}{right}": right for right in Right}
    return [named[word] for word in words if isinstance(word, str) and word in named]
