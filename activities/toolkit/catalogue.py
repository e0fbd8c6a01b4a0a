"""The tools of one worker: from the service's own modules and other sources, narrowed to those that are offered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Self

from pydantic_settings import BaseSettings

from activities.errors import ConfigurationError
from activities.settings import Settings
from activities.settings.environment import PREFIX
from activities.toolkit.foreign_tools import foreign_tools
from activities.toolkit.function_names import FIND_TOOLS
from activities.toolkit.opened import Opened
from activities.toolkit.patterns import FitsNothing, chosen
from activities.toolkit.source_file import wrong
from activities.toolkit.sources import Package, source_of
from activities.toolkit.tool import Tool
from activities.toolkit.tool_settings import OwnSettings, own_settings, read
from workflows.contract.internal import ANSWER, CHECK, CHECK_SCHEMA, DECIDE, PREPARE, RECALL, SETTLE

TAKEN = frozenset({DECIDE, ANSWER, CHECK, CHECK_SCHEMA, PREPARE, SETTLE, RECALL, FIND_TOOLS})
"""Names of activities that no tool may have."""


@dataclass(frozen=True)
class Catalogue:
    """`tools` are offered to the model; `unconfigured` are not: tool name → the variables that are missing."""

    tools: Mapping[str, Tool]
    unconfigured: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...] = ()
    """By the setting that says which tools are offered."""
    replaced: Mapping[Tool, Tool] = field(default_factory=dict[Tool, Tool])
    """Tool → the one that is there in its place."""
    settings: Mapping[type[BaseSettings], BaseSettings] = field(default_factory=dict[type[BaseSettings], BaseSettings])
    """Of the tools' own classes, what the environment says."""
    every: Mapping[str, Tool] = field(default_factory=dict[str, Tool])
    """Those that are offered once they are configured."""
    sources: Opened = field(default_factory=Opened)
    """The file of sources, with what in them is no tool, and why. Who runs tools closes it."""

    @classmethod
    def load(cls, settings: Settings) -> Self:
        """Collect the tools of `activities`, of the file of sources, and of what else the settings name.

        Raises:
            ConfigurationError: a source cannot be read, a name is taken, or a setting of a tool has a wrong value.
        """
        foreign = foreign_tools(settings.tools.sources, private=settings.http.http_private)
        everything = [*_from_all_sources(settings), *foreign.tools]
        replaced = _replaced(everything)
        found = _by_name((tool for tool in everything if tool not in replaced), foreign.tools, settings.tools.sources)
        offered = _offered(found, settings.tools.offer)
        kinds = {kind: read(kind) for tool in offered.values() for kind in own_settings(tool)}
        missing = {
            name: (*_missing(tool, settings, kinds), *foreign.missing.get(tool, ())) for name, tool in offered.items()
        }
        return cls(
            tools={name: tool for name, tool in offered.items() if not missing[name]},
            unconfigured={name: variables for name, variables in missing.items() if variables},
            left_out=tuple(name for name in found if name not in offered),
            replaced=replaced,
            settings={kind: own.instance for kind, own in kinds.items() if own.instance is not None},
            every=offered,
            sources=foreign,
        )


def _from_all_sources(settings: Settings) -> Sequence[Tool]:
    """Each once, however many sources have it."""
    found = dict.fromkeys(Package("activities.tools").tools())
    try:
        for word in settings.tools.tools:
            found |= dict.fromkeys(source_of(word).tools())
    except ConfigurationError as error:
        raise ConfigurationError(f"{PREFIX}TOOLS: {error}") from error
    return [*found]


def _replaced(everything: Sequence[Tool]) -> dict[Tool, Tool]:
    """Tool → the one that says that it replaces it.

    Raises:
        ConfigurationError: two replace the same, or there is nothing to replace.
    """
    replaced: dict[Tool, Tool] = {}
    for by in (tool for tool in everything if tool.replaces):
        others = [tool for tool in everything if tool is not by and tool.name == by.replaces]
        rivals = [tool for tool in everything if tool is not by and tool.replaces == by.replaces]
        if rivals:
            raise ConfigurationError(f"{PREFIX}TOOLS: two tools replace {by.replaces}: {by} and {rivals[0]}")
        if not others:
            raise ConfigurationError(f"{PREFIX}TOOLS: {by} replaces {by.replaces}, but there is no such tool")
        replaced |= dict.fromkeys(others, by)
    return replaced


def _by_name(tools: Iterable[Tool], foreign: Sequence[Tool], file: Path | None) -> dict[str, Tool]:
    """Name → tool.

    Args:
        tools: of this worker.
        foreign: those of them that are of the file of sources.
        file: that file.

    Raises:
        ConfigurationError: a name is taken.
    """
    found: dict[str, Tool] = {}
    for tool in tools:
        if tool.name in TAKEN:
            what = f"{tool} has a name that the service itself uses"
            raise _taken(what, [tool], foreign, file) or ConfigurationError(f"{PREFIX}TOOLS: {what}; give it another")
        if tool.name in found:
            both = [found[tool.name], tool]
            what = f"there are two tools named {tool.name}: {' and '.join(each.defined_at for each in both)}"
            hint = f'one that is there in place of the other says so: replaces="{tool.name}"'
            raise _taken(what, both, foreign, file) or ConfigurationError(f"{PREFIX}TOOLS: {what}; {hint}")
        found[tool.name] = tool
    return found


def _taken(what: str, tools: Sequence[Tool], foreign: Sequence[Tool], file: Path | None) -> ConfigurationError | None:
    """What is wrong with the name of tools that are, some or all, of the file of sources; None: none of them is."""
    own = [tool for tool in tools if tool not in foreign]
    if file is None or len(own) == len(tools):
        return None
    hint = "give a source another name, or leave its tool out by a pattern with a - in its `offer`"
    replaces = f'; or {own[0].defined_at} takes its place by replaces="{own[0].name}"' if own else ""
    return wrong(file, "", f"{what}; {hint}{replaces}")


def _offered(found: Mapping[str, Tool], patterns: Sequence[str]) -> Mapping[str, Tool]:
    """Those that the patterns leave, read from the first to the last: each adds tools, or with a - takes some away.

    Raises:
        ConfigurationError: a pattern fits no tool.
    """
    try:
        names = chosen([*found], patterns, fnmatchcase)
    except FitsNothing as error:
        known = ", ".join(found)
        raise ConfigurationError(f"{PREFIX}OFFER: there is no tool {error.pattern!r}; the tools are {known}") from error
    return {name: found[name] for name in names}


def _missing(tool: Tool, settings: Settings, kinds: Mapping[type[BaseSettings], OwnSettings]) -> tuple[str, ...]:
    """The variables that a tool lacks: of the service's, and of its own settings."""
    for name in tool.needs:
        if name not in Settings.fields():
            raise ConfigurationError(
                f"{PREFIX}TOOLS: {tool} needs {name}, which is no setting of the service; for one of its own, it asks "
                "for an instance of its own pydantic-settings class"
            )
    own = (variable for kind in own_settings(tool) for variable in kinds[kind].missing)
    return (*(PREFIX + name.upper() for name in tool.needs if settings.lacks(name)), *own)
