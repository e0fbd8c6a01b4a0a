"""The session of a worker with one MCP server: made when it is first needed, shared by all requests, and made anew when
it breaks.

A session is opened and closed in one task that owns it, because the SDK's cancel scopes have to be left where they were
entered. Every step has a time limit, so that a server that hangs costs a call, and never a worker.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import anyio
import structlog
from mcp import Client
from mcp.client.session import IncomingMessage
from mcp.shared.exceptions import MCPError
from mcp_types import ToolListChangedNotification
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from activities.error_text import in_one_line
from activities.errors import ServiceUnavailable
from activities.http.guard import Guard
from activities.redaction import redacted
from activities.toolkit.mcp.exchanges import EXCHANGE, Exchange
from activities.toolkit.mcp.live import Live, listed
from activities.toolkit.mcp.settings import McpSettings
from activities.toolkit.mcp.transports import transport
from activities.toolkit.mcp.words import Words

log = structlog.stdlib.get_logger(__name__)

CLOSING = 15.0
"""Seconds in which a session is closed; the SDK's own steps take at most nine."""


class Server:
    """One MCP server, as a worker knows it."""

    def __init__(self, name: str, settings: McpSettings, secrets: Mapping[str, str], guard: Guard) -> None:
        self.name = name
        self.settings = settings
        self._secrets = secrets
        self._guard = guard
        self._live: Live | None = None
        self._owners: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None] | None] = set()
        """Those that end their session: whoever cancels one now leaves its program behind."""
        self._opening: asyncio.Lock | None = None  # made in the loop in which it is used

    async def session(self) -> Live:
        """The open session, or a new one.

        Raises:
            ServiceUnavailable: the server cannot be started, reached or greeted in time.
        """
        self._opening = self._opening or asyncio.Lock()
        async with self._opening:
            if self._live is None or not self._live.is_usable:
                self._live = await self._opened()
            return self._live

    async def aclose(self) -> None:
        """End every session, and the programs with all that they have started."""
        owners = [*self._owners]
        for owner in self._owners - self._closing:
            owner.cancel()
        if owners:
            await asyncio.wait(owners, timeout=CLOSING)
        self._live = self._opening = None

    async def _opened(self) -> Live:
        opened: asyncio.Future[Live] = asyncio.get_running_loop().create_future()
        words = Words(self.name)
        owner = asyncio.create_task(self._own(opened, words), name=f"MCP session {self.name}")
        self._owners.add(owner)
        owner.add_done_callback(self._owners.discard)
        try:
            await asyncio.wait([opened], timeout=self.settings.start_timeout)
            if not opened.done():
                raise ServiceUnavailable(
                    f"{self.name} was not ready within {self.settings.start_timeout:g} s{_last(words)}"
                )
            return opened.result()
        except BaseException:
            owner.cancel()
            raise
        finally:
            if opened.done() and not opened.cancelled():
                opened.exception()  # it has been seen

    async def _own(self, opened: asyncio.Future[Live], words: Words) -> None:
        ended = anyio.Event()
        EXCHANGE.set(greeting := Exchange(is_call=False))
        try:
            channel = transport(self.settings, self._secrets, self._guard, words, ended)
            async with Client(channel, message_handler=(changed := _Changed())) as client:
                tools = await listed(client.session)
                is_told = bool(self.settings.command) and _announces(client) and not _is_modern(client)
                live = Live(client.session, self.name, self.settings.start_timeout, ended, tools, is_told)
                changed.live = live
                if not opened.done():
                    opened.set_result(live)
                await _until_over(client, live)
                self._closing.add(asyncio.current_task())
        except Exception as error:  # of the SDK, of HTTP, of the operating system, several at once
            if not opened.done():
                await asyncio.sleep(0.05)  # for the last words
                opened.set_exception(
                    ServiceUnavailable(f"{self.name} cannot be used: {_cause(error, greeting)}{_last(words)}")
                )
            else:
                log.warning("MCP session lost", server=self.name, why=_cause(error, greeting))
        finally:
            ended.set()
            words.close()
            self._closing.discard(asyncio.current_task())


@dataclass
class _Changed:
    """Hears that the list of tools has changed."""

    live: Live | None = None

    async def __call__(self, message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification) and self.live:
            self.live.changes += 1


async def _until_over(client: Client, live: Live) -> None:
    """Until the connection has ended, or is to be used no more and nobody waits for an answer on it."""
    waits: list[Callable[[], Awaitable[object]]] = [live.ended.wait, live.retired.wait]
    tasks = [asyncio.ensure_future(wait()) for wait in waits]
    listening = asyncio.create_task(_follow(client, live))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if live.users and not live.ended.is_set():
            await live.unused.wait()  # every call has a time limit, and ends with the connection
    finally:
        for task in (*tasks, listening):
            task.cancel()
        await asyncio.wait([*tasks, listening], timeout=1)


async def _follow(client: Client, live: Live) -> None:
    """From 2026-07-28 on, changes of the list are told to those who ask. Before, over HTTP, they come on a stream that
    the server need not offer, and that the SDK does not miss."""
    if not (_announces(client) and _is_modern(client)):
        return
    with suppress(MCPError, TimeoutError, RuntimeError):
        async with client.listen(tools_list_changed=True) as changes:
            live.changes += 1  # it may have changed before anybody listened
            live.is_told = True
            async for _ in changes:
                live.changes += 1
    live.is_told = False


def _announces(client: Client) -> bool:
    tools = client.server_capabilities.tools
    return bool(tools and tools.list_changed)


def _is_modern(client: Client) -> bool:
    return client.protocol_version in MODERN_PROTOCOL_VERSIONS


def _cause(error: BaseException, greeting: Exchange) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    line = in_one_line(error)
    return redacted(greeting.said(line) if isinstance(error, MCPError) else line)[:300]


def _last(words: Words) -> str:
    return f"; it says: {words.last}" if words.last else ""
