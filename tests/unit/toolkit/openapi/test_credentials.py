"""Requests say who asks, and what they say it with stands nowhere else."""

from collections.abc import Mapping

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
