"""`client.py actions` and `resolve`: what the ledger knows of writes, and a person's word on those it does not know.

They ask the ledger itself, so they work where Temporal does not answer.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from activities.encryption.loading import load_key_ring
from activities.errors import ConfigurationError
from activities.settings import Settings
from deploy.terminal.exit_codes import end_with
from deploy.terminal.options import AsJson, Name, login_name, moment

if TYPE_CHECKING:
    from activities.ledger.ledger import Ledger
    from deploy.terminal.screen import Screen

app = typer.Typer()


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
        async with _ledger() as ledger:
            found = await ledger.search(
                request_id=request, state=State(state) if state else None, since=begun_since, limit=limit
            )
        if as_json:
            typer.echo("".join(each.model_dump_json(exclude={"token"}) + "\n" for each in found), nl=False)
        else:
            screen.actions(found)
        return 0

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
        async with _ledger() as ledger:
            action = await ledger.resolve(
                key, delivered=word is Word.DELIVERED, by=who, even_if_under_way=even_if_under_way
            )
        screen.actions([action])
        screen.note("Settled in the ledger. The receipt of a request that has ended stays as it is.")
        return 0

    end_with(command)


@asynccontextmanager
async def _ledger() -> "AsyncGenerator[Ledger]":
    from activities.ledger.ledger import Ledger

    settings = Settings.from_environment()
    keys = load_key_ring(settings.encryption.payload_keys)
    ledger = await Ledger.open(settings.ledger.ledger_url, create=False, keys=keys)
    try:
        yield ledger
    finally:
        await ledger.aclose()
