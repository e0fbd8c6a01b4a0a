"""The command line, and the few functions behind it for programs that embed Errand.

    uv run client.py submit "What's the weather in Paris? Send it to ann@example.com."

Exit codes: 0 completed; 1 ended otherwise; 2 wrong usage or configuration; 3 Temporal, the worker or the ledger cannot
be reached; 130 interrupted, and the request goes on.
"""

import asyncio
import base64
import json
import os
import secrets
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeAlias

import typer
from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import ConfigurationError, Unreachable
from activities.settings import Settings, connect
from deploy.terminal import ledger_commands, policy_commands
from deploy.terminal.exits import ENDED_OTHERWISE, CannotDecide, end_with
from deploy.terminal.listing import Found, describe, find
from deploy.terminal.options import AsJson, Id, Key, Name, json_object, login_name
from deploy.terminal.story import Asked, Crashed, Ended, Story
from workflows.contract import (
    EVERY_TOOL,
    REQUEST_WORKFLOW,
    TASK_QUEUE,
    Approve,
    Arguments,
    Limits,
    Outcome,
    PendingApproval,
    Reject,
    Request,
    RequestState,
    RequestStatus,
)
from workflows.timeline import summary

if TYPE_CHECKING:
    from deploy.terminal.screen import Screen

__all__ = ["Found", "approve", "connect", "find", "handle_of", "outcome", "reject", "state", "submit"]

RequestHandle: TypeAlias = WorkflowHandle[Any, Outcome]
Verdict: TypeAlias = Callable[[RequestHandle, PendingApproval], Awaitable[None]]

PATIENCE = timedelta(seconds=5)
"""How long a command waits for Temporal, or for a worker behind it, before it says that nobody answers."""


# --- for programs --------------------------------------------------------------------------------------------------


