"""`client.py callbacks`: what was told of a request, and what could not be."""

from typing import Annotated

import typer

from deploy.client.callbacks import CallbackStatus, callbacks_of, send_callback_again
from deploy.client.listing import describe
from deploy.terminal.exit_codes import ENDED_OTHERWISE
from deploy.terminal.options import AsJson, Id
from deploy.terminal.session import Session, run
from workflows.timeline import count

app = typer.Typer()


@app.command("callbacks")
def callbacks_command(
    id: Id,
    again: Annotated[bool, typer.Option("--again", help="tell once more what could not be told")] = False,
    as_json: AsJson = False,
) -> None:
    """List what callback endpoints were told of a request; with --json, one object a line. 1: not all was told."""

    async def command(session: Session) -> int:
        found = await callbacks_of(session.client, id)
        if not found:
            await describe(session.client, id)  # which says so, where there is no such request
        failed = [each for each in found if each.status is CallbackStatus.FAILED]
        if as_json:
            typer.echo("".join(each.model_dump_json() + "\n" for each in found), nl=False)
        else:
            session.screen.callbacks(found)
        if not again:
            return ENDED_OTHERWISE if failed else 0
        for each in failed:
            await send_callback_again(session.client, each.callback_id)
        session.screen.note(f"{count(len(failed), 'callback')} told again")
        return 0

    run(command, quiet=as_json)
