"""The tools of all MCP servers of the file of sources, listed before a worker starts."""

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from activities.errors import ServiceUnavailable
from activities.redaction import SECRETS
from activities.toolkit.mcp.settings import McpSettings
from activities.toolkit.source_file import WrongKey, read_sources, wrong
from activities.toolkit.tool import Tool

if TYPE_CHECKING:
    from mcp_types import Tool as Listed

    from activities.toolkit.mcp.sessions import Server

SETTLING = 0.3
"""Seconds after its greeting in which a server may say that its list of tools has changed: some add to it once they
know their client."""


class McpServers:
    """The servers of one worker, whose sessions are made when they are first used."""

    def __init__(self, servers: "Sequence[Server]" = ()) -> None:
        self._servers = servers

    async def aclose(self) -> None:
        """End all sessions, and every program that was started for them."""
        await asyncio.gather(*(server.aclose() for server in self._servers))


@dataclass(frozen=True)
class McpTools:
    tools: Sequence[Tool] = ()
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    """"files read_media" → why it is no tool."""
    servers: McpServers = field(default_factory=McpServers)


def mcp_tools(path: Path | None, environment: Mapping[str, str] = os.environ) -> McpTools:
    """List the tools of all MCP servers that the file of sources names.

    Args:
        path: the file of sources.
        environment: has the secrets.

    Raises:
        ConfigurationError: the file is wrong, a server cannot be used, or it lacks what its table names; one line names
            file and key.
    """
    known = read_sources(path).mcp if path else {}
    if path is None or not known:
        return McpTools()
    if find_spec("mcp") is None:
        raise wrong(path, f"mcp.{next(iter(known))}", "the package mcp is not installed: uv sync --extra mcp")
    # What speaks MCP is loaded only by workers that have a server.
    from activities.toolkit.mcp.sessions import Server
    from activities.toolkit.mcp.source import tools_of

    servers = [Server(name, each, _secrets(path, name, each, environment)) for name, each in known.items()]
    # In a loop of its own, whether or not the caller has one; the worker makes its sessions in its own loop.
    with ThreadPoolExecutor(1) as thread:
        listed = thread.submit(lambda: asyncio.run(_listed(path, servers))).result()
    tools: list[Tool] = []
    left_out: dict[str, str] = {}
    for server, its_tools in zip(servers, listed, strict=True):
        try:
            found = tools_of(server, its_tools)
        except WrongKey as error:
            raise wrong(path, f"mcp.{server.name}.{error.key}", str(error)) from error
        tools += found.tools
        left_out |= {f"{server.name} {name}": why for name, why in found.left_out.items()}
    return McpTools(tools, left_out, McpServers(servers))


async def _listed(path: Path, servers: "Sequence[Server]") -> "Sequence[Mapping[str, Listed]]":
    """All at once, since each may have to be started."""
    try:
        return await asyncio.gather(*(_tools(path, server) for server in servers))
    finally:
        await McpServers(servers).aclose()


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
