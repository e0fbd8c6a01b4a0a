"""What an operator can do to a request that writes, and what its receipt may say then."""

from collections.abc import Set
from dataclasses import dataclass

from tests.integration.operators.scene import Moment
from workflows.contract import ReceiptStatus, RequestStatus

DONE, FAILED, UNKNOWN, CANCELLED = (
    frozenset({status})
    for status in (ReceiptStatus.DONE, ReceiptStatus.FAILED, ReceiptStatus.UNKNOWN, ReceiptStatus.CANCELLED)
)

ACTIVITY = "--workflow-id {id} --activity-id {activity}"
WORKFLOW = "--workflow-id {id}"
BY_HAND = "--reason 'by hand'"
ANY_TIME = tuple(Moment)


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


def complete(what: str, result: str, *, moments: tuple[Moment, ...] = (Moment.CONNECTING,)) -> Verb:
    """With a result that no tool gives: nobody knows what the operator has done about it."""
    command = f"activity complete {ACTIVITY} --result '{result}'"
    return Verb(f"complete with {what}", command, UNKNOWN, UNKNOWN | DONE, moments=moments)


def fail(how: str, detail: str = "") -> Verb:
    """The server takes that only of an attempt that is running."""
    detail = f"--detail '{detail}'" if detail else ""
    command = f"activity fail {ACTIVITY} {BY_HAND} {detail}"
    return Verb(f"fail {how}", command, FAILED, UNKNOWN | DONE, moments=(Moment.CONNECTING, Moment.ACTING))


def reset_activity(how: str, options: str = "") -> Verb:
    return Verb(f"reset{how}", f"activity reset {ACTIVITY} {options}", DONE, DONE, begins_anew=True)


def reset_workflow(where: str, options: str) -> Verb:
    command = f"workflow reset {WORKFLOW} {BY_HAND} {options}"
    return Verb(f"workflow reset {where}", command, DONE, DONE | UNKNOWN, begins_anew=True)


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
    complete("a number", "1"),
    complete("a list", '["sent"]'),
    complete("an object without a value", '{"status": "sent"}', moments=(Moment.CONNECTING, Moment.ACTING)),
    complete("a value and attempts that are no number", '{"value": "sent", "attempts": "many"}'),
    fail("without details"),
    fail("with a text for details", '"seen by ann"'),
    fail("with details that say done, as the service's own would", '{"attempt": 7, "status": "done"}'),
    fail("with details that say failed, as the service's own would", '{"attempt": 7, "status": "failed"}'),
    Verb("pause", f"activity pause {ACTIVITY}", DONE, DONE, undone_by=f"activity unpause {ACTIVITY}"),
    Verb(
        "pause, then reset",
        f"activity pause {ACTIVITY}",
        before=DONE,
        acting=DONE,
        undone_by=f"activity reset {ACTIVITY}",
        begins_anew=True,
    ),
    reset_activity(""),
    reset_activity(" with what its heartbeats said", "--clear-heartbeat-details"),
    Verb("workflow cancel", f"workflow cancel {WORKFLOW}", CANCELLED, DONE, outcome=RequestStatus.CANCELLED),
    Verb("workflow pause", f"workflow pause {WORKFLOW}", DONE, DONE, undone_by=f"workflow unpause {WORKFLOW}"),
    reset_workflow("to the first task", "--type FirstWorkflowTask"),
    reset_workflow("to the last task", "--type LastWorkflowTask"),
    reset_workflow("to an event", "--event-id 4"),
)
