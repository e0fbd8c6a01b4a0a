"""What Temporal still knows of the run whose work this one does again, after a reset or as a retry."""

from pydantic import BaseModel, ValidationError
from temporalio import activity
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import ServiceUnavailable


class _NamesLedger(BaseModel):
    ledger: str


async def ledger_of(run_id: str) -> str | None:
    """The ledger in which the writes of an earlier run of this activity's workflow stand, if it is known.

    Raises:
        ServiceUnavailable: Temporal cannot be asked now.
    """
    workflow_id = activity.info().workflow_id
    if workflow_id is None:
        return None
    client = activity.client()
    try:
        async for event in client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history_events():
            result = event.activity_task_completed_event_attributes.result.payloads
            for payload in await client.data_converter.decode(result) if result else ():
                if named := _named(payload):
                    return named
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise ServiceUnavailable(f"Temporal does not say what the run before did: {error.message}") from error
    return None


def _named(result: object) -> str | None:
    """The ledger that a decision names."""
    try:
        return _NamesLedger.model_validate(result).ledger or None
    except ValidationError:
        return None
