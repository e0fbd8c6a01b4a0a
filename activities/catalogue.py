"""The tools of one worker: found in modules, narrowed to those that are configured, run as activities."""

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Self, cast

from pydantic import JsonValue
from pydantic_core import to_json, to_jsonable_python
from temporalio import activity

from activities.errors import ConfigurationError, ErrandError, OutcomeUnknown, to_application_error
from activities.settings import PREFIX, Settings
from activities.tool import Tool, tool_of
from workflows.contract import DECIDE, ToolCall, ToolResult

RESULT_BYTES = 16 * 1024
"""The most that one tool result may take in history and in the conversation."""


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
                if each.name == DECIDE:
                    raise ConfigurationError(f"{PREFIX}TOOLS: a tool cannot be named {DECIDE}")
                if each.name in found and found[each.name] is not each:
                    raise ConfigurationError(f"{PREFIX}TOOLS: there are two tools named {each.name}")
                found[each.name] = each
        missing = {name: _missing(each, settings) for name, each in found.items()}
        return cls(
            tools={name: each for name, each in found.items() if not missing[name]},
            unconfigured={name: names for name, names in missing.items() if names},
        )

    def activities(self, provisions: Mapping[type, object]) -> list[Callable[[ToolCall], Awaitable[ToolResult]]]:
        """Every tool as an activity of the same name, given its clients."""
        return [as_activity(each, provisions) for each in self.tools.values()]


def as_activity(tool: Tool, provisions: Mapping[type, object]) -> Callable[[ToolCall], Awaitable[ToolResult]]:
    """The activity that holds the arguments to the schema once more, runs the tool and caps its result."""
    function = tool.bind(provisions)

    @activity.defn(name=tool.name)
    async def run(call: ToolCall) -> ToolResult:
        with translated():
            running = function(tool.validate(call.arguments), call)
            value = await (running if tool.route.effect == "read" else _to_its_end(running))
        return ToolResult(value=capped(to_jsonable_python(value)), attempts=activity.info().attempt)

    return run


async def _to_its_end(write: Awaitable[object]) -> object:
    """Await a write although its request is cancelled meanwhile: what became of it belongs on its receipt.

    Raises:
        OutcomeUnknown: the worker stops, or the server has given the activity up.
    """
    running = asyncio.ensure_future(write)
    while True:
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            details = activity.cancellation_details()
            if details is not None and details.cancel_requested and not running.cancelled():
                continue
            running.cancel()
            raise OutcomeUnknown("the worker stopped before it knew the result") from None


@contextmanager
def translated() -> Generator[None]:
    """Errors of the tree leave an activity as Temporal's."""
    try:
        yield
    except ErrandError as error:
        # Without `from`: the cause may hold secrets. So it is in the worker's log, as context, and not in history.
        raise to_application_error(error, attempt=activity.info().attempt)  # noqa: B904


def capped(value: JsonValue) -> JsonValue:
    """A result of more than 16 KiB becomes the beginning of its text, and says so."""
    text = value if isinstance(value, str) else to_json(value).decode()
    size = len(text.encode())
    if size <= RESULT_BYTES:
        return value
    kept = text.encode()[:RESULT_BYTES].decode(errors="ignore")
    return f"{kept}\n[shortened: the first {len(kept.encode()):,} of {size:,} bytes]"


def _modules_beside_this_one() -> Iterable[ModuleType]:
    package = importlib.import_module(__package__ or "activities")
    return [
        importlib.import_module(f"{package.__name__}.{info.name}") for info in pkgutil.iter_modules(package.__path__)
    ]


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # a module may raise anything while it is imported
        raise ConfigurationError(f"{PREFIX}TOOLS: cannot import {name}: {error}") from error


def _tools_in(module: ModuleType) -> Iterable[Tool]:
    for _, function in inspect.getmembers(module, inspect.isfunction):
        found = tool_of(cast(object, function))
        if found is not None:
            yield found


def _missing(tool: Tool, settings: Settings) -> tuple[str, ...]:
    return tuple(PREFIX + name.upper() for name in tool.needs if getattr(settings, name) is None)
