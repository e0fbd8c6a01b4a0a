"""The tools of the file of sources: other systems' operations, each source with its own table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import httpx

from activities.errors import ConfigurationError
from activities.http.guard import Guard, guarded_client
from activities.http.staged import HttpSender
from activities.settings.environment import PROJECT
from activities.toolkit.openapi.settings import OpenApiSettings
from activities.toolkit.source_file import WrongKey, read_sources, wrong
from activities.toolkit.tool import Tool

KEPT = PROJECT / ".errand" / "sources"
"""What is kept of sources from start to start."""


class Clients:
    """The HTTP clients of all sources, made when they are first used."""

    def __init__(self) -> None:
        self._senders: dict[bool, HttpSender] = {}
        self._open: list[httpx.AsyncClient] = []

    def sender(self, *, private: bool) -> HttpSender:
        """Sends to public addresses only, or to private ones too. A source is trusted with its ports."""
        if private not in self._senders:
            guard = Guard(private=private, ports=None)
            reads, writes = (guarded_client(guard, keep_connections=keeps) for keeps in (True, False))
            self._open += [reads, writes]
            self._senders[private] = HttpSender(reads, writes)
        return self._senders[private]

    async def aclose(self) -> None:
        self._senders.clear()
        while self._open:
            await self._open.pop().aclose()


@dataclass(frozen=True)
class ForeignTools:
    tools: Sequence[Tool] = ()
    missing: Mapping[Tool, tuple[str, ...]] = field(default_factory=dict[Tool, tuple[str, ...]])
    """Tool → the variables without which it is not offered."""
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    """"crm uploadFile" → why it is no tool."""
    clients: Clients = field(default_factory=Clients)


def foreign_tools(path: Path | None) -> ForeignTools:
    """Make tools of all that the file of sources names.

    Args:
        path: the file of sources.

    Raises:
        ConfigurationError: the file, or a document that it names, cannot be used; one line names file and key.
    """
    if path is None:
        return ForeignTools()
    clients = Clients()
    tools: list[Tool] = []
    missing: dict[Tool, tuple[str, ...]] = {}
    left_out: dict[str, str] = {}
    for name, settings in read_sources(path).openapi.items():
        found = _of_document(path, name, settings, clients)
        tools += found.tools
        missing |= found.missing
        left_out |= found.left_out
    return ForeignTools(tools, missing, left_out, clients)


def _of_document(path: Path, name: str, settings: OpenApiSettings, clients: Clients) -> ForeignTools:
    key = f"openapi.{name}"
    if lacking := [module for module in ("yaml", "jmespath") if find_spec(module) is None]:
        raise wrong(path, key, f"{lacking[0]} is not installed: uv sync --extra openapi")
    # What reads documents is loaded only by workers that have one.
    from activities.toolkit.openapi.source import tools_of

    try:
        found = tools_of(
            name, settings, folder=path.parent, kept=KEPT, sender=lambda: clients.sender(private=settings.private)
        )
    except WrongKey as error:
        raise wrong(path, f"{key}.{error.key}", str(error)) from error
    except ConfigurationError as error:
        raise wrong(path, key, str(error)) from error
    left_out = {f"{name} {operation}": why for operation, why in found.left_out.items()}
    return ForeignTools(found.tools, dict.fromkeys(found.tools, found.missing), left_out)
