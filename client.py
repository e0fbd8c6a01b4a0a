"""The command line, and the few functions behind it for programs that embed Errand.

    uv run client.py submit "What's the weather in Paris? Send it to ann@example.com."

Exit codes: 0 completed; 1 ended otherwise; 2 wrong usage or configuration; 3 Temporal, the worker or the ledger cannot
be reached; 4 the output cannot be written; 130 interrupted. After the last two the request goes on.
"""

import json
import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from activities.errors import ConfigurationError, Unreachable
from activities.temporal import connect
from deploy.client.callbacks import callbacks_of
from deploy.client.conversations import close, open_with, say
from deploy.client.listing import Found, describe, find
from deploy.client.plans import apply, plan_of
from deploy.client.requests import approve, handle_of, outcome, output_of, reject, state, submit
from deploy.terminal import (
    approval_commands,
    audit_command,
    budget_commands,
    callback_commands,
    chat_commands,
    doctor_command,
    key_commands,
    ledger_commands,
    plan_commands,
    policy_commands,
    recovery_command,
    schedule_commands,
    schema_command,
    tools_command,
    try_command,
    why_command,
)
from deploy.terminal.exit_codes import NOT_WRITTEN, explain
from deploy.terminal.options import (
    Approved,
    AsJson,
    Id,
    Name,
    SchemaFile,
    Yes,
    check_endpoints,
    in_advance,
    json_schema,
    login_name,
)
from deploy.terminal.session import Session, run
from deploy.terminal.streams import prepare_streams, unwritten
from workflows.contract.api import Limits, Request, RequestStatus
from workflows.refusals import problem_with_id

__all__ = [
    "Found",
    "apply",
    "approve",
    "close",
    "connect",
    "find",
    "handle_of",
    "open_with",
    "outcome",
    "output_of",
    "plan_of",
    "reject",
    "say",
    "state",
    "submit",
]
"""For programs that embed Errand; `deploy/client/requests.py` says what they do."""

app = typer.Typer(
    help="Say in plain words what should happen; get receipts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command("submit")
def submit_command(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="what should happen")],
    id: Annotated[str | None, typer.Option(help="the same id twice is the same request")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="show what happens until the end")] = True,
    approved: Approved = None,
    yes: Yes = False,
    requester: Name = None,
    schema: SchemaFile = None,
    notify: Annotated[
        list[str] | None, typer.Option(metavar="ENDPOINT", help="a callback endpoint that is told of its end")
    ] = None,
    rehearse: Annotated[bool, typer.Option("--rehearse", help="write nothing, and end with a plan to apply")] = False,
    max_turns: Annotated[int, typer.Option(help="model calls")] = Limits().turns,
    max_calls: Annotated[int, typer.Option(help="tool calls")] = Limits().calls,
    max_input_tokens: Annotated[int | None, typer.Option(help="tokens that the model reads")] = None,
    max_output_tokens: Annotated[int | None, typer.Option(help="tokens that the model writes")] = None,
    max_cost: Annotated[float | None, typer.Option(help="by the worker's price table")] = None,
    timeout: Annotated[float, typer.Option(help="seconds until it stops, waiting included")] = Limits().seconds,
    as_json: AsJson = False,
) -> None:
    """Start a request and show what happens; the same again, with the same --id, joins it."""

    async def command(session: Session) -> int:
        limits = Limits(
            turns=max_turns,
            calls=max_calls,
            seconds=timeout,
            input_tokens=max_input_tokens,
            output_tokens=max_output_tokens,
            cost=max_cost,
        )
        request = Request(
            text=text,
            requester=requester or login_name(),
            approve=in_advance(approved, yes=yes),
            notify=tuple(notify or ()),
            rehearse=rehearse,
            limits=limits,
            output_schema=json_schema("--schema", schema) if schema else None,
        )
        if id is not None and (problem := problem_with_id(id, "--id")):
            raise ConfigurationError(problem)
        check_endpoints(request, session.settings)
        handle = await submit(session.client, request, request_id=id, task_queue=session.settings.worker.task_queue)
        if wait:
            return await session.watch(handle.id, as_json=as_json)
        typer.echo(json.dumps({"request_id": handle.id}) if as_json else handle.id)
        return await session.leave(handle.id)

    run(command, quiet=as_json)


@app.command("watch")
def watch_command(id: Id) -> None:
    """Show a request's steps from its beginning to its end."""
    run(lambda session: session.watch(id, as_json=False))


