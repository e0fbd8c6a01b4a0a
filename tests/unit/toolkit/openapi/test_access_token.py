"""A token by client credentials (RFC 6749 section 4.4) is fetched once, told to nobody, and no other thing is one."""

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qs

import httpx
import pytest

from activities.errors import ServiceRefused, ServiceUnavailable
from activities.redaction import redacted
from activities.toolkit.openapi import access_token
from activities.toolkit.openapi.access_token import AccessToken
from activities.toolkit.openapi.settings import ClientCredentials
from tests.unit.toolkit.openapi.small import Part

SETTINGS = ClientCredentials.model_validate(
    {
        "token_url": "https://login.example.com/token",
        "client_id": "CRM_ID",
        "client_secret": "CRM_SECRET",
        "scopes": ["a", "b"],
    }
)


class TokenServer:
    def __init__(self, answer: Callable[[int], Part]) -> None:
        self.asked: list[httpx.Request] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self._answer = answer

    async def send(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        number = len(self.asked)
        await self.answers.wait()
        return httpx.Response(200, json=self._answer(number), request=request)


@pytest.fixture
def token() -> AccessToken:
    return AccessToken(SETTINGS, {"CRM_ID": "client", "CRM_SECRET": "sec/ret-99"})


async def test_it_is_fetched_once_and_used_until_it_ends(token: AccessToken) -> None:
    server = TokenServer(lambda number: {"access_token": f"token-{number}-xyz", "expires_in": 3600})
    assert [await token.current(server.send) for _ in range(2)] == ["token-1-xyz"] * 2
    [asked] = server.asked
    assert parse_qs(asked.content.decode()) == {"grant_type": ["client_credentials"], "scope": ["a b"]}
    assert asked.headers["authorization"] == "Basic Y2xpZW50OnNlYyUyRnJldC05OQ=="
    assert "token-1-xyz" not in redacted("token-1-xyz")


async def test_who_needs_it_at_the_same_time_waits_for_the_same(token: AccessToken) -> None:
    server = TokenServer(lambda number: {"access_token": f"shared-{number}", "expires_in": 3600})
    server.answers.clear()
    first, *others = [asyncio.create_task(token.current(server.send)) for _ in range(5)]
    await asyncio.sleep(0.01)
    first.cancel()
    server.answers.set()
    assert await asyncio.gather(*others) == ["shared-1"] * 4


async def test_one_that_cannot_be_had_is_told_to_all_who_wait_and_asked_for_anew(token: AccessToken) -> None:
    server = TokenServer(lambda number: {"access_token": f"at-last-{number}"} if number > 1 else {"error": "busy"})
    waiting = [token.current(server.send) for _ in range(3)]
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in told] == [ServiceUnavailable] * 3
    assert await token.current(server.send) == "at-last-2"


@pytest.mark.parametrize("expires_in", [None, "", 3600, "3600"])
async def test_one_that_does_not_say_how_long_it_lives_is_used_all_the_same(
    token: AccessToken, expires_in: object
) -> None:
    server = TokenServer(lambda _: {"access_token": "lasting-1", "expires_in": expires_in})
    assert await token.current(server.send) == "lasting-1"


async def test_one_that_was_refused_is_fetched_anew_and_a_late_refusal_of_it_takes_away_no_other(
    token: AccessToken,
) -> None:
    server = TokenServer(lambda number: {"access_token": f"refused-{number}"})
    first = await token.current(server.send)
    token.forget(first)
    assert await token.current(server.send) == "refused-2"
    token.forget(first)
    assert await token.current(server.send) == "refused-2"


async def test_earlier_ones_are_redacted_as_long_as_they_may_be_quoted(
    token: AccessToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = TokenServer(lambda number: {"access_token": f"passing-{number}", "expires_in": 0})
    said = " ".join([await token.current(server.send) for _ in range(12)])
    assert "passing" not in redacted(said)
    monkeypatch.setattr(access_token, "QUOTED_FOR", -1.0)
    await token.current(server.send)
    assert redacted(f"{said} passing-13") == f"{said} [redacted]"


async def test_of_a_server_that_gives_ever_new_ones_no_more_are_kept_than_may_be(
    token: AccessToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_token, "MOST_REPLACED", 2)
    server = TokenServer(lambda number: {"access_token": f"endless-{number}", "expires_in": 0})
    said = " ".join([await token.current(server.send) for _ in range(4)])
    assert redacted(said) == "endless-1 [redacted] [redacted] [redacted]"


@pytest.mark.parametrize("given", ["", "abc\r\nX-Evil: 1", "abc\n", "a\x00b", "two words", "tök€n", None, 5])
async def test_what_no_header_can_hold_is_no_token_and_not_kept(token: AccessToken, given: object) -> None:
    server = TokenServer(lambda number: {"access_token": given if number == 1 else "mended-1", "expires_in": 3600})
    with pytest.raises(ServiceUnavailable, match=r"the token server of https://login\.example\.com/token sent a reply"):
        await token.current(server.send)
    assert await token.current(server.send) == "mended-1"


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BearerToken", "", None])
async def test_a_bearer_token_is_one_whatever_it_is_called(token: AccessToken, kind: object) -> None:
    server = TokenServer(lambda _: {"access_token": "bearing-1", "token_type": kind})
    assert await token.current(server.send) == "bearing-1"


async def test_a_token_of_another_type_is_not_sent(token: AccessToken) -> None:
    server = TokenServer(lambda _: {"access_token": "macaroon-1", "token_type": "mac"})
    with pytest.raises(ServiceRefused, match="gives 'mac' tokens; only Bearer is known"):
        await token.current(server.send)
    assert not token.is_kept
