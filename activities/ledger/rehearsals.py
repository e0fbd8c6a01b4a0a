"""Where it ends that a rehearsal could write."""

from activities.errors import RehearsalOnly
from workflows.contract.internal import ToolCall


def refuse_rehearsed(call: ToolCall) -> None:
    """Keep a rehearsal from writing, whoever asks for it.

    Raises:
        RehearsalOnly: it is a call of a rehearsal.
    """
    if call.rehearsed:
        raise RehearsalOnly(f"{call.key} is a call of a rehearsal, and a rehearsal never writes")
