"""Calls that wait for a yes, as whoever decides is to see them: with where each argument came from.

It is read from the request's history when somebody looks, so nothing of it is recorded.
"""

from collections.abc import Sequence
from dataclasses import replace

from temporalio.client import Client
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError

from activities.errors import ErrandError
from activities.model.origins import Source
from deploy.client.call_accounts import RequestAccount
from deploy.client.call_sources import sources_of
from deploy.client.requests import RequestHandle, state
from deploy.client.why import account_of
from workflows.contract.api import PendingApproval, RequestState
from workflows.contract.messages import omitted
from workflows.contract.values import Arguments


class TracedApproval(PendingApproval):
    """A call that waits for a yes, with what its request's history says of its arguments."""

    sources: tuple[Source, ...] = omitted(
        (), description="where each argument came from; empty, where the history cannot be read"
    )
    before: Arguments | None = omitted(
        None, description="the arguments that the model gave it, where a person has edited them"
    )


class TracedState(RequestState):
    """Where a request stands, with where the arguments of the calls that wait came from."""

    # Frozen, so what is narrower fits.
    awaiting_approval: tuple[TracedApproval, ...] = ()  # pyright: ignore[reportIncompatibleVariableOverride]


async def traced_state(client: Client, handle: RequestHandle) -> TracedState:
    """What `state` says, with the calls that wait traced."""
    now = await state(handle)
    waiting = await traced(client, now.request_id, now.awaiting_approval)
    return TracedState.model_validate({**dict(now), "awaiting_approval": waiting})


async def traced(client: Client, request_id: str, waiting: Sequence[PendingApproval]) -> tuple[TracedApproval, ...]:
    """The calls, each with where its arguments came from."""
    if not waiting:
        return ()
    try:
        account = await account_of(client, request_id)
    except (ErrandError, RPCError, TemporalError):
        account = RequestAccount(request_id)  # a call can be decided about without it
    return tuple(_traced(each, account) for each in waiting)


def _traced(pending: PendingApproval, account: RequestAccount) -> TracedApproval:
    fields = dict(pending)
    call = account.calls.get(pending.key.rpartition("/")[2])
    if call is None or call.proposed is None:
        return TracedApproval.model_validate(fields)
    given = call.proposed.arguments
    return TracedApproval.model_validate(
        {
            **fields,
            "sources": sources_of(replace(call, arguments=pending.arguments)),
            "before": None if given == pending.arguments else given,
        }
    )
