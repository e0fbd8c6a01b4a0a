"""The tools of the file of sources: other systems' operations, each source with its own table."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import httpx

from activities.errors import ConfigurationError
from activities.http.guard import guard_of_source, guarded_client
from activities.http.staged import HttpSender
from activities.settings.environment import PROJECT
from activities.toolkit.mcp.importing import mcp_servers
from activities.toolkit.openapi.settings import OpenApiSettings
from activities.toolkit.opened import Opened, together
from activities.toolkit.source_file import WrongKey, read_sources, wrong

KEPT = PROJECT / ".errand" / "sources"
"""What is kept of sources from start to start."""


class Clients:
    """The HTTP clients of all sources, made when they are first used."""

    def __init__(self) -> None:
        self._senders: dict[bool, HttpSender] = {}
        self._open: list[httpx.AsyncClient] = []

    def sender(self, *, private: bool) -> HttpSender:
        """Sends to public addresses only, or to private ones too."""
        if private not in self._senders:
            guard = guard_of_source(private=private)
            reads, writes = (guarded_client(guard, keep_connections=keeps) for keeps in (True, False))
            self._open += [reads, writes]
            self._senders[private] = HttpSender(reads, writes)
        return self._senders[private]

    async def aclose(self) -> None:
        self._senders.clear()
        while self._open:
            await self._open.pop().aclose()


def foreign_tools(path: Path | None, *, private: bool = False, environment: Mapping[str, str] = os.environ) -> Opened:
    """Make tools of all that the file of sources names.

    Args:
        path: the file of sources.
        private: whether every source may be at a private address, and not only those that say so.
        environment: has the secrets.

    Raises:
        ConfigurationError: the file, a document or a server that it names cannot be used, or lacks what its table
            names; one line names file and key.
    """
    if path is None:
        return Opened()
    sources, clients = read_sources(path), Clients()
    documents = [
        _document(path, name, settings, private, clients, environment) for name, settings in sources.openapi.items()
    ]
    servers = mcp_servers(path, sources.mcp, private=private, environment=environment)
    return together([*documents, Opened(closers=[clients.aclose]), *servers])


def _document(
    path: Path,
    name: str,
    settings: OpenApiSettings,
    private: bool,
    clients: Clients,
    environment: Mapping[str, str],
) -> Opened:
    key = f"openapi.{name}"
    if lacking := [module for module in ("yaml", "jmespath") if find_spec(module) is None]:
        raise wrong(path, key, f"{lacking[0]} is not installed: uv sync --extra openapi")
    # What reads documents is loaded only by workers that have one.
    from activities.toolkit.openapi.source import tools_of

    try:
        found = tools_of(
            name,
            settings,
            folder=path.parent,
            kept=KEPT,
            sender=lambda: clients.sender(private=private or settings.private),
            private=private,
            environment=environment,
        )
    except WrongKey as error:
        raise wrong(path, f"{key}.{error.key}", str(error)) from error
    except ConfigurationError as error:
        raise wrong(path, key, str(error)) from error
    left_out = {f"{name} {operation}": why for operation, why in found.left_out.items()}
    return Opened(found.tools, left_out, dict.fromkeys(found.tools, found.missing), found.notes)
