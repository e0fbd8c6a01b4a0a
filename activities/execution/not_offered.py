"""What this worker does not have: a tool that was withdrawn while a call of it waited, or an activity of another
release.

Temporal hands it out all the same, and tries again what fails here: another worker of the task queue may have it.
"""

from collections.abc import Mapping, Sequence

import structlog
from temporalio import activity
from temporalio.common import RawValue

from activities.errors import NotOffered
from activities.execution.attempt_beats import count_attempt
from activities.failures import translated
from workflows.contract.internal import ToolCall


@activity.defn(dynamic=True)
async def not_offered(args: Sequence[RawValue]) -> None:
    """Say that it is not here, and nothing was done."""
    name, call = activity.info().activity_type, _call(args)
    if call is None:
        raise NotOffered(
            f"this worker knows no {name}, so it did nothing: start workers of the release that asks for it"
        )
    structlog.contextvars.unbind_contextvars("activity")
    structlog.contextvars.bind_contextvars(tool=call.tool, key=call.key)
    with translated(lambda: _how_far_it_got(call)):
        raise NotOffered(
            f"this worker does not offer the tool {name}, so this attempt did nothing: the tool was withdrawn after "
            "the call was made, or only other workers have it; offer it again (ERRAND_OFFER, ERRAND_TOOLS, "
            "ERRAND_SOURCES), or reject its calls"
        )


def _call(args: Sequence[RawValue]) -> ToolCall | None:
    """None where it is no call of a tool."""
    try:
        call = activity.payload_converter().from_payload(args[0].payload, ToolCall)
    except Exception:  # whatever a converter has to say of somebody's bytes, or of none
        return None
    return call if call.tool == activity.info().activity_type else None


def _how_far_it_got(call: ToolCall) -> Mapping[str, object]:
    """What earlier attempts have let Temporal hear: one may have acted, by a worker that had the tool."""
    beat, number = count_attempt(), call.tried_before + activity.info().attempt
    acted = {"acting": True, "tokens": beat.tokens} if beat and beat.stage == "acting" else {}
    return {"attempt": number, **acted}
