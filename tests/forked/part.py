"""A part of a deployment whose process is forked, with the words of its command, instead of started from it."""

from asyncio.subprocess import Process
from dataclasses import dataclass, field
from typing import cast

from deploy.local.part import Log, Part
from tests.forked.process import Processes


@dataclass(frozen=True)
class ForkedPart(Part):
    processes: Processes = field(kw_only=True)

    async def start(self, log: Log) -> Process:
        _, *words = self.command
        return cast("Process", await self.processes.start(words, self.environment, log.path))


def forked_part(part: Part, processes: Processes) -> ForkedPart:
    """The same part, but for how its process starts."""
    return ForkedPart(
        part.name,
        part.command,
        part.is_ready,
        part.environment,
        part.after,
        part.ready_within,
        part.stops_within,
        processes=processes,
    )
