"""`client.py budgets`: how the policy's budgets stand, by the ledger's own word."""

import json
from typing import TYPE_CHECKING

import typer

from activities.budgets import UNITS
from activities.settings import Settings
from deploy.client.actions import ledger_of_the_workers
from deploy.terminal.exit_codes import end_with
from deploy.terminal.options import AsJson

if TYPE_CHECKING:
    from activities.ledger.spending import Standing
    from deploy.terminal.screen import Screen

app = typer.Typer()


@app.command("budgets")
def budgets_command(as_json: AsJson = False) -> None:
    """Show what is used, reserved and left of each budget of the policy; with --json, one object a line."""

    async def command(screen: "Screen") -> int:
        from activities.policy import Policy

        settings = Settings.from_environment()
        budgets = Policy.load(settings.tools.policy).budget
        if not budgets:
            if not as_json:
                screen.note("the policy has no budgets" if settings.tools.policy else "ERRAND_POLICY names no policy")
            return 0
        async with ledger_of_the_workers(settings) as ledger:
            standings = await ledger.spending.standings(budgets)
        if as_json:
            typer.echo("".join(json.dumps(_as_json(each)) + "\n" for each in standings), nl=False)
        else:
            screen.budgets(standings)
        return 0

    end_with(command, quiet=as_json)


def _as_json(standing: "Standing") -> dict[str, object]:
    return {
        **standing.budget.model_dump(mode="json", exclude_none=True),
        "used": standing.used / UNITS,
        "reserved": standing.reserved / UNITS,
        "left": standing.left / UNITS,
        "since": standing.since.isoformat(),
        "free_at": standing.free_at.isoformat(),
    }
