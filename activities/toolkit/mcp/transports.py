"""How a server is reached: as a program of one's own, or by Streamable HTTP."""

import sys
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import httpx2
from anyio.streams.memory import MemoryObjectReceiveStream
from mcp.client import Transport
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from activities.http.guard import Guard
from activities.toolkit.mcp.exchanges import Watching
from activities.toolkit.mcp.mended import Message, mended_line
from activities.toolkit.mcp.settings import McpSettings
from activities.toolkit.mcp.words import Words

LEASH = Path(__file__).with_name("leash.py")
READ_TIMEOUT = 300.0
"""Seconds without a byte on a stream of events; a call has a limit of its own."""


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
    # Before the SDK, which would say no more than that it could not connect.
    await guard.addresses_of(httpx.URL(settings.url or ""))
    limits = httpx2.Timeout(settings.start_timeout, read=READ_TIMEOUT)
    # The SDK would send a call again to wherever it is redirected within the origin, whatever was done before.
    once = httpx2.AsyncClient(headers=secrets, timeout=limits, transport=Watching(guard), max_redirects=0)
    async with (
        once as client,
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
                    await to_session.send(mended_line(message))
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
