"""`client.py chat` and `say`: a request that is kept open, one message at a time, and answers to what one asks."""

from typing import Annotated

import typer

from activities.errors import ConfigurationError
from deploy.client.conversations import say
from deploy.client.requests import new_id
from deploy.terminal.exit_codes import ENDED_OTHERWISE
from deploy.terminal.options import (
    Approved,
    AsJson,
    Id,
    Name,
    SchemaFile,
    Yes,
    in_advance,
    json_schema,
    login_name,
)
from deploy.terminal.session import Session, run
from workflows.contract.api import Limits, Request, RequestStatus

app = typer.Typer()


@app.command("chat")
def chat_command(
    id: Annotated[str | None, typer.Argument(metavar="[ID]", help="an open conversation, to go on with")] = None,
    by: Annotated[
        str | None, typer.Option("--by", "--requester", metavar="NAME", help="by default, your login name")
    ] = None,
    approved: Approved = None,
    yes: Yes = False,
    schema: SchemaFile = None,
    idle: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="how long it stays open without a message")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Talk: each message is answered with its own receipts, and the model knows what was said before.

    At a terminal it asks in place about calls that wait. Ctrl-D leaves the conversation open, `/close` ends it. From a
    pipe, each line is a message, and each answer is printed; with --json, one outcome a line.
    """

    async def command(session: Session) -> int:
        from deploy.terminal.approval_prompt import can_ask
        from deploy.terminal.chat import Script, Talk

        if id is not None and (approved or yes or schema or idle is not None):
            raise ConfigurationError(f"{id}: only a new conversation takes --approve, --yes, --schema and --idle")
        who = by or login_name()
        opens = request(who) if id is None else None
        if can_ask() and not as_json:
            return await Talk(session, new_id() if id is None else id, who, opens).run()
        return await Script(session, new_id() if id is None else id, who, opens, as_json).run()

    def request(who: str) -> Request:
        if schema == "-":
            raise ConfigurationError("--schema: standard input is where the messages come from; name a file")
        return Request(
            keep_open=True,
            requester=who,
            approve=in_advance(approved, yes=yes),
            limits=Limits() if idle is None else Limits(idle_seconds=idle),
            output_schema=json_schema("--schema", schema) if schema else None,
        )

    run(command, quiet=as_json)


@app.command("say")
def say_command(
    id: Id,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="the answer, or the message")],
    question: Annotated[
        str, typer.Option(metavar="KEY", help='of the question, where several wait: "2.1" will do')
    ] = "",
    by: Name = None,
    as_json: AsJson = False,
) -> None:
    """Answer what a request asks; where it asks nothing and is kept open, say a message and show its outcome."""

    async def command(session: Session) -> int:
        key = question if not question or "/" in question else f"{id}/{question}"
        async with session.looking_out(id):
            outcome = await say(session.client, id, text, by=by or login_name(), question=key)
        if as_json:
            typer.echo(outcome.model_dump_json(indent=2))
        elif outcome.status is RequestStatus.RUNNING:
            session.screen.say("answered")
        else:
            session.screen.answer(outcome)
        return 0 if outcome.status in (RequestStatus.COMPLETED, RequestStatus.RUNNING) else ENDED_OTHERWISE

    run(command, quiet=as_json)
