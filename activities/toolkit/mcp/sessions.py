"""The session of a worker with one MCP server: made when it is first needed, shared by all requests, and made anew when
it breaks.

A session is opened and closed in one task that owns it, because the SDK's cancel scopes have to be left where they were
entered. Every step has a time limit, so that a server that hangs costs a call, and never a worker.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar, cast

import anyio
import structlog
from mcp import Client
from mcp.client.session import ClientSession, IncomingMessage
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    PaginatedRequestParams,
    Tool,
    ToolListChangedNotification,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import JsonValue, TypeAdapter, ValidationError

from activities.error_text import in_one_line
from activities.errors import OutcomeUnknown, ServiceRefused, ServiceUnavailable, ToolError
from activities.http.guard import Guard
from activities.redaction import redacted
from activities.toolkit.mcp.results import NOT_BEGUN, result_of
from activities.toolkit.mcp.settings import McpSettings
from activities.toolkit.mcp.transports import EXCHANGE, Exchange, transport
from activities.toolkit.mcp.words import Words
from workflows.contract.values import Arguments, sha256

log = structlog.stdlib.get_logger(__name__)

MOST_PAGES = 100
"""Of a list of tools: one that never ends is not followed."""
CLOSING = 15.0
"""Seconds in which a session is closed; the SDK's own steps take at most nine."""
TRY_AGAIN = (408, 425, 429)

_ANSWER: TypeAdapter[CallToolResult | InputRequiredResult] = TypeAdapter(CallToolResult | InputRequiredResult)
R = TypeVar("R")


def fingerprint(tool: Tool) -> str:
    """The same as long as the server says the same of a tool."""
    hints = tool.annotations.model_dump(exclude_none=True) if tool.annotations else {}
    return sha256([tool.description or "", cast("JsonValue", tool.input_schema), hints])


@dataclass
class Live:
    """An open session."""

    session: ClientSession
    server: str
    timeout: float
    """Seconds for a list of tools."""
    ended: anyio.Event
    retired: asyncio.Event = field(default_factory=asyncio.Event)
    """Nobody is to begin anything on it any more."""
    users: int = 0  # calls that wait for an answer
    unused: asyncio.Event = field(default_factory=asyncio.Event)
    tools: Mapping[str, Tool] | None = None
    """By name; None once the server has said that they changed."""
    _listing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_usable(self) -> bool:
        return not (self.ended.is_set() or self.retired.is_set())

    async def current_tools(self) -> Mapping[str, Tool]:
        """List the tools that the server has now.

        Raises:
            ServiceUnavailable: the server does not list them.
        """
        async with self._listing:
            if self.tools is None:
                try:
                    async with asyncio.timeout(self.timeout):
                        self.tools = await _listed(self.session)
                except (TimeoutError, MCPError, ValidationError) as error:
                    self.retired.set()
                    why = "in time" if isinstance(error, TimeoutError) else f": {in_one_line(error)}"
                    raise ServiceUnavailable(f"{self.server} does not list its tools {why}") from error
            return self.tools

    async def call(self, tool: str, arguments: Arguments, *, within: float, writes: bool) -> JsonValue:
        """Call a tool of the server.

        Raises:
            ServiceRefused: the tool says that it failed, or the server does not take the call.
            ServiceUnavailable: nothing has happened; of a read, nobody knows.
            OutcomeUnknown: of a write, the server may have done it.
        """
        name = f"{self.server} {tool}"
        if not self.is_usable:
            raise ServiceUnavailable(f"the connection to {self.server} was lost before {tool} was called")
        lost = OutcomeUnknown if writes else ServiceUnavailable
        exchange = Exchange()
        EXCHANGE.set(exchange)
        self._begin()
        try:
            async with asyncio.timeout(within):
                answer = await self._send(tool, arguments)
        except TimeoutError as error:
            self.retired.set()  # a server that hangs goes on hanging
            raise lost(f"{name} did not answer within {within:g} s") from error
        except MCPError as error:
            raise self._why(error, exchange, name, lost) from error
        except ValidationError as error:
            raise lost(f"{name} answered something that is no result: {in_one_line(error)}") from error
        finally:
            self._end()
        if isinstance(answer, InputRequiredResult):
            raise lost(f"{name} asks a question in the middle of the call, which nobody can answer here")
        return result_of(answer, name)

    def _begin(self) -> None:
        self.users += 1
        self.unused.clear()

    def _end(self) -> None:
        self.users -= 1
        if not self.users:
            self.unused.set()

    async def _send(self, tool: str, arguments: Arguments) -> CallToolResult | InputRequiredResult:
        """Not by `call_tool`, which asks a second time, and fails over an answer that the tool's own schema refuses:
        what has been done is done."""
        parameters = CallToolRequestParams(name=tool, arguments=dict(arguments))
        return await self.session.send_request(CallToolRequest(params=parameters), _ANSWER)

    def _why(self, error: MCPError, exchange: Exchange, name: str, lost: type[ToolError]) -> ToolError:
        if error.code == CONNECTION_CLOSED or not exchange.connected or exchange.status == 404:
            self.retired.set()
        if not exchange.connected:
            return ServiceUnavailable(f"{self.server} cannot be reached")
        if exchange.status in (404, *TRY_AGAIN) and exchange.status != 408:
            return ServiceUnavailable(f"{name} was not taken: HTTP {exchange.status}")
        said = redacted(error.message)[:500]
        if error.code in NOT_BEGUN or (400 <= exchange.status < 500 and exchange.status not in (408, 409)):
            return ServiceRefused(f"{name} was refused: {said}")
        return lost(f"{name} gave no result: {said}")


async def _listed(session: ClientSession) -> Mapping[str, Tool]:
    found: dict[str, Tool] = {}
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
        found |= {tool.name: tool for tool in page.tools}
        cursor = page.next_cursor
        if not cursor:
            break
    return found


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
        try:
            channel = transport(self.settings, self._secrets, self._guard, words, ended)
            async with Client(channel, message_handler=(changed := _Changed())) as client:
                tools = await _listed(client.session)
                live = Live(client.session, self.name, self.settings.start_timeout, ended, tools=tools)
                changed.live = live
                if not opened.done():
                    opened.set_result(live)
                await _until_over(client, live)
                self._closing.add(asyncio.current_task())
        except Exception as error:  # of the SDK, of HTTP, of the operating system, several at once
            if not opened.done():
                await asyncio.sleep(0.05)  # for the last words
                opened.set_exception(ServiceUnavailable(f"{self.name} cannot be used: {_cause(error)}{_last(words)}"))
            else:
                log.warning("MCP session lost", server=self.name, why=_cause(error))
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
            self.live.tools = None


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
    """From 2026-07-28 on, changes of the list are told to those who ask."""
    can = (
        client.server_capabilities
        and client.server_capabilities.tools
        and client.server_capabilities.tools.list_changed
    )
    if not can or client.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return
    with suppress(MCPError, TimeoutError, RuntimeError):
        async with client.listen(tools_list_changed=True) as changes:
            live.tools = None  # it may have changed before anybody listened
            async for _ in changes:
                live.tools = None


def _cause(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return redacted(in_one_line(error))[:300]


def _last(words: Words) -> str:
    return f"; it says: {words.last}" if words.last else ""
