"""What HTTP says of a call: the SDK tells a refused connection, a refusal and a lost answer in one word."""

from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import responses

import httpx
import httpx2
from pydantic import BaseModel, ValidationError

from activities.error_text import message_of
from activities.errors import ServiceRefused, ServiceUnavailable
from activities.http.guard import Guard, at
from activities.http.tls import trusted_roots
from activities.toolkit.mcp.replies import as_read, words_of

STAND_IN = "Server returned an error response"
"""What the SDK says in place of a refusal's own words."""


@dataclass
class Exchange:
    """What HTTP said of one call."""

    number: int | str | None = None
    """The call's own, by which its answer names it."""
    connected: bool = True
    status: int = 0
    in_session: bool = False
    """It named the session to the server."""
    words: str = ""
    """Of a refusal in plain text, which the SDK does not read."""
    is_call: bool = True
    """Or else it is the last that was said while the server was greeted, or listed its tools."""

    @property
    def is_refused(self) -> bool:
        return 400 <= self.status < 500

    def said(self, message: str) -> str:
        """The status, where it is an error, and the server's words, or else the SDK's."""
        words = self.words or message
        if self.status < 300:
            return words
        phrase = responses.get(self.status, "")
        status = f"HTTP {self.status} {phrase}".strip()
        return status if words == phrase or words.endswith(STAND_IN) else f"{status}: {words}"


EXCHANGE: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
"""Of the call that is under way: the SDK sends in the context of whoever calls, and in the same one what it replies to
questions that the server asks meanwhile."""


class _Sent(BaseModel):
    """What is looked at of a message to the server."""

    id: int | str | None = None
    method: str = ""


class Watching(httpx2.AsyncHTTPTransport):
    """Notes what becomes of each call. It connects to an address that the guard has looked at."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(verify=trusted_roots(), trust_env=False)
        self._guard = guard

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        exchange = await _exchange_of(request)
        exchange.status, exchange.words = 0, ""
        exchange.in_session = "mcp-session-id" in request.headers
        try:
            response = await self._sent(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            exchange.connected = False
            raise
        exchange.status = response.status_code
        response.request = request
        reply = as_read(response, exchange.number)
        if exchange.is_refused:
            reply, exchange.words = await words_of(reply)
        return reply

    async def _sent(self, request: httpx2.Request) -> httpx2.Response:
        try:
            *others, last = await self._guard.addresses_of(httpx.URL(str(request.url)))
        except (ServiceRefused, ServiceUnavailable) as error:
            raise httpx2.ConnectError(message_of(error), request=request) from error
        for address in others:
            with suppress(httpx2.ConnectError, httpx2.ConnectTimeout):  # nothing was sent
                return await super().handle_async_request(at(address, request))
        return await super().handle_async_request(at(last, request))


async def _exchange_of(request: httpx2.Request) -> Exchange:
    """Find the exchange of the call that a request carries, or make one of which nobody hears.

    The SDK's reply to a question of the server, and its asking anew for the rest of an answer, say nothing of the call,
    however they end: it has gone out before.
    """
    of_call = EXCHANGE.get()
    if of_call is None:
        return Exchange()
    if request.method != "POST":
        return Exchange(of_call.number if "last-event-id" in request.headers else None)
    try:
        sent = _Sent.model_validate_json(await request.aread())
    except ValidationError:
        return Exchange()
    if not of_call.is_call and sent.method and sent.id is not None:
        return of_call
    if sent.method != "tools/call":
        return Exchange()
    of_call.number = sent.id
    return of_call
