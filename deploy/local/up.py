"""`make up`: the embedded deployment, until Ctrl-C.

python -m deploy.local.up [--state .errand] [--port 7233] [--ui-port 8233] [--door-port 8240] [--http-port 7243]
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from deploy.local.deployment import HTTP_HOST, Deployment, sole_user, worker_env_file
from deploy.local.part import REPOSITORY
from deploy.local.ports import require_free
from deploy.local.session import console, run_until_signal, say
from deploy.local.supervisor import Supervisor

PORT, UI_PORT, DOOR_PORT, HTTP_PORT = 7233, 8233, 8240, 7243
"""Where clients look when nothing is configured."""


async def up(state: Path, port: int, ui_port: int, door_port: int, http_port: int) -> int:
    """Run the deployment until cancelled."""
    with sole_user(state):
        require_free(port, "Temporal", "make up PORT")
        require_free(ui_port, "Temporal UI", "make up UI_PORT")
        require_free(door_port, "door", "make up DOOR_PORT")
        require_free(http_port, "Temporal's HTTP API", "make up HTTP_PORT")
        deployment = Deployment.on_free_ports(state, port, ui_port, door_port, http_port)
        console.print("[bold]Starting the embedded deployment[/bold]")
        _tell_what_is_not_used()
        with worker_env_file(deployment):
            async with Supervisor((*deployment.parts(), deployment.door()), deployment.logs, say):
                _tell_how_to_use(deployment)
                await asyncio.Event().wait()
    return 0


def _tell_what_is_not_used() -> None:
    if named := sorted(name for name in os.environ if name.startswith("OPENAI_")):
        words = f"{', '.join(named)}: not used here, where the embedded model answers; a worker of yours uses it"
        console.print(f"[yellow]  {words} (docs/configuration.md)[/yellow]")


def _tell_how_to_use(deployment: Deployment) -> None:
    usual = (deployment.temporal_port, deployment.ui_port) == (PORT, UI_PORT)
    found_by = "" if usual else "".join(f"{name}={it} " for name, it in deployment.client_environment().items())
    console.print(f"[dim]  mail arrives in {deployment.mail}; weather and prices are samples[/dim]")
    console.print(f'  try: {found_by}.venv/bin/python client.py submit "Get the weather in Paris" --wait')
    console.print(f"[dim]  Temporal's HTTP API is at {deployment.http_url}, by 'Host: {HTTP_HOST}'[/dim]")
    urls = f"door at {deployment.door_url}, Temporal UI at {deployment.ui_url}"
    console.print(f"[green]ready[/green]: {urls} (Ctrl-C stops everything)")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make up", description="Run the embedded deployment until Ctrl-C.")
    parser.add_argument("--state", type=Path, default=REPOSITORY / ".errand")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--ui-port", type=int, default=UI_PORT)
    parser.add_argument("--door-port", type=int, default=DOOR_PORT)
    parser.add_argument("--http-port", type=int, default=HTTP_PORT)
    asked = parser.parse_args()
    running = up(asked.state, asked.port, asked.ui_port, asked.door_port, asked.http_port)
    return run_until_signal(running, interrupted=0)


if __name__ == "__main__":
    sys.exit(main())
