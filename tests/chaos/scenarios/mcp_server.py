"""An MCP server dies at every stage around a write, hangs, and refuses; and workers are killed while it does."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from activities.settings.environment import PROJECT
from tests.chaos.scenarios.ledgers import FileLedger
from tests.chaos.scenarios.scene import Letter, Scene
from tests.chaos.smtp_record import Delivery
from tests.scripted_model import call, calls, say

CALLS_AGAIN = "mcp-calls-again"
FAULTS = (
    "none",
    "refuses",
    "breaks",
    "answers-nonsense",
    *(f"{fault}-once" for fault in ("dies-before", "dies-after", "dies-answering", "hangs-before", "hangs-after")),
)
EACH = 2
TOGETHER = 5
"""Notes that are taken while the server dies of another one."""
KILLED = 3
"""Workers that are killed while a call is out, besides."""
TOOL = "book_take_note"
SERVER = PROJECT / "tests" / "mcp_server.py"


async def play(scene: Scene) -> None:
    record = _sources(scene)
    worker = await scene.worker()
    for fault in FAULTS * EACH:
        await scene.carry_out(_note(scene, fault))
    # All of them share a session, so that the death of the server is everybody's loss.
    together = [_note(scene, fault) for fault in ("dies-after-once", *["none"] * TOGETHER)]
    await asyncio.gather(*(scene.carry_out(letter) for letter in together))
    for _ in range(KILLED):
        letter = _note(scene, "hangs-after-once")
        handle = await scene.start(letter)
        while letter.token not in _text(record):
            await asyncio.sleep(0.05)
        await worker.kill()
        worker = await scene.worker()
        await scene.ends(letter, handle)
    scene.stage.post.deliveries += _noted(record)


def _sources(scene: Scene) -> Path:
    """The server's record; the scene's workers know the server."""
    assert isinstance(scene.ledger, FileLedger)
    folder = scene.ledger.file.parent
    words = [sys.executable, str(SERVER), str(folder / "record")]
    (folder / "sources.toml").write_text(f"[mcp.book]\ncommand = {words!r}\ntimeout = 4\n")
    scene.tool = TOOL
    scene.variables["ERRAND_SOURCES"] = str(folder / "sources.toml")
    return folder / "record"


def _note(scene: Scene, fault: str) -> Letter:
    letter = scene.letter()
    note = calls(call(TOOL, text=f"{fault}: {letter.token}"))
    scene.stage.model.scripts[letter.text] = [note, say("That is all."), say("That is all.")]
    return letter


def _text(record: Path) -> str:
    return record.read_text() if record.exists() else ""


def _noted(record: Path) -> list[Delivery]:
    """The server's own account of what it did, and when."""
    lines = [line.split() for line in record.with_suffix(".times").read_text().splitlines()]
    return [
        Delivery(token, f"noted: {fault} {token}", datetime.fromtimestamp(float(at), UTC), (token,))
        for at, fault, token in lines
    ]