@app.command("result")
def result_command(id: Id, as_json: AsJson = False) -> None:
    """Wait until a request has ended, and show its outcome."""
    run(lambda session: session.result(id, as_json=as_json), quiet=as_json)


@app.command("status")
def status_command(id: Id, as_json: AsJson = False) -> None:
    """Show where a request stands, or how it ended; without a worker to ask, what Temporal knows of it."""

    async def command(session: Session) -> int:
        from deploy.client.retries import retries_of
        from deploy.client.traced_approvals import traced_state

        try:
            now = await traced_state(session.client, handle_of(session.client, id))
        except Unreachable:
            found = await describe(session.client, id)
            typer.echo(found.model_dump_json(indent=2)) if as_json else session.screen.found([found])
            raise
        typer.echo(now.model_dump_json(indent=2)) if as_json else session.screen.state(now)
        if not as_json:
            for each in await retries_of(session.client, handle_of(session.client, id)):
                session.screen.note(str(each))
            session.screen.not_told(await callbacks_of(session.client, id))
        return 0

    run(command, quiet=as_json)


@app.command("list")
def list_command(
    status: Annotated[RequestStatus | None, typer.Option(help="only those with this status")] = None,
    awaiting_approval: Annotated[bool, typer.Option("--awaiting-approval", help="those that wait for a yes")] = False,
    awaiting_answer: Annotated[bool, typer.Option("--awaiting-answer", help="those that wait for an answer")] = False,
    requester: Annotated[str | None, typer.Option(help="only those asked by NAME", metavar="NAME")] = None,
    schedule: Annotated[str | None, typer.Option(help="only those that this schedule started", metavar="ID")] = None,
    limit: Annotated[int, typer.Option(min=1, help="at most so many, the latest first")] = 20,
    as_json: AsJson = False,
) -> None:
    """List requests; with --json, one object a line."""

    async def command(session: Session) -> int:
        if requester and session.settings.encryption.hides_requester:
            raise ConfigurationError("--requester: Temporal is not told who asks, unless ERRAND_SHOW_REQUESTER is true")
        found = await find(
            session.client,
            status=status,
            awaiting_approval=awaiting_approval,
            awaiting_answer=awaiting_answer,
            requester=requester,
            schedule=schedule,
            limit=limit + 1,
        )
        if as_json:
            typer.echo("".join(each.model_dump_json() + "\n" for each in found[:limit]), nl=False)
            return 0
        session.screen.found(found[:limit])
        if len(found) > limit:
            session.screen.note(f"there are more than the latest {limit}: see them with --limit {limit * 5}")
        return 0

    run(command, quiet=as_json)


@app.command("cancel")
def cancel_command(id: Id) -> None:
    """Ask a request to end; a write that is under way is awaited, and every receipt is kept."""

    async def command(session: Session) -> int:
        handle = handle_of(session.client, id)
        found = await describe(session.client, id)
        if found.closed_at:
            raise ConfigurationError(f"{id} has ended already: {found.without_outcome or found.status}")
        await handle.cancel()
        session.screen.say(f"{id} was asked to end; see how: uv run client.py watch {id}")
        return 0

    run(command)


app.add_typer(chat_commands.app)
app.add_typer(approval_commands.app)
app.add_typer(plan_commands.app)
app.add_typer(callback_commands.app)
app.add_typer(ledger_commands.app)
ledger_commands.ledger_app.add_typer(recovery_command.app)
app.add_typer(budget_commands.app)
app.add_typer(doctor_command.app)
app.add_typer(schema_command.app)
app.add_typer(why_command.app)
app.add_typer(audit_command.app)
app.add_typer(try_command.app)
app.add_typer(tools_command.app, name="tools")
app.add_typer(policy_commands.app, name="policy")
app.add_typer(schedule_commands.app, name="schedule")
app.add_typer(key_commands.app, name="keys")


def main() -> NoReturn:
    """Run the command line, and leave at once: the SDK's threads can abort an interpreter that shuts down slowly."""
    prepare_streams()
    try:
        code = _run()
        if code != NOT_WRITTEN and (error := unwritten()):
            raise error
    except OSError as error:
        code, text = explain(error)
        with suppress(OSError):
            typer.echo(f"error: {text}", err=True)
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


def _run() -> int:
    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


if __name__ == "__main__":
    main()
