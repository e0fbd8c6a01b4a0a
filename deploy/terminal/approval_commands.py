"""`client.py approve` and `reject`: a person's word on a call that waits for it."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeAlias

import typer

from deploy.client.requests import RequestHandle, approve, handle_of, reject, state
from deploy.terminal.exit_codes import ENDED_OTHERWISE, CannotDecide
from deploy.terminal.options import Id, Key, Name, json_object, login_name
from deploy.terminal.session import Session, run
from deploy.terminal.text import short
from workflows.contract.api import PendingApproval, RequestStatus
from workflows.contract.values import Arguments

app = typer.Typer()

Verdict: TypeAlias = Callable[[RequestHandle, PendingApproval], Awaitable[PendingApproval | None]]
"""Returns the call as it waits after an edit that needs a second yes."""


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

        async def yes(handle: RequestHandle, call: PendingApproval) -> PendingApproval | None:
            return await approve(handle, call, by=by or login_name(), arguments=call.arguments if edits else None)

        return await _decide(session, id, key, yes, "approved", edits)

    run(command)


@app.command("reject")
def reject_command(
    id: Id, reason: Annotated[str, typer.Option(help="the model is told")], key: Key = None, by: Name = None
) -> None:
    """Say no to a call that waits."""

    async def no(handle: RequestHandle, call: PendingApproval) -> None:
        await reject(handle, call, by=by or login_name(), reason=reason)

    run(lambda session: _decide(session, id, key, no, "rejected"))


async def _decide(
    session: Session, request_id: str, key: str | None, verdict: Verdict, done: str, edits: Arguments | None = None
) -> int:
    from deploy.client.traced_approvals import traced
    from deploy.terminal.approval_prompt import can_ask

    handle = handle_of(session.client, request_id)
    [call] = await traced(session.client, request_id, [await _the_call(handle, key)])
    if edits:
        # Nobody knows whether the tool takes this before the request has said so.
        call = call.model_copy(update={"arguments": {**call.arguments, **edits}, "sources": ()})
    shown = edits is None
    if shown:
        session.screen.pending(call)
    while again := await verdict(handle, call):
        session.screen.note("not approved yet: what you made of it needs a second yes")
        [call] = await traced(session.client, request_id, [again])
        session.screen.pending(call)
        if not (can_ask() and typer.confirm("approve it as it is now?")):
            session.screen.how_to_decide(request_id)
            return ENDED_OTHERWISE
        shown = True
    if not shown:
        session.screen.edited(call)
    session.screen.say(done)
    return 0


async def _the_call(handle: RequestHandle, key: str | None) -> PendingApproval:
    """The call that is meant: the one with this key ("2.1" will do), or the only one that waits."""
    now = await state(handle)
    waiting = now.awaiting_approval
    meant = [call for call in waiting if key in (None, call.key, call.key.rpartition("/")[2])]
    if len(meant) == 1:
        return meant[0]
    if now.status is not RequestStatus.RUNNING:
        raise CannotDecide(f"no call of {handle.id} waits for approval: it has ended, {short(now.doing, 200)}")
    if not waiting:
        raise CannotDecide(f"no call of {handle.id} waits for approval")
    listed = "\n".join(f"  {call.key}  {call.tool} {call.about}" for call in waiting)
    raise CannotDecide(f"say which call is meant:\n{listed}" if not key else f"{key} is none of the calls:\n{listed}")
