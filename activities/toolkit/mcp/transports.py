"""How a server is reached: as a program of one's own, or by Streamable HTTP."""

import sys
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx
import httpx2
from anyio.streams.memory import MemoryObjectReceiveStream
from mcp.client import Transport
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage

from activities.error_text import message_of
from activities.errors import ServiceRefused, ServiceUnavailable
from activities.http.guard import Guard
from activities.toolkit.mcp.settings import McpSettings
from activities.toolkit.mcp.words import Words

Message = SessionMessage | Exception
LEASH = Path(__file__).with_name("leash.py")
READ_TIMEOUT = 300.0
"""Seconds without a byte on a stream of events; a call has a limit of its own."""


@dataclass
class Exchange:
    """What HTTP said of one call."""

    connected: bool = True
    status: int = 0


EXCHANGE: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
"""Of the call that is under way: the SDK sends in the context of whoever calls."""


class _Watching(httpx2.AsyncHTTPTransport):
    """Notes what becomes of each call, because the SDK tells a refused connection and a lost answer in one word. It
    connects to an address that the guard has looked at."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(trust_env=False)
        self._guard = guard

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        # Only what carries the call: how it ends when the SDK asks anew for the rest of an answer says nothing of it.
        exchange = (EXCHANGE.get() if request.method == "POST" else None) or Exchange()
        try:
            response = await self._sent(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            exchange.connected = False
            raise
        exchange.status = response.status_code
        return response

    async def _sent(self, request: httpx2.Request) -> httpx2.Response:
        try:
            *others, last = await self._guard.addresses_of(httpx.URL(str(request.url)))
        except (ServiceRefused, ServiceUnavailable) as error:
            raise httpx2.ConnectError(message_of(error), request=request) from error
        for address in others:
            with suppress(httpx2.ConnectError, httpx2.ConnectTimeout):  # nothing was sent
                return await super().handle_async_request(self._at(address, request))
        return await super().handle_async_request(self._at(last, request))

    def _at(self, address: str, request: httpx2.Request) -> httpx2.Request:
        """The same request, to one address of its host; header and TLS have the host's name."""
        return httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
        )


def transport(
    settings: McpSettings, secrets: Mapping[str, str], guard: Guard, words: Words, ended: anyio.Event
) -> Transport:
    """Open the connection to a server.

    Args:
        settings: of the server.
        secrets: the values of its env, or of its headers.
        guard: says to which addresses a URL may lead.
        words: gets what a program says beside the protocol.
        ended: set when the connection is at its end, so that nobody calls on it any more.
    """
    return _of_program(settings, secrets, words, ended) if settings.command else _of_url(settings, secrets, guard)


@asynccontextmanager
async def _of_program(settings: McpSettings, secrets: Mapping[str, str], words: Words, ended: anyio.Event):
    program = [sys.executable, "-I", "-S", str(LEASH), *settings.command]
    parameters = StdioServerParameters(
        command=program[0], args=program[1:], env={**secrets}, cwd=Path.cwd(), encoding_error_handler="replace"
    )
    async with stdio_client(parameters, errlog=words.stream) as (incoming, outgoing), _noticed(incoming, ended) as read:
        yield read, outgoing


@asynccontextmanager
async def _of_url(settings: McpSettings, secrets: Mapping[str, str], guard: Guard):
    try:  # before the SDK, which would say no more than that it could not connect
        await guard.addresses_of(httpx.URL(settings.url or ""))
    except ServiceRefused as error:
        raise ServiceRefused(f"{message_of(error)}; private = true allows it") from error
    limits = httpx2.Timeout(settings.start_timeout, read=READ_TIMEOUT)
    async with (
        httpx2.AsyncClient(headers=secrets, timeout=limits, transport=_Watching(guard)) as client,
        streamable_http_client(settings.url or "", http_client=client) as streams,
    ):
        yield streams


@asynccontextmanager
async def _noticed(
    incoming: AsyncIterable[Message], ended: anyio.Event
) -> AsyncGenerator[MemoryObjectReceiveStream[Message]]:
    """The same messages, and word when there will be no more."""
    to_session, read = anyio.create_memory_object_stream[Message](0)

    async def pass_on() -> None:
        try:
            async with to_session:
                async for message in incoming:
                    await to_session.send(message)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            pass
        finally:
            ended.set()

    async with anyio.create_task_group() as group:
        group.start_soon(pass_on)
        try:
            yield read
        finally:
            group.cancel_scope.cancel()
