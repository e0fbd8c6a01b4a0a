"""What Temporal knows of a tool's attempts, by their heartbeats: how many there were, and how far they got."""

from pydantic import ValidationError
from temporalio import activity
from temporalio.client import AsyncActivityCancelledError
from temporalio.service import RPCError

from activities.errors import ServiceUnavailable
from activities.execution.unfinished_acts import withdrawn
from activities.heartbeats import send_heartbeat_details
from workflows.contract.internal import AttemptBeat


def count_attempt() -> AttemptBeat | None:
    """Let Temporal know that it has come to this attempt, so that a receipt can tell even if none lives to say so.

    Returns:
        How far earlier attempts got.
    """
    said, number = _said_before(), activity.info().attempt
    if number > 1:
        counted = said or AttemptBeat(stage="started", attempt=number)
        send_heartbeat_details(counted.model_copy(update={"attempt": number}))
    return said


async def still_counts(beat: AttemptBeat) -> None:
    """Say how far this attempt is, and hear whether it still counts.

    Raises:
        Withdrawn: the request was cancelled.
        ServiceUnavailable: the server has given this attempt up, or cannot be asked.
    """
    attempt = activity.client().get_async_activity_handle(task_token=activity.info().task_token)
    try:
        await attempt.heartbeat(beat)
    except AsyncActivityCancelledError as error:
        raise withdrawn(error.details) from error
    except RPCError as error:
        raise ServiceUnavailable(f"this attempt does not count any more: {error.message}") from error


def _said_before() -> AttemptBeat | None:
    try:
        return AttemptBeat.model_validate(activity.info().heartbeat_details[0])
    except (IndexError, ValidationError):  # nothing, or of another release
        return None
