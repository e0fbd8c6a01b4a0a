"""One server is listed, called once through ledger and activity, and closed."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.execution.tool_activities import read_activity, write_activity
from activities.ledger.ledger import Ledger
from activities.toolkit.foreign_tools import foreign_tools
from tests.mcp.servers import RealServer
from workflows.contract.internal import AttemptBeat, ToolCall


@dataclass(frozen=True)
class Called:
    effects: dict[str, str]
    """Tool → effect."""
    left_out: dict[str, str]
    result: JsonValue
    """Of the call; of one that failed, the error's name and words."""


async def counts(beat: AttemptBeat) -> None:
    """A fence that lets every attempt pass."""


async def called(name: str, server: RealServer, folder: Path) -> Called:
    found = await asyncio.to_thread(foreign_tools, server.source(name, folder))
    tools = {tool.name: tool for tool in found.tools}
    tool = tools[f"{name}_{server.tool}"]
    writes = tool.route.effect == "write"
    call = ToolCall(key="r/1.0", tool=tool.name, arguments=server.call(folder), chain="5eed" if writes else "")
    async with aclosing(found), aclosing(await Ledger.open(f"sqlite:///{folder}/ledger.db")) as ledger:
        run = write_activity(tool, {}, ledger, fence=counts) if writes else read_activity(tool, {})
        try:
            result = (await ActivityEnvironment().run(run, call)).value
        except ApplicationError as error:
            result = f"{error.type}: {error.message}"
    effects = {each.name: each.route.effect for each in found.tools}
    return Called(effects, {**found.left_out}, result)
