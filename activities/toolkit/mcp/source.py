"""MCP servers as a source of tools: each tool that is offered, with a function that calls it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mcp_types import Tool as Listed
from pydantic import JsonValue

from activities.errors import ConfigurationError, ServiceRefused
from activities.execution.act import Act
from activities.sayable import beginning
from activities.toolkit.argument_model import ToolFunction
from activities.toolkit.expressions import Expression, NotAnExpression, refuse_what_failed
from activities.toolkit.mcp.live import Live, fingerprint
from activities.toolkit.mcp.sessions import Server
from activities.toolkit.mcp.settings import ErrorMeans, McpSettings, McpToolSettings
from activities.toolkit.opened import Opened
from activities.toolkit.options import ToolOptions
from activities.toolkit.patterns import FitsNothing, chosen
from activities.toolkit.schema_tools import legal_names, tool_from_schema
from activities.toolkit.source_file import WrongKey
from activities.toolkit.tool import Tool
from activities.written_by_hand import did_you_mean
from workflows.contract.values import Arguments, Effect

LONGEST_DESCRIPTION = 1024
"""Characters of a tool's description that the model gets."""
TOTAL_TIMEOUT = 600.0
"""Seconds for all attempts together."""


def tools_of(server: Server, listed: Mapping[str, Listed]) -> Opened:
    """Make tools of what a server lists.

    Raises:
        WrongKey: the table names a tool that the server does not have.
    """
    settings = server.settings
    for name in settings.tool:
        if name not in listed:
            raise WrongKey(f"tool.{name}", f"the server has no such tool{did_you_mean(name, listed)}")
    offered = _offered(settings.offer, listed)
    names = legal_names(f"{server.name}_{name}" for name in listed)
    tools: list[Tool] = []
    left_out: dict[str, str] = {}
    for name in offered:
        try:
            tools.append(_tool(server, listed[name], names[f"{server.name}_{name}"]))
        except ConfigurationError as error:
            if name in settings.tool:
                raise WrongKey(f"tool.{name}", str(error)) from error
            left_out[f"{server.name} {name}"] = str(error)
    return Opened(tools, left_out, closers=[server.aclose])


def effect_of(tool: Listed, own: McpToolSettings) -> Effect:
    """What is not said to be a read is a write: the default of the specification."""
    hinted = tool.annotations is not None and tool.annotations.read_only_hint is True
    return own.effect or ("read" if hinted else "write")


def is_idempotent(tool: Listed, own: McpToolSettings, *, trusted: bool) -> bool:
    hinted = tool.annotations is not None and tool.annotations.idempotent_hint is True
    return own.idempotent or (trusted and hinted)


def _offered(patterns: Sequence[str], listed: Mapping[str, Listed]) -> Sequence[str]:
    try:
        return chosen([*listed], patterns, fnmatchcase)
    except FitsNothing as error:
        raise WrongKey("offer", f"no tool fits {error.pattern!r}{did_you_mean(error.pattern, listed)}") from error


def _tool(server: Server, listed: Listed, name: str) -> Tool:
    settings = server.settings
    own = settings.tool.get(listed.name, McpToolSettings())
    effect = effect_of(listed, own)
    timeout = own.timeout or settings.timeout
    # An attempt may have to make the session first, and its own limits are to end it, which know more.
    attempt = timeout + settings.start_timeout + 15
    options: ToolOptions = {
        "effect": effect,
        "timeout": attempt,
        "total_timeout": max(TOTAL_TIMEOUT, 2 * attempt),
        "grounded": own.grounded,
        "about": own.about,
        "untrusted": settings.untrusted,
        "idempotent": effect == "write" and is_idempotent(listed, own, trusted=settings.trust_hints),
        "far_end": f"{settings.url or list(settings.command)} {listed.name}",
    }
    calling = _Calling(
        server,
        listed.name,
        fingerprint(listed),
        timeout,
        _failed_when(settings, listed.name),
        own.error_means or settings.error_means,
    )
    return tool_from_schema(
        name=name,
        description=beginning(listed.description or listed.title or listed.name, LONGEST_DESCRIPTION),
        parameters=listed.input_schema,
        function=_reading(calling) if effect == "read" else _writing(calling),
        defined_at=f"mcp.{server.name}, {listed.name}",
        **options,
    )


@dataclass(frozen=True)
class _Calling:
    """A tool of a server, as it was when the worker started."""

    server: Server
    tool: str
    fingerprint: str
    timeout: float
    failed_when: Expression | None
    error_means: ErrorMeans

    async def session(self, *, writes: bool) -> Live:
        """Find the session of the server, with the tool as it was when the worker started. Before a write it is looked
        at anew.

        Raises:
            ServiceUnavailable: there is none.
            ServiceRefused: the server says something else of the tool by now, for which nobody has given a yes.
        """
        live = await self.server.session()
        now = (await live.current_tools(anew=writes)).get(self.tool)
        if now is None:
            raise ServiceRefused(f"{self.server.name} has no tool {self.tool} any more")
        if fingerprint(now) != self.fingerprint:
            raise ServiceRefused(
                f"{self.server.name} has changed {self.tool} since this worker started; it is called again once the "
                "worker is restarted"
            )
        return live

    async def answer(self, live: Live, arguments: Arguments, *, writes: bool) -> JsonValue:
        """Call the tool.

        Raises:
            ServiceRefused: it has failed, by its own word or as `failed_when` reads it.
        """
        result = await live.call(self.tool, arguments, within=self.timeout, writes=writes, error_means=self.error_means)
        if self.failed_when is not None:
            refuse_what_failed(self.failed_when, result, self.tool)
        return result


def _failed_when(settings: McpSettings, tool: str) -> Expression | None:
    own = settings.tool.get(tool, McpToolSettings()).failed_when
    place, text = (f"tool.{tool}.failed_when", own) if own else ("failed_when", settings.failed_when)
    try:
        return Expression("failed_when", text) if text else None
    except NotAnExpression as error:
        raise WrongKey(place, str(error)) from error


def _reading(calling: _Calling) -> ToolFunction:
    async def run(arguments: Arguments) -> JsonValue:
        live = await calling.session(writes=False)
        return await calling.answer(live, arguments, writes=False)

    return run


def _writing(calling: _Calling) -> ToolFunction:
    async def run(arguments: Arguments, *, act: Act) -> JsonValue:
        live = await calling.session(writes=True)
        async with act:
            return await calling.answer(live, arguments, writes=True)

    return run
