"""`make pictures`: a real run of the demo, recorded as the picture in README.md.

python -m deploy.local.pictures
"""

import os
import re
import subprocess
import sys
from io import StringIO

from rich.console import Console
from rich.text import Text

from deploy.local.part import REPOSITORY

REQUEST = "Get the weather in Tokyo and email it to ann@example.com."
PICTURE = REPOSITORY / "docs" / "pictures" / "demo.svg"
WIDTH = 100
UP, ERASED = "\x1b[1A", "\x1b[2K"
CURSOR = re.compile(r"\x1b\[\?25[hl]|\r")


def recorded() -> str:
    """What the demo writes to a terminal, with its colours."""
    run = subprocess.run(
        (sys.executable, "-m", "deploy.local.demo"),
        cwd=REPOSITORY,
        env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "DEMO_REQUEST": REQUEST},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return run.stdout.replace(str(REPOSITORY), "errand")


def settled(said: str) -> str:
    """What is left on the screen in the end, without the lines that were written over."""
    lines: list[str] = []
    for line in said.split("\n"):
        lines = lines[: len(lines) - line.count(UP)]
        lines.append(CURSOR.sub("", line.rpartition(ERASED)[2]))
    return "\n".join(lines)


def drawn(said: str, title: str) -> str:
    """A terminal's text as SVG."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(settled(said)))
    return console.export_svg(title=title, unique_id="demo")


if __name__ == "__main__":
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(drawn(recorded(), f'make demo REQUEST="{REQUEST}"'), encoding="utf-8")
