"""`client.py doctor`: whether everything is there that a deployment needs."""

import json
from typing import TYPE_CHECKING

import typer

from activities.settings import Settings
from deploy.terminal.exit_codes import ENDED_OTHERWISE, UNREACHABLE, USAGE, end_with, explain
from deploy.terminal.logs import only_warnings
from deploy.terminal.options import AsJson

if TYPE_CHECKING:
    from deploy.client.doctor import Finding
    from deploy.terminal.screen import Screen

app = typer.Typer()


@app.command("doctor")
def doctor_command(as_json: AsJson = False) -> None:
    """Look at all that a worker needs, and say what to do; no mail is sent, and nothing is changed."""

    async def command(screen: "Screen") -> int:
        from deploy.client.doctor import examine

        only_warnings()
        codes: set[int] = set()
        async for finding in examine(Settings.from_environment()):
            if finding.error is not None:
                codes.add(explain(finding.error)[0])
            if as_json:
                typer.echo(json.dumps(as_object(finding), ensure_ascii=False))
            else:
                screen.say(line_of(finding))
        return next((code for code in (USAGE, UNREACHABLE, ENDED_OTHERWISE) if code in codes), 0)

    end_with(command, quiet=as_json)


def as_object(finding: "Finding") -> dict[str, str]:
    return {"of": finding.of, "level": finding.level, "said": finding.said, "todo": finding.todo}


def line_of(finding: "Finding") -> str:
    line = f"{finding.level:<4}  {finding.of}: {finding.said}"
    return f"{line}\n      → {finding.todo}" if finding.todo else line
