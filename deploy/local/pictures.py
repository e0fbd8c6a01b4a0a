"""`make pictures`: real runs of the demo and of the client, recorded as the pictures in README.md.

python -m deploy.local.pictures
"""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from io import StringIO

from rich.console import Console
from rich.text import Text

from deploy.local.deployment import Deployment, sole_user
from deploy.local.part import REPOSITORY
from deploy.local.supervisor import Supervisor

REQUEST = "Get the weather in Tokyo and email it to ann@example.com."
QUESTION = "What is IBM trading at?"
PICTURES = REPOSITORY / "docs" / "pictures"
WIDTH = 100
UP, ERASED = "\x1b[1A", "\x1b[2K"
CURSOR = re.compile(r"\x1b\[\?25[hl]|\r")


def recorded(*arguments: str, env: Mapping[str, str]) -> str:
    """What a command of this project writes to a terminal, with its colours."""
    run = subprocess.run(  # noqa: S603  # our own
        (sys.executable, *arguments),
        cwd=REPOSITORY,
        env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
    )
    return run.stdout.decode().replace(str(REPOSITORY), "errand")


async def asked(text: str) -> str:
    """What the client shows of a request to the embedded deployment."""
    state = REPOSITORY / ".errand" / "pictures"
    with sole_user(state):
        deployment = Deployment.on_free_ports(state, ui_port=None)
        async with Supervisor(deployment.parts(), deployment.logs, lambda _: None):
            return await asyncio.to_thread(recorded, "client.py", "submit", text, env=deployment.client_environment())


def settled(said: str) -> str:
    """What is left on the screen in the end, without the lines that were written over."""
    lines: list[str] = []
    for line in said.split("\n"):
        lines = lines[: len(lines) - line.count(UP)]
        lines.append(CURSOR.sub("", line.rpartition(ERASED)[2]))
    return "\n".join(lines)


def draw(name: str, title: str, said: str) -> None:
    """Keep a terminal's text as SVG."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(settled(said)))
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / f"{name}.svg").write_text(console.export_svg(title=title, unique_id=name), encoding="utf-8")


if __name__ == "__main__":
    demo = recorded("-m", "deploy.local.demo", env={"DEMO_REQUEST": REQUEST})
    draw("demo", f'make demo REQUEST="{REQUEST}"', demo)
    draw("submit", f'uv run client.py submit "{QUESTION}"', asyncio.run(asked(QUESTION)))
