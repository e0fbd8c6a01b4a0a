"""`make demo`: the embedded deployment, some requests from beginning to end, and everything stopped again.

python -m deploy.local.demo

The environment variable DEMO_REQUEST names the one request to make in place of the usual three.
"""

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Iterable
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

from rich.markup import escape
from rich.panel import Panel

from deploy.local.deployment import Deployment, sole_user, surroundings
from deploy.local.mail_catcher import kept_mails
from deploy.local.part import REPOSITORY
from deploy.local.ports import is_free
from deploy.local.session import console, run_until_signal, say
from deploy.local.supervisor import Supervisor

STATE = REPOSITORY / ".errand" / "demo"
UI_PORT = 8233
INTERRUPTED = 130
REQUESTS = (
    "What's the current price of Apple stock?",
    "Get the weather in Tokyo and email it to ann@example.com.",
    "Tell me the price of Tesla and the weather in Berlin.",
)


async def demo(requests: Iterable[str], state: Path = STATE) -> int:
    """Carry out the requests one after another.

    Returns:
        How many did not complete.
    """
    with sole_user(state):
        _empty(state)
        deployment = Deployment.on_free_ports(state, ui_port=UI_PORT if is_free(UI_PORT) else None)
        console.print("[bold]Starting the embedded deployment[/bold]")
        failed = 0
        async with Supervisor(deployment.parts(), deployment.logs, say):
            console.print(f"  Temporal UI: {deployment.ui_url}")
            for text in requests:
                failed += not await _carry_out(text, deployment)
            console.print()
        console.print(f"[dim]Everything is stopped; mail and logs stay in {state}.[/dim]")
        console.print("[dim]To look at runs in the Temporal UI, and to approve mail yourself: make up[/dim]")
    return failed


async def _carry_out(text: str, deployment: Deployment) -> bool:
    """Let the command-line client submit one request, then show the mail that has arrived meanwhile."""
    console.print()
    console.rule(f"[bold]{escape(text)}[/bold]", align="left")
    known = set(kept_mails(deployment.mail))
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "client.py", "submit", text, "--wait", "--yes"),
        cwd=REPOSITORY,
        env=surroundings(deployment.client_environment()),
        stdin=DEVNULL,
    )
    try:
        completed = await client.wait() == 0
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            client.send_signal(signal.SIGTERM)
        await client.wait()
        raise
    for file, mail in kept_mails(deployment.mail).items():
        if file not in known:
            _show(mail, file)
    if not completed:
        console.print(f"[red]This request did not complete (status {client.returncode}).[/red]")
    return completed


def _show(mail: EmailMessage, file: Path) -> None:
    body = mail.get_body(("plain", "html"))
    headers = (f"[bold]{name}:[/bold] {escape(str(mail.get(name, '')))}" for name in ("From", "To", "Subject"))
    text = "\n".join((*headers, "", escape(str(body.get_content()).strip() if body else "")))
    console.print(Panel(text, title="this mail arrived", subtitle=f"[dim]{file.name}[/dim]", title_align="left"))


def _empty(state: Path) -> None:
    """Remove what an earlier demo left; the lock stays, because it is held."""
    for each in state.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        elif each.name != "lock":
            each.unlink()


def main() -> int:
    wanted = os.environ.get("DEMO_REQUEST", "").strip()
    failed = run_until_signal(demo((wanted,) if wanted else REQUESTS), interrupted=INTERRUPTED)
    return min(failed, 255)


if __name__ == "__main__":
    sys.exit(main())
