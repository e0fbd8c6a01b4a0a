"""Bearer tokens count that the issuer has signed for this door, and no others."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey
from pydantic import ValidationError
from starlette.requests import HTTPConnection

from deploy.client.keys import Right, add_key
from deploy.service import issuer as tokens
from deploy.web import oidc
from deploy.web.callers import Caller, Way
from deploy.web.keys import Keys
from deploy.web.problems import Problem
from deploy.web.settings import WebSettings
from tests.issuer import AUDIENCE, Issuer, serving


@pytest.fixture
def issuer() -> Generator[Issuer]:
    with serving() as issuer:
        yield issuer


def way_of(issuer: Issuer, tmp_path: Path, **more: object) -> Way:
    values = {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE, "keys": tmp_path / "keys.json", **more}
    settings = WebSettings.model_validate(values)
    return oidc.by_token(settings, Keys(settings.keys))


async def caller_of(way: Way, token: str) -> Caller | None:
    headers = [(b"authorization", f"Bearer {token}".encode())]
    return await way(HTTPConnection({"type": "http", "headers": headers}))


async def test_a_caller_is_who_the_issuer_says_with_the_rights_that_it_gives(issuer: Issuer, tmp_path: Path) -> None:
    way = way_of(issuer, tmp_path)
    token = issuer.token(scope="openid errand:submit errand:read-all errand:fly")
    assert await caller_of(way, token) == Caller("ann", frozenset({Right.SUBMIT, Right.READ_ALL}))
    by_list = issuer.token(sub="bob", scope=["errand:approve", 7])
    assert await caller_of(way, by_list) == Caller("bob", frozenset({Right.APPROVE}))
    assert issuer.asked == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"exp": None},
        {"nbf": 9_999_999_999},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "ann\n"},
        {"sub": " ann"},
        {"sub": "ann\u202e"},
        {"key": ECKey.generate_key("P-256")},
        {"key": OctKey.generate_key(256), "alg": "HS256"},
    ],
)
@pytest.mark.sampled(4)
async def test_a_token_that_is_not_for_this_door_or_not_of_the_issuer_is_none(
    issuer: Issuer, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    with pytest.raises(Problem) as refused:
        await caller_of(way_of(issuer, tmp_path), issuer.token(**wrong))
    assert refused.value.kind.status == 401


@pytest.mark.parametrize("token", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."])
async def test_what_is_no_token_is_refused(issuer: Issuer, tmp_path: Path, token: str) -> None:
    with pytest.raises(Problem) as refused:
        await caller_of(way_of(issuer, tmp_path), token)
    assert refused.value.kind.status == 401


async def test_a_key_that_the_issuer_has_since_is_fetched_but_not_for_every_token(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = way_of(issuer, tmp_path)
    assert await caller_of(way, issuer.token()) is not None
    issuer.keys.append(RSAKey.generate_key(2048, {"kid": "2"}))
    for _ in range(3):
        with pytest.raises(Problem):
            await caller_of(way, issuer.token(alg="RS256", kid="2"))
    assert issuer.asked == 2
    monkeypatch.setattr(tokens, "NOT_BEFORE", 0.0)
    assert await caller_of(way, issuer.token(alg="RS256", kid="2")) is not None
    assert issuer.asked == 4


async def test_an_issuer_that_cannot_be_asked_or_calls_itself_something_else_is_503(
    issuer: Issuer, tmp_path: Path
) -> None:
    issuer.name = "https://another.example"
    with pytest.raises(Problem) as refused:
        await caller_of(way_of(issuer, tmp_path), issuer.token())
    assert refused.value.kind.status == 503


async def test_nobody_is_called_like_a_caller_with_a_key_or_by_an_address_that_is_not_theirs(
    issuer: Issuer, tmp_path: Path
) -> None:
    add_key(tmp_path / "keys.json", "billing", [Right.ADMIN])
    with pytest.raises(Problem, match="called like a caller with a key"):
        await caller_of(way_of(issuer, tmp_path), issuer.token(sub="Billing"))
    by_mail = way_of(issuer, tmp_path, oidc_name="email")
    with pytest.raises(Problem, match="does not say that the email is verified"):
        await caller_of(by_mail, issuer.token(email="ann@example.com"))
    known = await caller_of(by_mail, issuer.token(email="ann@example.com", email_verified=True))
    assert known is not None
    assert known.name == "ann@example.com"


def test_tokens_are_taken_over_https_only_and_for_somebody() -> None:
    with pytest.raises(ValidationError, match="expected https://"):
        WebSettings(oidc_issuer="http://login.example.com", oidc_audience="errand")
    with pytest.raises(ValidationError, match="ERRAND_WEB_OIDC_AUDIENCE"):
        WebSettings(oidc_issuer="https://login.example.com")
