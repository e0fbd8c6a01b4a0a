"""The tokens of an issuer count, whatever it signs them with; its slowness and its odd keys harm nobody else."""

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from activities.errors import Unreachable
from deploy.service import issuer
from deploy.service.issuer import Issuer, TokenRefused
from tests.logged import lines_of, logged

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "oidc_provider.json").read_text())
"""What a certified provider answered, and the tokens that it gave a client."""
URL = RECORDED["configuration"]["issuer"]
KEY = ECKey.generate_key("P-256", {"kid": "1", "use": "sig"})


async def without_end(part: bytes, pause: float) -> AsyncGenerator[bytes]:
    while True:
        yield part
        await asyncio.sleep(pause)


@dataclass
class Provider(httpx.AsyncBaseTransport):
    """Answers in the place of `https://login.example.com`."""

    keys: object = field(default_factory=lambda: [KEY.as_dict(private=False)])
    configuration: dict[str, object] = field(default_factory=lambda: dict(RECORDED["configuration"]))
    body: AsyncGenerator[bytes] | None = None
    """Of its keys, in place of `keys`."""
    status: int = 200
    asked: list[str] = field(default_factory=list[str])

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if request.url.path == "/ops/.well-known/openid-configuration":
            return httpx.Response(self.status, json=self.configuration)
        return httpx.Response(200, content=self.body) if self.body else httpx.Response(200, json={"keys": self.keys})


def at(provider: Provider, url: str = URL) -> Issuer:
    return Issuer(url, httpx.AsyncClient(transport=provider))


def token(key: ECKey = KEY, kid: str = "1", typ: object = "JWT", **claims: object) -> str:
    said = {"iss": URL, "aud": "errand", "sub": "ann", "exp": int(time.time()) + 60, **claims}
    return jwt.encode({"alg": "ES256", "kid": kid, "typ": typ}, said, key)


@pytest.mark.parametrize("algorithm", RECORDED["tokens"])
async def test_the_tokens_of_a_certified_provider_count(algorithm: str) -> None:
    provider = Provider(keys=RECORDED["keys"]["keys"])
    claims = await at(provider).claims(RECORDED["tokens"][algorithm], "errand")
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("billing", "billing", "errand:submit errand:read")


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "application/at+JWT"])
async def test_a_token_may_say_that_it_is_an_access_token(typ: str) -> None:
    assert (await at(Provider()).claims(token(typ=typ), "errand"))["sub"] == "ann"


@pytest.mark.parametrize("typ", ["logout+jwt", "dpop+jwt", ""])
async def test_what_the_issuer_signs_for_something_else_is_no_access_token(typ: object) -> None:
    with pytest.raises(TokenRefused, match="no access token"):
        await at(Provider()).claims(token(typ=typ), "errand")


@pytest.mark.parametrize(
    "header",
    [
        '{"alg": "ES256", "crit": 5}',
        '{"alg": ["ES256"]}',
        '{"alg": "ES256", "kid": {"a": 1}}',
        '{"alg": "ES256", "b64": false, "crit": ["b64"]}',
        "5",
    ],
)
async def test_a_token_with_a_header_like_no_other_is_refused(header: str) -> None:
    made = f"{urlsafe_b64encode(header.encode()).rstrip(b'=').decode()}.e30.AAAA"
    with pytest.raises(TokenRefused):
        await at(Provider()).claims(made, "errand")


@pytest.mark.parametrize("where", ["http://[", "https://[x]/", "https:///x", "http://issuer.example.com/token"])
async def test_an_endpoint_that_is_no_safe_address_is_not_used(where: str) -> None:
    provider = Provider()
    provider.configuration["token_endpoint"] = where
    with pytest.raises(Unreachable, match="no token_endpoint that can be used"):
        await at(provider).endpoint("token_endpoint")


@pytest.mark.parametrize("audience", ["errand", ["another", "errand"]])
async def test_a_token_may_be_for_several(audience: object) -> None:
    assert await at(Provider()).claims(token(aud=audience), "errand")


@pytest.mark.parametrize("audience", [["another"], [], "errand2", {"errand": 1}])
async def test_a_token_for_others_is_refused(audience: object) -> None:
    with pytest.raises(TokenRefused, match="aud"):
        await at(Provider()).claims(token(aud=audience), "errand")


