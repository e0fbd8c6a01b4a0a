"""`client.py actions` and `resolve`: what the ledger knows of writes, and a person's word on those it does not know.

They ask the ledger itself, so they work where Temporal does not answer.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from activities.errors import ConfigurationError
from deploy.client.actions import ledger_of_the_workers
from deploy.terminal.exit_codes import ENDED_OTHERWISE, end_with
from deploy.terminal.options import AsJson, Name, duration, login_name, moment

if TYPE_CHECKING:
    from activities.ledger.damage import DamagedRow
    from deploy.terminal.screen import Screen

app = typer.Typer()
ledger_app = typer.Typer(
    help="Look after the ledger: write its rows out, remove old ones, take it back.",
    no_args_is_help=True,
)
app.add_typer(ledger_app, name="ledger")

YOUNGEST = timedelta(days=30)
"""A row that a request may still look up, because it is open, reset or started again, must not be removed."""


class StateName(StrEnum):
    """As in the ledger, which is not loaded before it is needed."""

    BEGUN = "begun"
    DONE = "done"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"


class Word(StrEnum):
    DELIVERED = "delivered"
    NOT_DELIVERED = "not-delivered"


@app.command("actions")
def actions_command(
    request: Annotated[str | None, typer.Option(metavar="ID", help="only those of one request")] = None,
    state: Annotated[StateName | None, typer.Option(help="only those in this state")] = None,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help="2h, 3d or an ISO date")] = None,
    limit: Annotated[int, typer.Option(min=1, help="at most so many, the latest first")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the writes that the ledger knows; with --json, one object a line."""

    async def command(screen: "Screen") -> int:
        from activities.ledger.rows import State

        begun_since = moment("--since", since) if since else None
        damaged: list[DamagedRow] = []
        async with ledger_of_the_workers() as ledger:
            found = await ledger.search(
                request_id=request,
                state=State(state) if state else None,
                since=begun_since,
                limit=limit,
                damaged=damaged,
            )
        if as_json:
            typer.echo("".join(each.model_dump_json(exclude={"token"}) + "\n" for each in found), nl=False)
        else:
            screen.actions(found)
        for each in damaged:
            screen.error(str(each))
        return ENDED_OTHERWISE if damaged else 0

    end_with(command, quiet=as_json)


@app.command("resolve")
def resolve_command(
    key: Annotated[str, typer.Argument(metavar="KEY", help="the call's whole key, as `actions` shows it")],
    word: Annotated[Word, typer.Argument(metavar="delivered|not-delivered", help="what became of it")],
    by: Name = None,
    even_if_under_way: Annotated[
        bool, typer.Option("--even-if-under-way", help="also one that has just begun")
    ] = False,
) -> None:
    """Settle a write of which nobody knows whether it happened, after having looked."""

    async def command(screen: "Screen") -> int:
        who = by or login_name()
        if not who:
            raise ConfigurationError("--by: say who settles it")
        async with ledger_of_the_workers() as ledger:
            action = await ledger.resolve(
                key, delivered=word is Word.DELIVERED, by=who, even_if_under_way=even_if_under_way
            )
        screen.actions([action])
        screen.note("Settled in the ledger. The receipt of a request that has ended stays as it is.")
        return 0

    end_with(command)


@ledger_app.command("prune")
def prune_command(
    older_than: Annotated[str, typer.Option(metavar="AGE", help="such as 400d; at least 30d")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say how many there are")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove old rows of writes that are settled; those that have begun or are unknown stay, however old."""

    async def command(screen: "Screen") -> int:
        age = duration("--older-than", older_than)
        if age < YOUNGEST:
            raise ConfigurationError(f"--older-than: at least {YOUNGEST.days}d, as open requests look rows up")
        before = datetime.now(UTC) - age
        async with ledger_of_the_workers() as ledger:
            count = await ledger.upkeep.count_settled(before)
            question = f"Remove {count} rows of {ledger.place} from before {before:%Y-%m-%d %H:%M} UTC, for ever?"
            if not dry_run and count and not yes and not agreed(question):
                screen.note("Nothing was removed.")
                return ENDED_OTHERWISE
            removed = 0 if dry_run else await ledger.upkeep.remove_settled(before)
        if as_json:
            typer.echo(json.dumps({"before": before.isoformat(), "found": count, "removed": removed}))
        else:
            said = f"rows to be removed: {count}" if dry_run else f"rows removed: {removed}"
            screen.say(f"{said}, from before {before:%Y-%m-%d %H:%M} UTC")
        return 0

    end_with(command, quiet=as_json)


@ledger_app.command("export")
def export_command(
    since: Annotated[str | None, typer.Option(metavar="WHEN", help="2h, 3d or an ISO date; by default, all")] = None,
) -> None:
    """Write out the rows that were begun or ended since then, as JSON, one object a line, the oldest first."""

    async def command(_: object) -> int:
        changed_since = moment("--since", since) if since else None
        async with ledger_of_the_workers() as ledger:
            async for row in ledger.upkeep.changed_since(changed_since):
                typer.echo(row.model_dump_json(exclude={"token"}))
        return 0

    end_with(command, quiet=True)


@ledger_app.command("downgrade")
def downgrade_command(
    forget_budgets: Annotated[
        bool, typer.Option("--forget-budgets", help="what budgets have counted in this period may be lost")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Take the ledger back by one version of its tables, for an older release; all workers have to be stopped."""

    async def command(screen: "Screen") -> int:
        async with ledger_of_the_workers() as ledger:
            if not yes and not agreed(f"Take {ledger.place} back to the version before this release's?"):
                screen.note("Nothing was changed.")
                return ENDED_OTHERWISE
            version = await ledger.upkeep.downgrade(forget_budgets=forget_budgets)
            screen.say(f"{ledger.place} is of version {version} now, with all its rows.")
            screen.note("A worker of this release brings it up to date again.")
        return 0

    end_with(command)


def agreed(question: str) -> bool:
    """A person's yes.

    Raises:
        ConfigurationError: nobody is there to ask.
    """
    if not sys.stdin.isatty():
        raise ConfigurationError("--yes: say it, where nobody can be asked")
    return typer.confirm(question, err=True)
