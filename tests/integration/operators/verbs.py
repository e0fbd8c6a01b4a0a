"""What an operator can do to a request that writes, and what its receipt may say then."""

from collections.abc import Set
from dataclasses import dataclass

from tests.integration.operators.scene import Moment
from workflows.contract.api import ReceiptStatus, RequestStatus

DONE, FAILED, UNKNOWN, CANCELLED = (
    frozenset({status})
    for status in (ReceiptStatus.DONE, ReceiptStatus.FAILED, ReceiptStatus.UNKNOWN, ReceiptStatus.CANCELLED)
)

ACTIVITY = "--workflow-id {id} --activity-id {activity}"
WORKFLOW = "--workflow-id {id}"
MATCHING = "--query 'WorkflowId=\"{id}\"' --yes"
BY_HAND = "--reason 'by hand'"
ANY_TIME = tuple(Moment)
DURING = (Moment.CONNECTING, Moment.ACTING)
ACTING = (Moment.ACTING,)


@dataclass(frozen=True)
class Verb:
    """`before` and `acting` are what the receipt may say: of a mail that was not sent yet when the operator acted, and
    of one for whose verdict it waited."""

    name: str
    command: str
    before: Set[ReceiptStatus]
    acting: Set[ReceiptStatus]
    undone_by: str | None = None
    """What the operator types a while later; where there is nothing left to undo, in vain."""
    moments: tuple[Moment, ...] = ANY_TIME
    outcome: RequestStatus = RequestStatus.COMPLETED
    vouched: bool = False
    """The operator says that it is done, in the words of the tool itself."""
    begins_anew: bool = False
    """The server counts the attempts from one again."""
    held: bool = False
    """A mail server that does not say hello stays so until the request has ended."""


def completing(result: str) -> str:
    return f"activity complete {ACTIVITY} --result '{result}'"


def failing(detail: str = "") -> str:
    """With that JSON for details."""
    return f"activity fail {ACTIVITY} {BY_HAND} " + (f"--detail '{detail}'" if detail else "")


def complete(what: str, result: str, *, moments: tuple[Moment, ...] = (Moment.CONNECTING,)) -> Verb:
    """With a result that no tool gives: nobody knows what the operator has done about it."""
    return Verb(f"complete with {what}", completing(result), UNKNOWN, UNKNOWN | DONE, moments=moments)


def fail(how: str, detail: str = "") -> Verb:
    """The server takes that only of an attempt that is running."""
    return Verb(f"fail {how}", failing(detail), FAILED, UNKNOWN | DONE, moments=DURING)


def reset_activity(how: str, options: str, *, moments: tuple[Moment, ...] = ANY_TIME) -> Verb:
    return Verb(f"reset{how}", f"activity reset {options}", DONE, DONE, moments=moments, begins_anew=True)


def reset_workflow(how: str, options: str, *, moments: tuple[Moment, ...] = ANY_TIME) -> Verb:
    command = f"workflow reset {BY_HAND} {options}"
    return Verb(f"workflow reset {how}", command, DONE, DONE | UNKNOWN, moments=moments, begins_anew=True)


def allow(what: str, options: str, before: Set[ReceiptStatus], *, moments: tuple[Moment, ...] = ANY_TIME) -> Verb:
    """Less of something than the service wants."""
    command = f"activity update-options {ACTIVITY} {options}"
    return Verb(f"update-options to {what}", command, before, DONE | UNKNOWN, moments=moments, held=True)


VERBS = (
    Verb(
        "complete as the tool does",
        f'activity complete {ACTIVITY} --result \'{{"value": "by hand"}}\'',
        before=DONE,
        acting=DONE,
        vouched=True,
    ),
    complete("null", "null", moments=ANY_TIME),
    complete("a text", '"sent"'),
    complete("an object without a value", '{"status": "sent"}', moments=DURING),
    complete("a value and attempts that are no number", '{"value": "sent", "attempts": "many"}'),
    fail("without details"),
    fail("with a text for details", '"seen by ann"'),
    fail("with details that say done, as the service's own", '{"attempt": 7, "status": "done", "certain": true}'),
    fail(
        "with details that say failed, as the service's own would",
        '{"attempt": 7, "status": "failed", "certain": true}',
    ),
    Verb("pause", f"activity pause {ACTIVITY}", DONE, DONE, undone_by=f"activity unpause {ACTIVITY}"),
    Verb(
        "pause, then reset",
        f"activity pause {ACTIVITY}",
        before=DONE,
        acting=DONE,
        undone_by=f"activity reset {ACTIVITY}",
        begins_anew=True,
    ),
    reset_activity("", ACTIVITY),
    reset_activity(" with what its heartbeats said", f"{ACTIVITY} --clear-heartbeat-details", moments=DURING),
    reset_activity(" by a query", f"{MATCHING} {BY_HAND}", moments=ACTING),
    allow("fewer attempts", "--retry-maximum-attempts 1", DONE, moments=(Moment.BACKING_OFF, Moment.ACTING)),
    allow("shorter attempts", "--start-to-close-timeout 1s --retry-maximum-attempts 2", FAILED, moments=DURING),
    allow("a shorter time for all attempts", "--schedule-to-close-timeout 1s", FAILED),
    allow(
        "a task queue that nobody works on",
        "--task-queue nobody --schedule-to-close-timeout 3s",
        FAILED,
        moments=(Moment.BACKING_OFF,),
    ),
    Verb("workflow cancel", f"workflow cancel {WORKFLOW}", CANCELLED, DONE, outcome=RequestStatus.CANCELLED),
    Verb(
        "workflow cancel by a query",
        f"workflow cancel {MATCHING} {BY_HAND}",
        before=CANCELLED,
        acting=DONE,
        moments=ACTING,
        outcome=RequestStatus.CANCELLED,
    ),
    Verb("workflow pause", f"workflow pause {WORKFLOW}", DONE, DONE, undone_by=f"workflow unpause {WORKFLOW}"),
    reset_workflow("to the first task", f"{WORKFLOW} --type FirstWorkflowTask"),
    reset_workflow("to the last task", f"{WORKFLOW} --type LastWorkflowTask", moments=DURING),
    reset_workflow("to an event", f"{WORKFLOW} --event-id 4", moments=(Moment.CONNECTING,)),
    reset_workflow("by a query", f"{MATCHING} --type FirstWorkflowTask", moments=ACTING),
)
