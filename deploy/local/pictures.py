"""`make pictures`: real runs of the demo and of the client, what the Temporal UI shows of one, and what the desk shows
of one that waits, recorded as the pictures in README.md. The pages need Chromium: `apt-get install chromium`.

python -m deploy.local.pictures
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from deploy.local.deployment import Deployment, sole_user
from deploy.local.part import REPOSITORY
from deploy.local.supervisor import Supervisor

REQUEST = "Get the weather in Tokyo and email it to ann@example.com."
FOR_CARLA = "Email carla@example.com the weather in Paris."
QUESTION = "What is IBM trading at?"
PICTURES = REPOSITORY / "docs" / "pictures"
WIDTH = 100
WAITS_WITHIN = 120
"""Seconds."""
QUIET = (
    *("--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars", "--no-sandbox"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
"""Of Chromium."""
UI = ("--window-size=1280,1000", "--virtual-time-budget=20000")  # milliseconds until the page has loaded all
DESK = ("--window-size=960,962",)
"""Without such a budget: its stream of events never ends."""
ANSWERED, APPROVED, WAITING = "price-for-bob", "weather-for-ann", "weather-for-carla"
"""The ids of the requests that are seen."""
THOSE_THAT_WAIT = ("client.py", "list", "--awaiting-approval")
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


async def asked(*commands: tuple[str, ...]) -> list[str]:
    """What the client shows of its commands to the embedded deployment; what the Temporal UI and the desk show then is
    kept as pictures."""
    state = REPOSITORY / ".errand" / "pictures"
    await asyncio.to_thread(shutil.rmtree, state, ignore_errors=True)  # ids are used once
    with sole_user(state):
        deployment = Deployment.on_free_ports(state)
        async with Supervisor((*deployment.parts(), deployment.door()), deployment.logs, lambda _: None):
            env = deployment.client_environment()
            shown = [await asyncio.to_thread(recorded, "client.py", *each, env=env) for each in commands]
            page = f"{deployment.ui_url}/namespaces/default/workflows/{APPROVED}"
            await asyncio.to_thread(photograph, page, PICTURES / "temporal-ui.png", UI)
            await until_one_waits(env)
            await asyncio.to_thread(photograph, deployment.door_url, PICTURES / "desk.png", DESK)
            return shown


async def until_one_waits(env: Mapping[str, str]) -> None:
    """Returns when a call waits for approval."""
    async with asyncio.timeout(WAITS_WITHIN):
        while WAITING not in await asyncio.to_thread(recorded, *THOSE_THAT_WAIT, env=env):  # noqa: ASYNC110  # it is asked
            await asyncio.sleep(0.5)


def photograph(page: str, picture: Path, how: Sequence[str]) -> None:
    """Keep what a browser shows of a page."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        print("chromium is not installed: the pictures of pages stay as they were", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        subprocess.run(  # noqa: S603  # a page of our own
            (browser, *QUIET, *how, f"--user-data-dir={profile}", f"--screenshot={picture}", page),
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
    os.environ["LOGNAME"] = "erin"  # who sits at the desk; pictures name nobody real
    demo = recorded("-m", "deploy.local.demo", env={"DEMO_REQUEST": REQUEST})
    draw("demo", f'make demo REQUEST="{REQUEST}"', demo)
    commands = (
        ("submit", QUESTION, "--id", ANSWERED, "--requester", "bob"),
        ("submit", REQUEST, "--approve", "send_email", "--id", APPROVED, "--requester", "ann"),
        ("submit", FOR_CARLA, "--id", WAITING, "--requester", "carla", "--no-wait"),
    )
    said, *_ = asyncio.run(asked(*commands))
    draw("submit", f'uv run client.py submit "{QUESTION}"', said)


if __name__ == "__main__":
    main()
