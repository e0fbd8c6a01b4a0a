"""The notebook of tests/mcp_server.py as a source of tools, with a real ledger around its writes."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue
from temporalio.testing import ActivityEnvironment

from activities.execution.tool_activities import read_activity, write_activity
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State
from activities.toolkit.foreign_tools import foreign_tools
from activities.toolkit.opened import Opened
from activities.toolkit.tool import Tool
from workflows.contract.internal import AttemptBeat, ToolCall, ToolResult

SERVER = Path(__file__).parents[2] / "mcp_server.py"
OF_TODAY = Path(__file__).with_name("server_of_today.py")


async def counts(beat: AttemptBeat) -> None:
    """A fence that lets every attempt pass."""


@dataclass
class Notebook:
    record: Path
    found: Opened
    ledger: Ledger

    @property
    def tools(self) -> Mapping[str, Tool]:
        return {tool.name.removeprefix("book_"): tool for tool in self.found.tools}

    @property
    def notes(self) -> list[str]:
        """The server's own account."""
        return self.record.read_text().splitlines() if self.record.exists() else []

    @property
    def starts(self) -> int:
        """How often the server was started."""
        return len(self.record.with_suffix(".starts").read_text().splitlines())

    async def call(self, name: str, key: str = "r/1.0", **arguments: JsonValue) -> ToolResult:
        tool = self.tools[name]
        writes = tool.route.effect == "write"
        call = ToolCall(key=key, tool=tool.name, arguments=arguments, chain="5eed" if writes else "")
        run = write_activity(tool, {}, self.ledger, fence=counts) if writes else read_activity(tool, {})
        return await ActivityEnvironment().run(run, call)

    async def state(self, key: str = "r/1.0") -> State | None:
        row = await self.ledger.find(key)
        return row.state if row else None


def sources(
    folder: Path, *, more: str = "", fault: str = "", server: Sequence[str] = (sys.executable, str(SERVER))
) -> Path:
    """A file of sources with the notebook."""
    file = folder / "sources.toml"
    words = [*server, str(folder / "record"), fault]
    file.write_text(f"[mcp.book]\ncommand = {words!r}\n{more}\n")
    return file


def notebook(folder: Path, ledger: Ledger, *, more: str = "timeout = 3", fault: str = "") -> Notebook:
    return Notebook(folder / "record", foreign_tools(sources(folder, more=more, fault=fault)), ledger)
