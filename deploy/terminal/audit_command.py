"""`client.py audit`: the ledger's writes as a chain of hashes, and the check of such a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from activities.errors import ConfigurationError
from deploy.client.actions import ledger_of_the_workers
from deploy.terminal.exit_codes import ENDED_OTHERWISE, end_with
from deploy.terminal.options import AsJson, moment

if TYPE_CHECKING:
    from activities.ledger.damage import DamagedRow
    from deploy.client.audit import Verified
    from deploy.terminal.screen import Screen

app = typer.Typer()
NOT_AS_EXPORTED = 1


@app.command("audit")
def audit_command(
    since: Annotated[str | None, typer.Option(metavar="WHEN", help="7d, 2h or an ISO date; by default, all")] = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="instead of standard output")] = None,
    verify: Annotated[Path | None, typer.Option(metavar="FILE", help="check a file that was exported before")] = None,
    head: Annotated[str | None, typer.Option(metavar="HASH", help="with --verify: the head that was kept")] = None,
    ledger: Annotated[bool, typer.Option("--ledger/--no-ledger", help="with --verify: also against the ledger")] = True,
    as_json: AsJson = False,
) -> None:
    """Export the ledger's writes so that a changed or missing one shows, or check such an export.

    --verify ends with 1 where the file is not as it was exported, or the ledger has changed what must not change; an
    export does where a row is damaged, and left out.
    """

    async def command(screen: "Screen") -> int:
        if verify is None:
            return await _export(screen, since, output, as_json=as_json)
        found = await _verified(verify, head, ledger=ledger)
        if as_json:
            typer.echo(found.model_dump_json(indent=2))
        else:
            _show(screen, found)
        return NOT_AS_EXPORTED if found.problems else 0

    end_with(command, quiet=as_json)


async def _export(screen: "Screen", since: str | None, output: Path | None, *, as_json: bool) -> int:
    from deploy.client.audit import export

    damaged: list[DamagedRow] = []
    async with ledger_of_the_workers() as ledger:
        lines, head = await export(ledger, moment("--since", since) if since else None, damaged)
    text = "".join(f"{line}\n" for line in lines)
    if output is None:
        typer.echo(text, nl=False)
    else:
        _write(output, text)
        if as_json:
            typer.echo(head.model_dump_json())
    screen.note(f"{head.rows} rows, head {head.head}: keep the head where nobody who can change the file can change it")
    for each in damaged:
        screen.error(f"left out: {each}")
    return ENDED_OTHERWISE if damaged else 0


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--output: {file}: {error.strerror}") from error


async def _verified(file: Path, head: str | None, *, ledger: bool) -> "Verified":
    from deploy.client.audit import verify

    if not ledger:
        return await verify(file, None, head=head)
    async with ledger_of_the_workers() as opened:
        return await verify(file, opened, head=head)


def _show(screen: "Screen", found: "Verified") -> None:
    for problem in found.problems:
        screen.error(problem)
    for each in found.moved_on:
        screen.note(f"since then: {each}")
    screen.say(f"{found.rows} rows, head {found.head}: {'NOT as exported' if found.problems else 'as exported'}")
