"""A worker's process, as far as the ledger sees it: begins fifteen keys and prints those that it got."""

import asyncio
import sys
from contextlib import aclosing

import structlog

from activities.errors import OutcomeUnknown
from activities.ledger.ledger import Ledger
from activities.ledger.rows import Write
from workflows.contract.internal import ToolCall


async def begin_all(url: str) -> list[str]:
    begun: list[str] = []
    async with aclosing(await Ledger.open(url)) as ledger:
        for number in range(15):
            call = ToolCall(key=f"r/1.{number}", tool="pay", arguments={})
            try:
                await ledger.begin(Write(call), attempt=1, seen=None)
            except OutcomeUnknown:
                continue
            begun.append(call.key)
    return begun


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    sys.stdout.write(" ".join(asyncio.run(begin_all(sys.argv[1]))))
