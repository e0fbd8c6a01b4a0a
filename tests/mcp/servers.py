"""The servers, and how each is called once. Those of npm are installed into .errand/mcp-servers by `install`."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from activities.settings.environment import PROJECT
from workflows.contract.values import Arguments

KEPT = PROJECT / ".errand" / "mcp-servers"
NPM = ("server-everything", "server-filesystem", "server-memory")
VERSION = "2026.8.31"
APART = ("mcp-server-sqlite==2025.4.25", "mcp<2")
"""It does not run with the SDK that the service needs."""
FOLDERS = {
    "here": Path(sys.executable).parent,
    "npm": KEPT / "node_modules" / ".bin",
    "apart": KEPT / "python" / "bin",
}


@dataclass(frozen=True)
class RealServer:
    program: str
    kind: Literal["here", "npm", "apart"]
    """Where it is installed: beside the service, by npm, or in a virtual environment of its own."""
    arguments: Callable[[Path], Sequence[str]]
    """Of a folder that the server may use."""
    tool: str
    call: Callable[[Path], Arguments]
    answers: Callable[[JsonValue], bool]
    prepare: Callable[[Path], object] = field(default=lambda folder: None)

    @property
    def path(self) -> Path:
        return FOLDERS[self.kind] / self.program

    @property
    def missing(self) -> str:
        """Why it cannot be run; empty where it can."""
        if self.path.exists():
            return ""
        return f"{self.program} is not installed: make {'install' if self.kind == 'here' else 'mcp'}"

    def source(self, name: str, folder: Path) -> Path:
        """A file of sources with this server alone."""
        self.prepare(folder)
        file = folder / "sources.toml"
        file.write_text(f"[mcp.{name}]\ncommand = {[str(self.path), *self.arguments(folder)]!r}\n")
        return file


def _repository(folder: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(folder / "repository")], check=True)


SERVERS = {
    "time": RealServer(
        "mcp-server-time", "here", lambda folder: (), "get_current_time", lambda folder: {"timezone": "Europe/Berlin"},
        lambda found: isinstance(found, dict) and found["timezone"] == "Europe/Berlin",
    ),
    "git": RealServer(
        "mcp-server-git", "here", lambda folder: (), "git_status", lambda folder: {"repo_path": f"{folder}/repository"},
        lambda found: "No commits yet" in str(found), _repository,
    ),
    "fetch": RealServer(
        "mcp-server-fetch", "here", lambda folder: ("--ignore-robots-txt",), "fetch",
        lambda folder: {"url": "http://127.0.0.1:9/"}, lambda found: "ServiceRefused" in str(found),
    ),
    "sqlite": RealServer(
        "mcp-server-sqlite", "apart", lambda folder: ("--db-path", f"{folder}/notes.db"), "create_table",
        lambda folder: {"query": "CREATE TABLE notes (text TEXT)"}, lambda found: "success" in str(found),
    ),
    "everything": RealServer(
        "mcp-server-everything", "npm", lambda folder: (), "get-structured-content",
        lambda folder: {"location": "New York"},
        lambda found: isinstance(found, dict) and "temperature" in found,
    ),
    "filesystem": RealServer(
        "mcp-server-filesystem", "npm", lambda folder: (str(folder),), "write_file",
        lambda folder: {"path": f"{folder}/note.txt", "content": "milk"}, lambda found: "note.txt" in str(found),
    ),
    "memory": RealServer(
        "mcp-server-memory", "npm", lambda folder: (), "search_nodes", lambda folder: {"query": "milk"},
        lambda found: isinstance(found, dict) and found["entities"] == [],
    ),
}  # fmt: skip


def install() -> None:
    """What can be installed and is not there yet."""
    lacking = {server.kind for server in SERVERS.values() if server.missing}
    KEPT.mkdir(parents=True, exist_ok=True)
    if "npm" in lacking and shutil.which("npm"):
        packages = [f"@modelcontextprotocol/{name}@{VERSION}" for name in NPM]
        command = ["npm", "install", "--prefix", str(KEPT), "--no-audit", "--no-fund", "--silent", *packages]
        subprocess.run(command, check=False)
    if "apart" in lacking:
        python = KEPT / "python"
        subprocess.run([sys.executable, "-m", "venv", str(python)], check=True)
        subprocess.run([str(python / "bin" / "pip"), "install", "--quiet", *APART], check=False)
