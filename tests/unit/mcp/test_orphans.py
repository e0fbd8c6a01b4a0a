"""Of a server's processes none is left, however its worker ends."""

import asyncio
import os
import sys
import time
from contextlib import aclosing, suppress
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.ledger.ledger import Ledger
from activities.toolkit.foreign_tools import foreign_tools
from tests.forked.process import Processes
from tests.unit.mcp.notebook import SERVER, Notebook, notebook

WRAPPER = """
import subprocess, sys
child = subprocess.Popen([sys.executable, *sys.argv[1:]])
stray = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdin=subprocess.DEVNULL)
open(sys.argv[2] + ".stray", "a").write(f"{stray.pid}\\n")
child.wait()
"""
HOLDS = """
import asyncio, sys
from pathlib import Path
from activities.toolkit.foreign_tools import foreign_tools

async def main(found):
    (tool,) = [each for each in found.tools if each.name == "book_read_notes"]
    await tool.function({})
    print("ready", flush=True)
    await asyncio.sleep(600)

asyncio.run(main(foreign_tools(Path(sys.argv[1]))))
"""


def wrapped(folder: Path) -> Path:
    """A server behind a wrapper, which leaves a further process behind."""
    (folder / "wrapper.py").write_text(WRAPPER)
    words = [sys.executable, str(folder / "wrapper.py"), str(SERVER), str(folder / "record"), ""]
    file = folder / "sources.toml"
    file.write_text(f"[mcp.book]\ncommand = {words!r}\n")
    return file


def started(folder: Path) -> list[int]:
    files = (folder / "record.stray", folder / "record.starts")
    return [int(line) for file in files if file.exists() for line in file.read_text().split()]


def all_gone(pids: list[int], within: float = 10) -> bool:
    until = time.monotonic() + within
    while any(map(is_alive, pids)) and time.monotonic() < until:
        time.sleep(0.1)
    return not any(map(is_alive, pids))


def is_alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


async def test_none_is_left_when_the_sessions_are_closed(tmp_path: Path, ledger: Ledger) -> None:
    book = Notebook(tmp_path / "record", foreign_tools(wrapped(tmp_path)), ledger)
    async with aclosing(book.found):
        await book.call("read_notes")
        pids = started(tmp_path)
        assert any(map(is_alive, pids))
    assert all_gone(pids)


@pytest.mark.long
async def test_none_is_left_although_a_session_was_ending_already(tmp_path: Path, ledger: Ledger) -> None:
    book = await asyncio.to_thread(notebook, tmp_path, ledger)
    async with aclosing(book.found):
        with pytest.raises(ApplicationError, match="did not answer"):
            await book.call("take_note", text="hangs-after: milk")
        await asyncio.sleep(0.2)  # the session waits for its program to end
        pids = started(tmp_path)
        assert any(map(is_alive, pids))
    assert all_gone(pids, within=3)


async def test_none_is_left_when_the_worker_is_killed(tmp_path: Path, processes: Processes) -> None:
    said = tmp_path / "said"
    worker = await processes.start(["-c", HOLDS, str(wrapped(tmp_path))], os.environ, said)
    while "ready" not in said.read_text():
        assert worker.returncode is None
        await asyncio.sleep(0.05)
    pids = started(tmp_path)
    assert any(map(is_alive, pids))
    worker.kill()
    await worker.wait()
    assert all_gone(pids)
