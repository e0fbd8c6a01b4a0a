"""Any HTTP API, without a description of it: only for hosts that the settings allow.

A model never sees a secret: which header goes to which host stands in ERRAND_HTTP_HEADERS, its value in a variable.
"""

import os
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints
from pydantic_core import to_json

from activities.errors import ConfigurationError, InvalidArguments
from activities.execution.act import Act
from activities.http.staged import FarEnd, HttpSender, idempotency_key
from activities.lenient_json import decode, passable
from activities.redaction import SECRETS
from activities.settings.environment import PREFIX, is_loopback
from activities.settings.http import HttpSettings
from activities.toolkit.tool import tool
from workflows.contract.internal import ToolCall

JSON = {"Content-Type": "application/json"}
Url = Annotated[str, StringConstraints(pattern=r"^https?://", max_length=2000)]


class WebReply(BaseModel):
    """What a server answered; `body` is JSON where it is some, and otherwise text."""

    model_config = ConfigDict(frozen=True)

    status: int
    body: JsonValue


@tool(about="{url}", needs=("http_hosts",), untrusted=True)
async def http_get(url: Url, *, sender: HttpSender, settings: HttpSettings) -> WebReply:
    """Get what is at a URL.

    Args:
        url: The whole URL, with its query.

    Raises:
        InvalidArguments: the settings do not allow its host.
        ServiceUnavailable, ServiceRefused: as in `activities.http.staged`.
    """
    request = _request("GET", url, None, settings)
    return _read(await sender.read(request, FarEnd(request.url.host)))


@tool(effect="write", about="{method} {url}", needs=("http_hosts",), untrusted=True)
async def http_request(
    method: Literal["POST", "PUT", "PATCH", "DELETE"],
    url: Url,
    body: Annotated[JsonValue, Field(description="What is sent, as JSON.")] = None,
    *,
    sender: HttpSender,
    settings: HttpSettings,
    act: Act,
    call: ToolCall,
) -> WebReply:
    """Send a request that changes something at a URL.

    Args:
        method: How.
        url: The whole URL.
        body: What is sent, as JSON.

    Raises:
        InvalidArguments: the settings do not allow its host.
        ServiceUnavailable, ServiceRefused, OutcomeUnknown: as in `activities.http.staged`.
    """
    request = _request(method, url, body, settings)
    return _read(await sender.write(request, FarEnd(request.url.host), act, idempotency_key(call)))


def _request(method: str, url: str, body: JsonValue, settings: HttpSettings) -> httpx.Request:
    try:
        content = None if body is None else to_json(body)
        request = httpx.Request(method, url, content=content, headers={} if content is None else JSON)
    except httpx.InvalidURL as error:
        raise InvalidArguments(f"{url[:100]} is no URL: {error}") from error
    host = request.url.host.lower()
    if not any(fnmatchcase(host, pattern.lower()) for pattern in settings.http_hosts):
        raise InvalidArguments(f"{host} is not among the hosts that are allowed: {', '.join(settings.http_hosts)}")
    for name, value in _headers_for(host, settings):
        if request.url.scheme == "http" and not (settings.http_private or is_loopback(host)):
            raise InvalidArguments(f"{host} is asked over https only, since it is given a secret")
        request.headers[name] = value
    return request


def _headers_for(host: str, settings: HttpSettings) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in settings.http_headers:
        pattern, _, header = entry.partition("/")
        name, _, variable = header.partition("=")
        if fnmatchcase(host, pattern.lower()):
            value = os.environ.get(variable, "")
            if not value:
                raise ConfigurationError(f"{PREFIX}HTTP_HEADERS: the variable {variable} is not set")
            SECRETS.add_headers(value)
            found.append((name, value))
    return found


def _read(reply: httpx.Response) -> WebReply:
    try:
        body: JsonValue = passable(decode(reply.text))
    except (ValueError, RecursionError):
        body = reply.text
    return WebReply(status=reply.status_code, body=body)
