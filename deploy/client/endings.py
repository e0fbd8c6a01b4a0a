"""How a run ended that gave no account of itself, as Temporal knows it: terminated, timed out, failed, cancelled."""

from collections.abc import Mapping

from temporalio.api.enums.v1 import WorkflowExecutionStatus as ServersStatus
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import CancelledError, TerminatedError
from temporalio.exceptions import TimeoutError as TimedOut

from deploy.client.payloads import reason
from deploy.client.steps import Crashed, How

ENDS: Mapping[WorkflowExecutionStatus | None, How] = {
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.TERMINATED: "terminated",
    WorkflowExecutionStatus.TIMED_OUT: "timed out",
}


def _paused_is_running(kind: type[WorkflowExecutionStatus], value: object) -> WorkflowExecutionStatus | None:
    return kind.RUNNING if value == ServersStatus.WORKFLOW_EXECUTION_STATUS_PAUSED else None


# A run that an operator has paused has not ended; the SDK (1.35) cannot even read a list in which there is one.
setattr(WorkflowExecutionStatus, "_missing_", classmethod(_paused_is_running))  # noqa: B010  # for the types

CANCELLED = Crashed("cancelled", "it was cancelled before it could give an account")
TIMED_OUT = Crashed("timed out", "the workflow's own time-out passed")


def terminated(why: str) -> Crashed:
    return Crashed("terminated", why or "no reason was given")


def crash_of(failure: WorkflowFailureError) -> Crashed:
    """What waiting for the outcome came to."""
    match failure.cause:
        case TerminatedError() as end:
            return terminated("" if end.message == "Workflow terminated" else end.message)
        case CancelledError():
            return CANCELLED
        case TimedOut():
            return TIMED_OUT
        case cause:
            return Crashed("failed", reason(cause))
