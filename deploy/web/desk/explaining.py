"""Why a request did what it did, for its page: what `client.py why` tells."""

from fastapi import APIRouter, Request, Response
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError

from activities.errors import ConfigurationError, ErrandError
from deploy.client.actions import ledger_of_the_workers
from deploy.client.explanations import Explanation
from deploy.client.listing import Found
from deploy.client.why import explain
from deploy.web.callers import Caller
from deploy.web.desk.pages import page
from deploy.web.door import AnyCaller, Door, TheDoor, ToRead
from workflows.contract.api import ReceiptStatus

router = APIRouter(include_in_schema=False)
OF_ANOTHER = "in the ledger only"
"""It may be of an earlier request of the same id, and of somebody else's."""
MAY_CHANGE = (ReceiptStatus.UNKNOWN, "open", OF_ANOTHER)
"""Somebody may still settle it."""


@router.get("/requests/{request_id}/why")
async def get_why(found: ToRead, request: Request, caller: AnyCaller, door: TheDoor) -> Response:
    known = {"found": found, "explanation": seen_by(caller, await explained(door, found))}
    return page("why.html", door, request, caller, known)


async def of_ended(door: Door, caller: Caller, found: Found) -> Explanation | None:
    """That of a request which is over; None, where it goes on or nobody can say."""
    if found.closed_at is None:
        return None
    known, at = door.known.explanations, (found.request_id, str(found.started_at))
    if at in known:
        return seen_by(caller, known[at])
    try:
        explanation = await explained(door, found)
    except (ErrandError, RPCError, TemporalError, TimeoutError):
        return None
    if not (explanation.notes or any(call.status in MAY_CHANGE for call in explanation.calls)):
        known[at] = explanation
    return seen_by(caller, explanation)


def seen_by(caller: Caller, explanation: Explanation) -> Explanation:
    """Without the calls that may be of somebody whom the caller may not look at."""
    if caller.sees_all:
        return explanation
    own = tuple(call for call in explanation.calls if call.status != OF_ANOTHER)
    return explanation.model_copy(update={"calls": own})


async def explained(door: Door, found: Found) -> Explanation:
    try:
        async with ledger_of_the_workers(door.service) as ledger:
            return await explain(door.client, found.request_id, ledger)
    except ConfigurationError:  # a door without a ledger tells what Temporal knows
        return await explain(door.client, found.request_id)