async def submit(
    client: Client, request: Request, *, request_id: str | None = None, task_queue: str = TASK_QUEUE
) -> RequestHandle:
    """Start a request, or join the one that was started before with the same id and text.

    Raises:
        ConfigurationError: the id belongs to something else.
    """
    request_id = request_id or f"errand-{base64.b32encode(secrets.token_bytes(5)).decode().lower()}"
    handle = handle_of(client, request_id)
    try:
        await client.start_workflow(
            REQUEST_WORKFLOW,
            request,
            id=request_id,
            task_queue=task_queue,
            static_summary=summary(request.text),
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
    except WorkflowAlreadyStartedError as taken:
        known = await _request_of(client, handle)
        if known is None or known.text != request.text:
            raise ConfigurationError(f"{request_id} is taken by another request; use another id") from taken
    return handle


def handle_of(client: Client, request_id: str) -> RequestHandle:
    """A request that was started before, by anybody."""
    return client.get_workflow_handle(request_id, result_type=Outcome)


async def outcome(handle: RequestHandle) -> Outcome:
    """Wait until a request has ended."""
    return await handle.result()


async def state(handle: RequestHandle) -> RequestState:
    """Ask where a request stands, with the calls that wait for approval.

    Raises:
        Unreachable: no worker answers.
    """
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await handle.query("state", result_type=RequestState)
    except (RPCError, TimeoutError) as error:
        if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
            raise
        raise Unreachable(f"no worker answers for {handle.id}: is one running on its task queue?") from error


async def approve(
    handle: RequestHandle, pending: PendingApproval, *, by: str, arguments: Arguments | None = None
) -> None:
    """Say yes to one call exactly as it was shown, or to it with other arguments."""
    await _decide(handle, "approve", Approve(key=pending.key, digest=pending.digest, by=by, arguments=arguments))


async def reject(handle: RequestHandle, pending: PendingApproval, *, by: str, reason: str) -> None:
    """Say no to one call; the model is told the reason."""
    await _decide(handle, "reject", Reject(key=pending.key, digest=pending.digest, by=by, reason=reason))


# --- behind them ---------------------------------------------------------------------------------------------------


async def _request_of(client: Client, handle: RequestHandle) -> Request | None:
    story = Story(client.data_converter)
    async for event in handle.fetch_history_events(page_size=1):
        for step in await story.tell(event):
            return step.request if isinstance(step, Asked) else None
        break
    return None


async def _decide(handle: RequestHandle, update: str, verdict: Approve | Reject) -> None:
    # The SDK leaves one overload's parameter untyped.
    await handle.execute_update(update, verdict, rpc_timeout=PATIENCE)  # pyright: ignore[reportUnknownMemberType]


async def _waiting(handle: RequestHandle) -> tuple[PendingApproval, ...]:
    return (await state(handle)).awaiting_approval


async def _the_call(handle: RequestHandle, key: str | None) -> PendingApproval:
    """The call that is meant: the one with this key ("2.1" will do), or the only one that waits."""
    waiting = await _waiting(handle)
    meant = [call for call in waiting if key in (None, call.key, call.key.rpartition("/")[2])]
    if len(meant) == 1:
        return meant[0]
    if not waiting:
        raise CannotDecide(f"no call of {handle.id} waits for approval")
    listed = "\n".join(f"  {call.key}  {call.tool} {call.about}" for call in waiting)
    raise CannotDecide(f"say which call is meant:\n{listed}" if not key else f"{key} is none of the calls:\n{listed}")


# --- the commands --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Session:
    """What every command works with."""

    client: Client
    settings: Settings
    screen: "Screen"

    async def watch(self, request_id: str, *, as_json: bool) -> int:
        """Show a request's steps until its end, and ask about calls that wait where somebody can answer."""
        from deploy.terminal.desk import Desk, can_ask

        handle, by = handle_of(self.client, request_id), login_name()
        desk = Desk(
            self.screen,
            request_id,
            asks=can_ask() and not as_json,
            pending=lambda: _waiting(handle),
            approve=lambda call, edited: approve(handle, call, by=by, arguments=edited),
            reject=lambda call, why: reject(handle, call, by=by, reason=why),
        )
        match await desk.watch(self.client):
            case Ended(outcome):
                return await self.finish(outcome, as_json=as_json)
            case Crashed() as crash:
                self.screen.crashed(crash, await self.link(request_id))
                return ENDED_OTHERWISE

    async def finish(self, outcome: Outcome, *, as_json: bool) -> int:
        if as_json:
            typer.echo(outcome.model_dump_json(indent=2))
        else:
            self.screen.outcome(outcome, await self.link(outcome.request_id))
        return 0 if outcome.status is RequestStatus.COMPLETED else ENDED_OTHERWISE

    async def decide(
        self, request_id: str, key: str | None, verdict: Verdict, done: str, edits: Arguments | None = None
    ) -> int:
        handle = handle_of(self.client, request_id)
        call = await _the_call(handle, key)
        if edits:
            call = call.model_copy(update={"arguments": {**call.arguments, **edits}})
        self.screen.pending(call)
        await verdict(handle, call)
        self.screen.say(done)
        return 0

    async def link(self, request_id: str) -> str:
        from deploy.terminal.screen import link

        run_id = (await handle_of(self.client, request_id).describe()).run_id
        return link(self.settings.ui_url, self.client.namespace, request_id, run_id)


def run(command: Callable[[Session], Awaitable[int]], *, quiet: bool = False) -> None:
    """Run a command that asks Temporal, and end with its exit code."""

    async def connected(screen: "Screen") -> int:
        settings = Settings.from_environment()
        return await command(Session(await connect(patience=PATIENCE), settings, screen))

    end_with(connected, quiet=quiet)


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
    approve: Annotated[list[str] | None, typer.Option(metavar="TOOL", help="approve a tool in advance")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="approve every tool in advance")] = False,
    requester: Name = None,
    max_turns: Annotated[int, typer.Option(help="model calls")] = Limits().turns,
    max_calls: Annotated[int, typer.Option(help="tool calls")] = Limits().calls,
    timeout: Annotated[float, typer.Option(help="seconds until it stops, waiting included")] = Limits().seconds,
    as_json: AsJson = False,
) -> None:
    """Start a request and show what happens; `submit` twice with one --id and text joins the first."""

    async def command(session: Session) -> int:
        limits = Limits(turns=max_turns, calls=max_calls, seconds=timeout)
        advance = (EVERY_TOOL,) if yes else tuple(approve or ())
        request = Request(text=text, requester=requester or login_name(), approve=advance, limits=limits)
        handle = await submit(session.client, request, request_id=id, task_queue=session.settings.task_queue)
        if id and await _request_of(session.client, handle) != request:
            session.screen.note(f"{id} was started before, and goes on with the options that it was started with")
        if wait:
            return await session.watch(handle.id, as_json=as_json)
        typer.echo(json.dumps({"request_id": handle.id}) if as_json else handle.id)
        return 0

    run(command, quiet=as_json)