@pytest.mark.parametrize(
    "odd",
    [
        {"kty": "AKP", "kid": "2", "alg": "ML-DSA-44", "pub": "AA"},
        {"kty": "EC", "kid": "2", "crv": "brainpoolP256r1", "x": "AA", "y": "AA"},
        {"kty": "OKP", "kid": "2", "crv": "Ed25519", "x": "AA"},
        {"kty": "RSA", "kid": "2", "e": "AQAB"},
        {"kty": "RSA", "kid": "2", "e": "AQAB", "n": "AQ"},
        {**KEY.as_dict(private=False), "kid": 2},
        {**KEY.as_dict(private=False), "kid": "2", "use": "tls"},
        {},
        7,
    ],
)
async def test_a_key_that_cannot_be_used_here_spoils_none_of_the_others(odd: object) -> None:
    provider = Provider(keys=[odd, KEY.as_dict(private=False)])
    assert (await at(provider).claims(token(), "errand"))["sub"] == "ann"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"jwks_uri": "http://login.example.com/jwks"}, "not https"),
        ({"jwks_uri": "file:///etc/passwd"}, "not https"),
        ({"issuer": f"{URL}/"}, f"it calls itself {URL}/"),
        ({"issuer": None}, "it calls itself None"),
    ],
)
async def test_an_issuer_that_cannot_be_trusted_is_not_and_the_log_says_why(
    changed: dict[str, object], why: str
) -> None:
    provider = Provider(configuration=RECORDED["configuration"] | changed)
    with logged() as log, pytest.raises(Unreachable, match="cannot be fetched; the log says why"):
        await at(provider).claims(token(), "errand")
    assert why in str(lines_of(log))
    assert provider.asked == ["/ops/.well-known/openid-configuration"]


async def test_keys_on_this_machine_may_come_without_tls() -> None:
    provider = Provider(configuration={"issuer": URL, "jwks_uri": "http://127.0.0.1:8080/jwks"})
    assert await at(provider).claims(token(), "errand")


async def test_a_redirect_is_not_followed() -> None:
    provider = Provider(status=302)
    with pytest.raises(Unreachable):
        await at(provider).claims(token(), "errand")
    assert len(provider.asked) == 1


async def test_an_issuer_that_drips_is_waited_for_once_and_by_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuer, "PATIENCE", 0.1)
    provider = Provider(body=without_end(b" ", 0.01))
    slow = at(provider)
    async with asyncio.timeout(2):
        ended = await asyncio.gather(*(slow.claims(token(), "errand") for _ in range(50)), return_exceptions=True)
    assert {type(each) for each in ended} == {Unreachable}
    assert len(provider.asked) == 2


async def test_who_goes_away_while_the_keys_are_fetched_spoils_it_for_nobody_else() -> None:
    provider = Provider(body=without_end(b" ", 0.01))
    known = at(provider)
    gone = asyncio.create_task(known.claims(token(), "errand"))
    await asyncio.sleep(0.05)
    provider.body = None
    gone.cancel()
    assert await known.claims(token(), "errand")


async def test_keys_that_have_no_end_are_not_read_to_it() -> None:
    with logged() as log, pytest.raises(Unreachable):
        await at(Provider(body=without_end(b" " * 65_536, 0))).claims(token(), "errand")
    assert "has more than 1,048,576 bytes" in str(lines_of(log))


async def test_while_a_key_is_looked_for_tokens_by_the_others_are_not_kept_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = Provider()
    known = at(provider)
    await known.claims(token(), "errand")
    monkeypatch.setattr(issuer, "NOT_BEFORE", 0.0)
    provider.body = without_end(b" ", 0.01)
    looks = asyncio.create_task(known.claims(token(kid="2"), "errand"))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(1):
        assert await known.claims(token(), "errand")
    assert not looks.done()
    looks.cancel()


async def test_a_key_that_is_taken_away_counts_no_more_once_the_keys_are_fetched_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider, new = Provider(), ECKey.generate_key("P-256", {"kid": "2"})
    known = at(provider)
    await known.claims(token(), "errand")
    monkeypatch.setattr(issuer, "NOT_BEFORE", 0.0)
    provider.keys = [new.as_dict(private=False)]
    assert await known.claims(token(new, "2"), "errand")
    with pytest.raises(TokenRefused):
        await known.claims(token(), "errand")


async def test_while_the_issuer_is_away_what_was_known_counts_on_but_not_forever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = Provider()
    known = at(provider)
    await known.claims(token(), "errand")
    provider.status = 503
    for name in ("KEPT", "NOT_BEFORE"):
        monkeypatch.setattr(issuer, name, 0.0)
    assert await known.claims(token(), "errand")
    monkeypatch.setattr(issuer, "OUTLIVED", 0.0)
    with pytest.raises(Unreachable):
        await known.claims(token(), "errand")
    provider.status = 200
    monkeypatch.setattr(issuer, "OUTLIVED", 60.0)
    assert await known.claims(token(), "errand")
