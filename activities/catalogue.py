"""The tools of one worker: found in modules, and narrowed to those that are configured."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Self, cast

from activities.errors import ConfigurationError
from activities.settings import PREFIX, Settings
from activities.tool import Tool, tool_of
from workflows.contract import ANSWER, CHECK, CHECK_SCHEMA, DECIDE, RECALL, SETTLE

TAKEN = frozenset({DECIDE, ANSWER, CHECK, CHECK_SCHEMA, SETTLE, RECALL})
"""Names of activities that are no tools."""


@dataclass(frozen=True)
class Catalogue:
    """`tools` are offered to the model; `unconfigured` are not: tool name → the variables that are missing."""

    tools: Mapping[str, Tool]
    unconfigured: Mapping[str, tuple[str, ...]]

    @classmethod
    def load(cls, settings: Settings) -> Self:
        """Collect the tools of `activities` and of the modules that the settings name.

        Raises:
            ConfigurationError: a module cannot be imported, or a name is taken.
        """
        found: dict[str, Tool] = {}
        for module in [*_modules_beside_this_one(), *map(_import, settings.tools)]:
            for each in _tools_in(module):
                if each.name in TAKEN:
                    raise ConfigurationError(f"{PREFIX}TOOLS: a tool cannot be named {each.name}")
                if each.name in found and found[each.name] is not each:
                    raise ConfigurationError(f"{PREFIX}TOOLS: there are two tools named {each.name}")
                found[each.name] = each
        missing = {name: _missing(each, settings) for name, each in found.items()}
        return cls(
            tools={name: each for name, each in found.items() if not missing[name]},
            unconfigured={name: names for name, names in missing.items() if names},
        )


def _modules_beside_this_one() -> Iterable[ModuleType]:
    package = importlib.import_module(__package__ or "activities")
    names = [info.name for info in pkgutil.iter_modules(package.__path__)]
    return [_import(f"{package.__name__}.{name}", because=f"activities/{name}.py") for name in names]


def _import(name: str, because: str = f"{PREFIX}TOOLS") -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # a module may raise anything while it is imported
        raise ConfigurationError(f"{because}: cannot import {name}: {error}") from error


def _tools_in(module: ModuleType) -> Iterable[Tool]:
    for _, function in inspect.getmembers(module, inspect.isfunction):
        found = tool_of(cast(object, function))
        if found is not None:
            yield found


def _missing(tool: Tool, settings: Settings) -> tuple[str, ...]:
    return tuple(PREFIX + name.upper() for name in tool.needs if getattr(settings, name) is None)
