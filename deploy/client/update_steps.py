"""What people tell a request while it runs: approvals, messages, and that there will be no more of them."""

from dataclasses import dataclass, field

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionUpdateCompletedEventAttributes
from temporalio.exceptions import ApplicationError

from deploy.client.payloads import Payloads
from deploy.client.steps import (
    Answered,
    AskedAgain,
    CloseAsked,
    EditRefused,
    MessageCame,
    NotAnswered,
    Replied,
    Ruled,
    Step,
)
from workflows.contract.api import Approve, Outcome, PendingApproval, Reject, RequestStatus, Say
from workflows.contract.progress import QueuedMessage

MOVED = "Moved"
"""The type of the error that a message ends with in a run that goes on in a new one."""


@dataclass
class Updates:
    """Tells the Updates among a run's events."""

    payloads: Payloads
    _taken: dict[int, Approve | Reject | Replied | QueuedMessage] = field(
        default_factory=dict[int, Approve | Reject | Replied | QueuedMessage]
    )
    """By the event that the server took them with."""
    _told: set[str] = field(default_factory=set[str])
    """Ids of messages."""

    @property
    def awaited(self) -> bool:
        """Whether a message was said that has no answer yet."""
        return any(isinstance(taken, QueuedMessage) for taken in self._taken.values())

    async def tell(self, event: HistoryEvent) -> Step | None:
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
                return await self._accepted(event)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
                return await self._completed(event)
            case _:
                return None

    async def _accepted(self, event: HistoryEvent) -> Step | None:
        request = event.workflow_execution_update_accepted_event_attributes.accepted_request
        payloads = request.input.args.payloads
        match request.input.name:
            # Whether a verdict counts is known when its Update has ended: edited arguments are looked at first.
            case "approve" if approve := await self.payloads.read(payloads, Approve):
                self._taken[event.event_id] = approve
            case "reject" if reject := await self.payloads.read(payloads, Reject):
                self._taken[event.event_id] = reject
            case "say" if say := await self.payloads.read(payloads, Say):
                message = QueuedMessage(id=request.meta.update_id, text=say.text, by=say.by)
                if not say.question:
                    return self._came(event.event_id, message)
                self._taken[event.event_id] = Replied(message, say.question)
            case "close":
                return CloseAsked()
            case _:
                pass
        return None

    def _came(self, event_id: int, message: QueuedMessage) -> Step | None:
        self._taken[event_id] = message
        if message.id in self._told:
            return None
        self._told.add(message.id)
        return MessageCame(message)

    async def _completed(self, event: HistoryEvent) -> Step | None:
        ended = event.workflow_execution_update_completed_event_attributes
        failed = await self.payloads.error(ended.outcome.failure) if ended.outcome.HasField("failure") else None
        match self._taken.pop(ended.accepted_event_id, None):
            case None:
                return None
            case QueuedMessage() as message if failed:
                if isinstance(failed, ApplicationError) and failed.type == MOVED:
                    return None
                return NotAnswered(message.id, str(failed))
            case Replied() as reply:
                return None if failed else reply
            case QueuedMessage() as message:
                outcome = await self.payloads.read(ended.outcome.success.payloads, Outcome)
                if outcome and outcome.status is RequestStatus.RUNNING:
                    return Replied(message)
                return Answered(message.id, outcome) if outcome else NotAnswered(message.id, "its answer is no outcome")
            case verdict if failed:
                return EditRefused(verdict, await self.payloads.reason(ended.outcome.failure))
            case Approve(arguments=dict()) as verdict if again := await self._asked_again(ended):
                return AskedAgain(verdict, again)
            case verdict:
                return Ruled(verdict)

    async def _asked_again(self, ended: WorkflowExecutionUpdateCompletedEventAttributes) -> PendingApproval | None:
        return await self.payloads.read(ended.outcome.success.payloads, PendingApproval)
