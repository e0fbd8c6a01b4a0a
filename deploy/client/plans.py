"""Plans: what a rehearsal came to, and the request that applies it."""

from temporalio.client import Client

from activities.errors import NotFound
from deploy.client.requests import RequestHandle, TakenId, handle_of, outcome_or_account, start
from workflows.contract.api import EVERY_TOOL, Limits, Request
from workflows.contract.plans import Apply, Plan, applied_id

MOST_CALLS = 300
"""As many as a rehearsal may plan, with the reads that are made again."""


async def plan_of(client: Client, request_id: str) -> Plan:
    """The plan of a rehearsal; waits until that has ended.

    Raises:
        NotFound: it is no rehearsal, or has ended without a plan.
    """
    ended = await outcome_or_account(handle_of(client, request_id))
    if ended.plan is None:
        raise NotFound(f"{request_id} has no plan: {ended.status}: {ended.summary}")
    return ended.plan


def request_to_apply(rehearsal: str, digest: str, *, requester: str, approve: bool) -> Request:
    """The request that applies a plan.

    Args:
        rehearsal: its request id.
        digest: of the plan, as it was shown.
        requester: who applies it.
        approve: whether this is also their yes to the whole plan, where the policy lets it count.
    """
    return Request(
        apply=Apply(request_id=rehearsal, digest=digest),
        requester=requester,
        approve=(EVERY_TOOL,) if approve else (),
        limits=Limits(calls=MOST_CALLS),
    )


async def apply(
    client: Client, plan: Plan, *, requester: str, approve: bool = False, task_queue: str | None = None
) -> RequestHandle:
    """Apply a plan, exactly as it was shown; once: the same again joins the request that has applied it.

    Args:
        client: of Temporal.
        plan: as `plan_of` gave it.
        requester: who applies it.
        approve: their yes to the whole plan. Without it, or where it does not count, one person is waited for.
        task_queue: of the workers; without it, that of ERRAND_TASK_QUEUE, else `errand`.

    Raises:
        TakenId: somebody else has applied it.
    """
    request = request_to_apply(plan.request_id, plan.digest, requester=requester, approve=approve)
    handle, _ = await start_to_apply(client, request, task_queue=task_queue)
    return handle


async def start_to_apply(client: Client, request: Request, *, task_queue: str | None) -> tuple[RequestHandle, bool]:
    """Start the request that applies a plan, or join it; and whether it is a new one.

    Raises:
        TakenId: somebody else has applied a plan of this rehearsal, or another plan of it was applied.
    """
    assert request.apply is not None
    request_id = applied_id(request.apply.request_id)
    try:
        return await start(client, request, request_id=request_id, task_queue=task_queue)
    except TakenId as taken:
        if set(taken.fields) == {"approve"}:  # who asks again with a yes, or without: the first one counts
            return handle_of(client, request_id), False
        raise
