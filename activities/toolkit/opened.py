"""What sources of other systems give once they are read: tools, what cannot be one, and what is to be closed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from activities.toolkit.tool import Tool


@dataclass(frozen=True)
class Opened:
    """Of one source, or of several."""

    tools: Sequence[Tool] = ()
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    """"crm uploadFile" → why it is no tool."""
    missing: Mapping[Tool, tuple[str, ...]] = field(default_factory=dict[Tool, tuple[str, ...]])
    """Tool → the variables without which it is not offered."""
    notes: Mapping[Tool, Sequence[str]] = field(default_factory=dict[Tool, Sequence[str]])
    """Tool → what its source has otherwise than its schema, and what else is to be known of it."""
    closers: Sequence[Callable[[], Awaitable[None]]] = ()

    async def aclose(self) -> None:
        """End what the tools hold: connections, sessions, and every program that was started for them."""
        await asyncio.gather(*(close() for close in self.closers))


def together(opened: Iterable[Opened]) -> Opened:
    """Several as one."""
    every = [*opened]
    return Opened(
        tools=[tool for each in every for tool in each.tools],
        left_out={name: why for each in every for name, why in each.left_out.items()},
        missing={tool: variables for each in every for tool, variables in each.missing.items()},
        notes={tool: notes for each in every for tool, notes in each.notes.items()},
        closers=[close for each in every for close in each.closers],
    )
