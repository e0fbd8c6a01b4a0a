"""Requests say who asks, and what they say it with stands nowhere else."""

from collections.abc import Mapping
from urllib.parse import parse_qs

import httpx
import pytest

from activities.errors import ConfigurationError
from activities.redaction import redacted
from activities.toolkit.openapi.credentials import Credentials, filled_by
from activities.toolkit.openapi.settings import Auth
from tests.unit.toolkit.openapi.small import Part, document, only

URL = "https://crm.example.com/things?a=1"
SECRETS: Mapping[str, str] = {
    "CRM_TOKEN": "tok-3f9a77",
    "CRM_USER": "errand",
    "CRM_PASSWORD": "pass-77c1d2",
    "CRM_ID": "client",
    "CRM_SECRET": "sec/ret-99",
}


async def _nobody(request: httpx.Request) -> httpx.Response:
    raise AssertionError(request)


async def _put_on(auth: Part) -> httpx.Request:
    request = httpx.Request("GET", URL)
    await Credentials(Auth.model_validate(auth), SECRETS).put_on(request, _nobody)
    return request


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"bearer": "CRM_TOKEN"}, "authorization", "Bearer tok-3f9a77"),
        (
            {"basic": {"user": "CRM_USER", "password": "CRM_PASSWORD"}},
            "authorization",
            "Basic ZXJyYW5kOnBhc3MtNzdjMWQy",
        ),
        ({"header": {"X-Api-Key": "CRM_TOKEN"}}, "x-api-key", "tok-3f9a77"),
    ],
)
async def test_a_secret_goes_into_its_header(auth: Part, header: str, value: str) -> None:
    assert (await _put_on(auth)).headers[header] == value


async def test_a_secret_goes_into_the_query_behind_what_is_there() -> None:
    assert (await _put_on({"query": {"key": "CRM_SECRET"}})).url.query == b"a=1&key=sec%2Fret-99"


@pytest.mark.parametrize("name", ["CRM_TOKEN", "CRM_PASSWORD", "CRM_SECRET"])
async def test_a_secret_is_redacted_from_then_on(name: str) -> None:
    await _put_on({"query": {"key": name}})
    assert SECRETS[name] not in redacted(f"https://crm.example.com/?key={SECRETS[name]}")


def test_variables_that_are_not_set_are_named() -> None:
    auth = Auth.model_validate({"bearer": "NONE_A", "header": {"x": "NONE_B", "y": "CRM_TOKEN"}})
    assert Credentials(auth, SECRETS).missing == ("NONE_A", "NONE_B")


def test_a_secret_that_no_header_can_hold_is_refused_without_quoting_it() -> None:
    with pytest.raises(ConfigurationError, match="CRM_TOKEN: it has characters that no key has") as raised:
        Credentials(Auth(bearer="CRM_TOKEN"), {"CRM_TOKEN": "abc\r\nx: 1"})
    assert "abc" not in str(raised.value)


def test_a_parameter_that_says_who_asks_is_no_argument() -> None:
    parameters = [
        {"name": "X-Api-Key", "in": "header", "required": True, "schema": {"type": "string"}},
        {"name": "key", "in": "query", "required": True, "schema": {"type": "string"}},
    ]
    auth = {"header": {"x-api-key": "CRM_TOKEN"}, "query": {"key": "CRM_TOKEN"}}
    assert filled_by(Auth.model_validate(auth)) == {("header", "x-api-key"), ("query", "key")}
    assert only(document({"parameters": parameters}, method="get"), auth=auth).arguments["properties"] == {}


class TestClientCredentials:
    """RFC 6749 section 4.4."""

    def _credentials(self) -> Credentials:
        oauth2 = {
            "token_url": "https://login.example.com/token",
            "client_id": "CRM_ID",
            "client_secret": "CRM_SECRET",
            "scopes": ["a", "b"],
        }
        return Credentials(Auth.model_validate({"oauth2": oauth2}), SECRETS)

    async def test_a_token_is_fetched_once_and_used_until_it_ends(self) -> None:
        asked: list[httpx.Request] = []

        async def send(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            token = f"token-{len(asked)}-xyz"
            return httpx.Response(200, json={"access_token": token, "expires_in": 3600}, request=request)

        credentials = self._credentials()
        for _ in range(2):
            request = httpx.Request("GET", URL)
            await credentials.put_on(request, send)
            assert request.headers["authorization"] == "Bearer token-1-xyz"
        assert parse_qs(asked[0].content.decode()) == {"grant_type": ["client_credentials"], "scope": ["a b"]}
        assert asked[0].headers["authorization"] == "Basic Y2xpZW50OnNlYyUyRnJldC05OQ=="
        assert "token-1-xyz" not in redacted("token-1-xyz")

    @pytest.mark.parametrize("expires_in", [None, "", 3600, "3600"])
    async def test_one_that_does_not_say_how_long_it_lives_is_used_all_the_same(self, expires_in: object) -> None:
        async def send(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, json={"access_token": "lasting-1", "expires_in": expires_in}, request=request)

        request = httpx.Request("GET", URL)
        await self._credentials().put_on(request, send)
        assert request.headers["authorization"] == "Bearer lasting-1"

    async def test_one_that_was_refused_is_fetched_anew(self) -> None:
        asked = 0

        async def send(request: httpx.Request) -> httpx.Response:
            nonlocal asked
            asked += 1
            return httpx.Response(200, json={"access_token": f"refused-{asked}"}, request=request)

        credentials, request = self._credentials(), httpx.Request("GET", URL)
        await credentials.put_on(request, send)
        credentials.refused()
        await credentials.put_on(request, send)
        assert request.headers["authorization"] == "Bearer refused-2"

    async def test_only_the_last_two_are_redacted_so_that_a_worker_does_not_grow(self) -> None:
        asked = 0

        async def send(request: httpx.Request) -> httpx.Response:
            nonlocal asked
            asked += 1
            return httpx.Response(200, json={"access_token": f"passing-{asked}"}, request=request)

        credentials = self._credentials()
        for _ in range(3):
            await credentials.put_on(httpx.Request("GET", URL), send)
            credentials.refused()
        assert redacted("passing-1 passing-2 passing-3") == "passing-1 [redacted] [redacted]"
