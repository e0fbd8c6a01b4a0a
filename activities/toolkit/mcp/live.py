"""An open session with an MCP server: the tools that the server has now, and calls of them."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import anyio
from mcp.client.session import ClientSession
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    PaginatedRequestParams,
    Tool,
)
from pydantic import JsonValue, TypeAdapter, ValidationError

from activities.error_text import in_one_line
from activities.errors import OutcomeUnknown, ServiceRefused, ServiceUnavailable, ToolError
from activities.http.staged import ELSEWHERE
from activities.redaction import redacted
from activities.toolkit.mcp.exchanges import EXCHANGE, Exchange
from activities.toolkit.mcp.results import NOT_BEGUN, may_have_acted, result_of
from activities.toolkit.mcp.settings import ErrorMeans
from workflows.contract.values import Arguments, sha256

MOST_PAGES = 100
"""Of a list of tools: one that never ends is not followed."""
NOT_TAKEN = (404, 425, 429)
"""Statuses of HTTP after which a call is made again."""
BUSY = (408, 425, 429)
"""Statuses that say nothing of the session."""
NO_SESSION = re.compile(
    "(no valid|invalid|missing|unknown|expired) session|session (id )?(is )?(not found|unknown|expired)", re.IGNORECASE
)
"""What servers say with 400, before they look at a call, to a session that they do not know."""

_ANSWER: TypeAdapter[CallToolResult | InputRequiredResult] = TypeAdapter(CallToolResult | InputRequiredResult)


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
    tools: Mapping[str, Tool]
    """By name, as they were listed last."""
    is_told: bool
    """The server says when its tools change, in a way that cannot be missed."""
    retired: asyncio.Event = field(default_factory=asyncio.Event)
    """Nobody is to begin anything on it any more."""
    users: int = 0  # calls that wait for an answer
    unused: asyncio.Event = field(default_factory=asyncio.Event)
    changes: int = 0
    """How often it has said so."""
    seen: int = 0
    """How often it had when they were listed."""
    _listing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_usable(self) -> bool:
        return not (self.ended.is_set() or self.retired.is_set())

    async def current_tools(self, *, anew: bool = False) -> Mapping[str, Tool]:
        """List the tools that the server has now.

        Args:
            anew: ask, unless the server would have said that they changed.

        Raises:
            ServiceUnavailable: the server does not list them.
        """
        async with self._listing:
            changes = self.changes
            if changes != self.seen or (anew and not self.is_told):
                self.tools = await self._listed_anew()
                self.seen = changes
            return self.tools

    async def _listed_anew(self) -> Mapping[str, Tool]:
        listing = Exchange(is_call=False)
        before = EXCHANGE.set(listing)
        try:
            async with asyncio.timeout(self.timeout):
                return await listed(self.session)
        except (TimeoutError, MCPError, ValidationError) as error:
            self.retired.set()
            why = " in time" if isinstance(error, TimeoutError) else f": {listing.said(in_one_line(error))}"
            raise ServiceUnavailable(f"{self.server} does not list its tools{why}") from error
        finally:
            EXCHANGE.reset(before)

    async def call(
        self, tool: str, arguments: Arguments, *, within: float, writes: bool, error_means: ErrorMeans
    ) -> JsonValue:
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
        of_call = EXCHANGE.set(exchange)
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
            EXCHANGE.reset(of_call)
        if isinstance(answer, InputRequiredResult):
            raise lost(f"{name} asks a question in the middle of the call, which nobody can answer here")
        return result_of(answer, name, writes=writes, error_means=error_means)

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
        # By 404 a server says that it does not know the session any more, and many say it by another refusal.
        is_doubtful = exchange.status == 404 or (
            exchange.in_session and exchange.is_refused and exchange.status not in BUSY
        )
        if error.code == CONNECTION_CLOSED or not exchange.connected or is_doubtful:
            self.retired.set()
        said = redacted(exchange.said(error.message))[:500]
        if not exchange.connected:
            return ServiceUnavailable(f"{self.server} cannot be reached")
        if exchange.status in NOT_TAKEN or (exchange.in_session and exchange.status == 400 and NO_SESSION.search(said)):
            return ServiceUnavailable(f"{name} was not taken: {said}")
        # Some servers refuse in these words the result of a tool that has run.
        has_run = lost is OutcomeUnknown and may_have_acted(error.message, "failed")
        if _is_refused(error, exchange) and not has_run:
            return ServiceRefused(f"{name} was refused: {said}")
        return lost(f"{name} gave no result: {said}")


def _is_refused(error: MCPError, exchange: Exchange) -> bool:
    by_http = exchange.status in ELSEWHERE or (exchange.is_refused and exchange.status not in (408, 409))
    return by_http or error.code in NOT_BEGUN


async def listed(session: ClientSession) -> Mapping[str, Tool]:
    found: dict[str, Tool] = {}
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
        found |= {tool.name: tool for tool in page.tools}
        cursor = page.next_cursor
        if not cursor:
            break
    return found
