"""Replies of HTTP services: read, or turned into errors of the tree."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

import httpx
from pydantic import BaseModel
from pydantic_core import to_json

from activities.errors import ConfigurationError, ServiceRefused, ServiceUnavailable
from activities.http.bounded import ReplyTooLong
from activities.lenient_json import decode, passable

LONGEST_WAIT = timedelta(seconds=120)
"""A service that asks for a longer pause than this is asked again after this."""

_TRY_AGAIN = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_SAYS_WHEN = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}

M = TypeVar("M", bound=BaseModel)


async def get(
    http: httpx.AsyncClient,
    service: str,
    url: str,
    *,
    params: dict[str, str],
    headers: dict[str, str] | None = None,
    hint: str = "",
) -> httpx.Response:
    """GET `url` and return the reply if its status is 2xx.

    Args:
        http: the client.
        service: what the service is called in error messages.
        url: without a query.
        params: the query.
        headers: sent along; they are never in an error message.
        hint: what to look at when the service refuses, for example the name of a setting.

    Raises:
        ServiceUnavailable: no connection, time-out, 408, 425, 429 or 5xx. Carries `Retry-After`, at most two minutes.
        ServiceRefused: any other status, or a reply that is too long.
        ConfigurationError: the URL or a header cannot be sent at all.
    """
    try:
        reply = await http.get(url, params=params, headers=headers)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError):
        # Without the cause: it may quote the header that cannot be sent.
        raise ConfigurationError(f"{service}: no request can be made to {url}; {hint or 'check its URL'}") from None
    except ReplyTooLong as error:
        raise ServiceRefused(f"{service} sent too much: {error}" + (f"; {hint}" if hint else "")) from error
    except httpx.HTTPError as error:
        raise ServiceUnavailable(f"{service} could not be reached: {type(error).__name__}; try again later") from error
    if reply.is_success:
        return reply
    status = f"{reply.status_code} {reply.reason_phrase}".strip()
    if reply.is_server_error or reply.status_code in _TRY_AGAIN:
        wait = retry_after(reply.headers.get("Retry-After", "")) if reply.status_code in _SAYS_WHEN else None
        raise ServiceUnavailable(f"{service} cannot answer now: {status}; try again later", retry_after=wait)
    raise ServiceRefused(f"{service} refused the request: {status}" + (f"; {hint}" if hint else ""))


def read(model: type[M], reply: httpx.Response, service: str) -> M:
    """The reply's JSON as a `model`.

    Raises:
        ServiceUnavailable: it is not JSON, or of another shape.
    """
    try:
        # By way of our own reader: one character that cannot be said costs no more than itself.
        return model.model_validate_json(to_json(passable(decode(reply.text))))
    except ValueError as error:
        raise unreadable(service) from error


def unreadable(service: str) -> ServiceUnavailable:
    return ServiceUnavailable(f"{service} sent a reply that could not be read; try again later")


def retry_after(value: str, *, longest: timedelta = LONGEST_WAIT) -> timedelta | None:
    """The pause that a `Retry-After` header asks for: seconds or a date (RFC 9110 section 10.2.3), at most `longest`.

    None where it asks for none, or says nothing that can be understood.
    """
    if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,15})?", value.strip()):
        pause = timedelta(seconds=min(float(value), longest.total_seconds()))
    else:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        # A date in "-0000" comes without a zone, and is in UTC (RFC 5322 section 3.3).
        pause = (date if date.tzinfo else date.replace(tzinfo=UTC)) - datetime.now(UTC)
    return min(pause, longest) if pause > timedelta(0) else None
