"""`make pictures`: real runs of the demo and of the client, and what the Temporal UI shows of one, recorded as the
pictures in README.md. The UI's picture needs Chromium: `apt-get install chromium`.

python -m deploy.local.pictures
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from deploy.local.deployment import Deployment, sole_user
from deploy.local.part import REPOSITORY
from deploy.local.supervisor import Supervisor

REQUEST = "Get the weather in Tokyo and email it to ann@example.com."
QUESTION = "What is IBM trading at?"
PICTURES = REPOSITORY / "docs" / "pictures"
WIDTH = 100
QUIET = (
    *("--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars", "--no-sandbox"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--window-size=1280,1000", "--virtual-time-budget=20000"),  # milliseconds until the page has loaded all
)
"""Of Chromium."""
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


async def asked(*commands: tuple[str, ...], look_at: str = "") -> list[str]:
    """What the client shows of its commands to the embedded deployment.

    Args:
        look_at: the id of a request of which the Temporal UI's page is kept as a picture too.
    """
    state = REPOSITORY / ".errand" / "pictures"
    await asyncio.to_thread(shutil.rmtree, state, ignore_errors=True)  # ids are used once
    with sole_user(state):
        deployment = Deployment.on_free_ports(state)
        async with Supervisor(deployment.parts(), deployment.logs, lambda _: None):
            env = deployment.client_environment()
            shown = [await asyncio.to_thread(recorded, "client.py", *each, env=env) for each in commands]
            if look_at:
                page = f"{deployment.ui_url}/namespaces/default/workflows/{look_at}"
                await asyncio.to_thread(photograph, page, PICTURES / "temporal-ui.png")
            return shown


def photograph(page: str, picture: Path) -> None:
    """Keep what a browser shows of a page."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        print("chromium is not installed: the picture of the Temporal UI stays as it was", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        subprocess.run(  # noqa: S603  # a page of our own
            (browser, *QUIET, f"--user-data-dir={profile}", f"--screenshot={picture}", page),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )


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


def main() -> None:
    demo = recorded("-m", "deploy.local.demo", env={"DEMO_REQUEST": REQUEST})
    draw("demo", f'make demo REQUEST="{REQUEST}"', demo)
    tokyo = ("submit", REQUEST, "--approve", "send_email", "--id", "weather-for-ann", "--requester", "ann")
    said, _ = asyncio.run(asked(("submit", QUESTION), tokyo, look_at="weather-for-ann"))
    draw("submit", f'uv run client.py submit "{QUESTION}"', said)


if __name__ == "__main__":
    main()
