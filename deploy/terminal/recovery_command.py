"""`client.py ledger recover`: an operator settles that an older copy of a database was put back."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from activities.errors import ConfigurationError
from deploy.client.actions import ledger_of_the_workers
from deploy.terminal.exit_codes import ENDED_OTHERWISE, USAGE
from deploy.terminal.ledger_commands import agreed
from deploy.terminal.logs import only_warnings
from deploy.terminal.options import AsJson, Name, login_name, moment
from deploy.terminal.session import Session, run

if TYPE_CHECKING:
    from deploy.client.recovery import Recovered

app = typer.Typer()
CANNOT_GO_ON = (
    "writes still wait: what the unread histories have written may not be in the ledger, and would be done again. "
    "Run this again with every key in ERRAND_PAYLOAD_KEYS that the workers have had"
)


@app.command("recover")
def recover_command(
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="the copy's moment: 2h, 3d or an ISO date; by default, all")
    ] = None,
    by: Name = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be put back")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    without_unread: Annotated[
        bool,
        typer.Option(
            "--without-unread",
            help="let writes go on although histories cannot be read: what they wrote may be done a second time",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put back the rows that a restored ledger has lost, from Temporal's histories, and let writes go on."""

    async def command(session: Session) -> int:
        from activities.toolkit.catalogue import Catalogue
        from deploy.client import recovery

        only_warnings()
        who, screen = by or login_name(), session.screen
        if not who and not dry_run:
            raise ConfigurationError("--by: say who settles it")
        begun_since = moment("--since", since) if since else None
        async with ledger_of_the_workers(session.settings) as ledger:
            held = await recovery.noticed(session.client, ledger)
            screen.note(held or "No older copy was noticed; rows are looked for all the same.")
            question = f"Put lost rows back into {ledger.place}, and let writes go on?"
            if not dry_run and not yes and not agreed(question):
                screen.note("Nothing was changed.")
                return ENDED_OTHERWISE
            tools = Catalogue.load(session.settings).tools
            found = await recovery.recover(
                session.client, ledger, tools, since=begun_since, dry_run=dry_run, without_unread=without_unread
            )
            settles = not dry_run and (without_unread or not found.unread)
            if settles:
                await ledger.restores.settle(who)
        verb = "to be put back" if dry_run else "put back"
        typer.echo(json.dumps(as_object(found))) if as_json else screen.say(in_words(found, verb, settled=settles))
        if not found.unread or without_unread:
            return 0
        screen.error(CANNOT_GO_ON)
        return USAGE

    run(command, quiet=as_json)


def as_object(found: "Recovered") -> dict[str, object]:
    writes = [{"key": each.call.key, "tool": each.call.tool, "state": each.state} for each in found.writes]
    unread = [{"request_id": each.request_id, "why": each.why} for each in found.unread]
    return {"histories": found.histories, "writes": writes, "unread": unread}


def in_words(found: "Recovered", verb: str, *, settled: bool) -> str:
    lines = [f"{each.state:<8} {each.call.key}  {each.call.tool}" for each in found.writes]
    lines += [f"unread   {each.request_id}  {each.why}" for each in found.unread]
    read = found.histories - len(found.unread)
    unread = f"; not to be read: {len(found.unread)}" if found.unread else ""
    lines.append(
        f"{read} histories read; {verb}: {len(found.writes)} writes of which they know more than the ledger{unread}"
    )
    if settled:
        lines.append("Writes go on. See client.py actions --state unknown, and settle each: client.py resolve")
    return "\n".join(lines)
