"""The tools of all MCP servers of the file of sources, listed before a worker starts."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from activities.errors import ServiceUnavailable
from activities.http.guard import guard_of_source
from activities.redaction import SECRETS
from activities.toolkit.mcp.settings import McpSettings
from activities.toolkit.opened import Opened
from activities.toolkit.own_loop import in_own_loop
from activities.toolkit.source_file import WrongKey, wrong

if TYPE_CHECKING:
    from mcp_types import Tool as Listed

    from activities.toolkit.mcp.sessions import Server

SETTLING = 0.3
"""Seconds after its greeting in which a server may say that its list of tools has changed: some add to it once they
know their client."""


def mcp_servers(
    path: Path, known: Mapping[str, McpSettings], *, private: bool, environment: Mapping[str, str]
) -> Sequence[Opened]:
    """List the tools of MCP servers.

    Args:
        path: the file of sources, in which they stand.
        known: name → what it says of the server.
        private: whether every server may be at a private address, and not only those that say so.
        environment: has the secrets.

    Raises:
        ConfigurationError: a server cannot be used, or lacks what its table names; one line names file and key.
    """
    if not known:
        return ()
    if find_spec("mcp") is None:
        raise wrong(path, f"mcp.{next(iter(known))}", "the package mcp is not installed: uv sync --extra mcp")
    # What speaks MCP is loaded only by workers that have a server.
    from activities.toolkit.mcp.sessions import Server
    from activities.toolkit.mcp.source import tools_of

    servers = [
        Server(name, each, _secrets(path, name, each, environment), guard_of_source(private=private or each.private))
        for name, each in known.items()
    ]
    opened: list[Opened] = []
    for server, its_tools in zip(servers, in_own_loop(lambda: _listed(path, servers)), strict=True):
        try:
            opened.append(tools_of(server, its_tools))
        except WrongKey as error:
            raise wrong(path, f"mcp.{server.name}.{error.key}", str(error)) from error
    return opened


async def _listed(path: Path, servers: "Sequence[Server]") -> "Sequence[Mapping[str, Listed]]":
    """All at once, since each may have to be started."""
    try:
        return await asyncio.gather(*(_tools(path, server) for server in servers))
    finally:
        await asyncio.gather(*(server.aclose() for server in servers))


async def _tools(path: Path, server: "Server") -> "Mapping[str, Listed]":
    try:
        live = await server.session()
        await asyncio.sleep(SETTLING)
        return await live.current_tools()
    except ServiceUnavailable as error:
        key = "command" if server.settings.command else "url"
        raise wrong(path, f"mcp.{server.name}.{key}", str(error)) from error


def _secrets(path: Path, name: str, settings: McpSettings, environment: Mapping[str, str]) -> Mapping[str, str]:
    """What the server gets of the environment."""
    if settings.command and shutil.which(settings.command[0]) is None:
        raise wrong(path, f"mcp.{name}.command", f"there is no program {settings.command[0]}")
    key, wanted = ("env", settings.env) if settings.command else ("headers", settings.headers)
    for each, variable in wanted.items():
        if not environment.get(variable):
            raise wrong(path, f"mcp.{name}.{key}.{each}", f"the variable {variable} is not set")
    SECRETS.add_headers(*(environment[variable] for variable in wanted.values()))
    return {each: environment[variable] for each, variable in wanted.items()}