@app.command("watch")
def watch_command(id: Id) -> None:
    """Show a request's steps from its beginning to its end."""
    run(lambda session: session.watch(id, as_json=False))


@app.command("result")
def result_command(id: Id, as_json: AsJson = False) -> None:
    """Wait until a request has ended, and show its outcome."""

    async def command(session: Session) -> int:
        return await session.finish(await outcome(handle_of(session.client, id)), as_json=as_json)

    run(command, quiet=as_json)


@app.command("status")
def status_command(id: Id, as_json: AsJson = False) -> None:
    """Show where a request stands; without a worker to ask, what Temporal knows of it."""

    async def command(session: Session) -> int:
        try:
            now = await state(handle_of(session.client, id))
        except Unreachable:
            found = await describe(session.client, id)
            typer.echo(found.model_dump_json(indent=2)) if as_json else session.screen.found([found])
            raise
        except WorkflowQueryFailedError:  # a run that ended before it could know anything, such as one of bad input
            return await session.finish(await outcome(handle_of(session.client, id)), as_json=as_json)
        typer.echo(now.model_dump_json(indent=2)) if as_json else session.screen.state(now)
        return 0

    run(command, quiet=as_json)


@app.command("list")
def list_command(
    status: Annotated[RequestStatus | None, typer.Option(help="only those with this status")] = None,
    awaiting_approval: Annotated[bool, typer.Option("--awaiting-approval", help="only those that wait")] = False,
    requester: Annotated[str | None, typer.Option(help="only those asked by NAME", metavar="NAME")] = None,
    limit: Annotated[int, typer.Option(min=1, help="at most so many, the latest first")] = 20,
    as_json: AsJson = False,
) -> None:
    """List requests; with --json, one object a line."""

    async def command(session: Session) -> int:
        found = await find(
            session.client, status=status, awaiting_approval=awaiting_approval, requester=requester, limit=limit
        )
        if as_json:
            typer.echo("".join(each.model_dump_json() + "\n" for each in found), nl=False)
        else:
            session.screen.found(found)
        return 0

    run(command, quiet=as_json)


@app.command("approve")
def approve_command(
    id: Id,
    key: Key = None,
    by: Name = None,
    edit: Annotated[str | None, typer.Option(metavar="JSON", help="arguments that replace the call's own")] = None,
) -> None:
    """Say yes to a call that waits, or to what you make of it."""

    async def command(session: Session) -> int:
        edits = json_object("--edit", edit) if edit is not None else None

        async def yes(handle: RequestHandle, call: PendingApproval) -> None:
            await approve(handle, call, by=by or login_name(), arguments=call.arguments if edits else None)

        return await session.decide(id, key, yes, "approved", edits)

    run(command)


@app.command("reject")
def reject_command(
    id: Id, reason: Annotated[str, typer.Option(help="the model is told")], key: Key = None, by: Name = None
) -> None:
    """Say no to a call that waits."""

    async def no(handle: RequestHandle, call: PendingApproval) -> None:
        await reject(handle, call, by=by or login_name(), reason=reason)

    run(lambda session: session.decide(id, key, no, "rejected"))


@app.command("cancel")
def cancel_command(id: Id) -> None:
    """Ask a request to end; a write that is under way is awaited, and every receipt is kept."""

    async def command(session: Session) -> int:
        handle = handle_of(session.client, id)
        found = await describe(session.client, id)
        if found.closed_at:
            raise ConfigurationError(f"{id} has ended already: {found.status}")
        await handle.cancel()
        session.screen.say(f"{id} was asked to end; see how: uv run client.py watch {id}")
        return 0

    run(command)


app.add_typer(ledger_commands.app)
app.add_typer(policy_commands.app, name="policy")


def main() -> NoReturn:
    """Run the command line, and leave at once: the SDK's threads can abort an interpreter that shuts down slowly."""
    code = 0
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
