"""What a request has told to the endpoints that it names: its end, what waits for a person, actions of unknown end."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from pydantic import JsonValue
from pydantic_core import to_json
from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from workflows.contract.api import (
    Outcome,
    PendingApproval,
    PendingQuestion,
    Receipt,
    ReceiptStatus,
    Request,
    RequestStatus,
)
from workflows.contract.approvals import APPROVAL_NOTICE_WORKFLOW, ApprovalNotice, ApprovalRules
from workflows.contract.callbacks import CALLBACK_WORKFLOW, Delivery, Event, EventType
from workflows.contract.values import Arguments, sha256
from workflows.markdown import code
from workflows.size_limits import beginning

ENDS: Mapping[RequestStatus, EventType] = {
    RequestStatus.COMPLETED: "request.completed",
    RequestStatus.CANCELLED: "request.cancelled",
    RequestStatus.LIMIT_REACHED: "request.limit_reached",
}
"""Everything else is `request.failed`."""
LONGEST_SUMMARY = 2_000
"""Bytes; as JSON, the strangest text has six times as many."""
LONGEST_LINE = 300
MOST_BYTES = 16_000
"""Of what is told of an event; Standard Webhooks 1.0.0 takes 20 kB for the most of a whole body."""


class Callbacks:
    """Starts a workflow for each event and endpoint, which goes on when the request has ended.

    An event is known by what it is about, so a run that does another's work again tells nothing twice.
    """

    def __init__(self, request: Request, known: Iterable[Receipt] = ()) -> None:
        self._endpoints = () if request.rehearse else tuple(dict.fromkeys(request.notify))
        self._requester = request.requester
        self._told = {self._id("action.unknown", each.key) for each in known if _is_unknown(each)}
        self._starting: set[asyncio.Task[None]] = set()

    def look(
        self,
        waiting: Sequence[PendingApproval],
        questions: Sequence[PendingQuestion],
        receipts: Sequence[Receipt],
        rules: Mapping[str, ApprovalRules],
    ) -> None:
        """Tell what is new among the calls and questions that wait, and the calls that have ended. `rules` are the
        policy's, by key."""
        for pending in waiting:
            if (known := rules.get(pending.key)) and known.to:
                self._tell_approvers(pending, known)
        if self._endpoints:
            for pending in waiting:
                self._tell("approval.requested", pending.digest, about_waiting(pending))
            for question in questions:
                self._tell("question.asked", question.key, _question(question))
            for receipt in filter(_is_unknown, receipts):
                self._tell("action.unknown", receipt.key, _unknown(receipt))

    async def tell_end(self, outcome: Outcome, turn: int) -> None:
        """Returns when everything that there is to tell has a workflow that tells it."""
        if self._endpoints:
            self._tell(ENDS.get(outcome.status, "request.failed"), f"{turn} {outcome.summary}", _outcome(outcome, turn))
        await self.all_started()

    async def all_started(self) -> None:
        """Until then the run must not end: a workflow that is not started yet would end with it."""
        if self._starting:
            await workflow.wait_condition(lambda: not self._starting)

    def _tell(self, type: EventType, what: str, data: Arguments) -> None:
        id = self._id(type, what)
        if id in self._told:
            return
        self._told.add(id)
        event = Event(id=id, type=type, request_id=workflow.info().workflow_id, at=workflow.now(), data=data)
        for endpoint in self._endpoints:
            child_id = f"{event.request_id}.notify.{id.removeprefix('evt_')[:12]}.{endpoint[:60]}"
            delivery = Delivery(endpoint=endpoint, requester=self._requester, event=event)
            self._start(CALLBACK_WORKFLOW, child_id, delivery, f"{endpoint}: {type}")

    def _tell_approvers(self, pending: PendingApproval, rules: ApprovalRules) -> None:
        id = self._id("approval.requested", f"{pending.digest} by the policy")
        if id in self._told:
            return
        self._told.add(id)
        notice = ApprovalNotice(
            request_id=workflow.info().workflow_id,
            requester=self._requester,
            pending=pending.model_copy(update={"arguments": {}, "approvers": ()}),
            event_id=id,
            since=workflow.now(),
            to=rules.to,
            notify_seconds=rules.notify_seconds,
        )
        child_id = f"{notice.request_id}.approval.{id.removeprefix('evt_')[:12]}"
        self._start(APPROVAL_NOTICE_WORKFLOW, child_id, notice, f"{pending.tool} {pending.about}")

    def _start(self, kind: str, child_id: str, input: Delivery | ApprovalNotice, about: str) -> None:
        task = asyncio.create_task(self._started(kind, child_id, input, about))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _started(self, kind: str, child_id: str, input: Delivery | ApprovalNotice, about: str) -> None:
        with suppress(WorkflowAlreadyStartedError):  # an earlier run of the same request has told it
            await workflow.start_child_workflow(
                kind,
                input,
                id=child_id,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=code(about),
            )

    def _id(self, type: EventType, what: str) -> str:
        """Without a dot, which would not be clear in what is signed."""
        info = workflow.info()
        return f"evt_{sha256([info.workflow_id, info.first_execution_run_id, type, what])[:32]}"


def _outcome(outcome: Outcome, turn: int) -> Arguments:
    """Thin: no arguments and no results. Of many receipts, those that fit."""
    receipts: list[JsonValue] = [
        {"key": each.key, "tool": each.tool, "status": each.status.value} for each in outcome.receipts
    ]
    told: Arguments = {
        "status": outcome.status.value,
        "summary": beginning(outcome.summary, LONGEST_SUMMARY),
        "unsupported_claims": len(outcome.unsupported_claims),
        "turn": turn,
        "receipts": receipts,
    }
    while len(to_json(told)) > MOST_BYTES:
        receipts.pop()
        told["receipts_left_out"] = len(outcome.receipts) - len(receipts)
    return told


def about_waiting(pending: PendingApproval) -> Arguments:
    """What is told of a call that waits; not its arguments, which are to be seen where it is decided."""
    return {
        "key": pending.key,
        "digest": pending.digest,
        "tool": pending.tool,
        "about": beginning(pending.about, LONGEST_LINE),
        "reason": beginning(pending.reason, LONGEST_LINE),
        "expires_at": pending.expires_at.isoformat(),
    }


def _question(question: PendingQuestion) -> Arguments:
    return {
        "key": question.key,
        "text": beginning(question.text, LONGEST_SUMMARY),
        "expires_at": question.expires_at.isoformat(),
    }


def _unknown(receipt: Receipt) -> Arguments:
    return {"key": receipt.key, "tool": receipt.tool, "error": beginning(receipt.error or "", LONGEST_SUMMARY)}


def _is_unknown(receipt: Receipt) -> bool:
    return receipt.status is ReceiptStatus.UNKNOWN
