"""Telling approvers of one call that waits: a while after it began to, and once more at half time."""

from datetime import datetime, timedelta

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from workflows import receipts
from workflows.activity_results import execute
from workflows.asking import HEARTBEAT
from workflows.callbacks import about_waiting
from workflows.contract.api import ReceiptStatus
from workflows.contract.approvals import (
    APPROVAL_NOTICE_WORKFLOW,
    MAIL,
    MAILTO,
    STILL_WAITING,
    ApprovalNotice,
    NoticeResult,
    WaitingAnswer,
    WaitingQuestion,
)
from workflows.contract.callbacks import CALLBACK_WORKFLOW, Delivery, Event, EventType
from workflows.contract.internal import OF_NO_BUDGET, Route, ToolCall
from workflows.contract.values import position
from workflows.markdown import code
from workflows.tool_runs import ToolRuns, WriteContext

MAIL_ROUTE = Route(effect="write", start_to_close=900, schedule_to_close=7200, attempts=12)
"""As the tool has it; nobody has asked a model about this mail."""


@workflow.defn(name=APPROVAL_NOTICE_WORKFLOW, failure_exception_types=[ValidationError])
class ApprovalNoticeWorkflow:
    """Its timers are durable, and stand in no request's history. It ends when the call waits no more."""

    @workflow.init
    def __init__(self, notice: ApprovalNotice) -> None:
        self.notice = notice
        self.context = WriteContext.of_new_request()
        self.runs = ToolRuns(self.context)
        self.told: list[str] = []
        self.not_told: list[str] = []

    @workflow.run
    async def run(self, notice: ApprovalNotice) -> NoticeResult:
        first = notice.since + timedelta(seconds=notice.notify_seconds)
        half = notice.since + (notice.pending.expires_at - notice.since) / 2
        for round, due in enumerate(sorted({first, max(half, first)}), start=1):
            await self.sleep_until(due, "until approvers are told" if round == 1 else "until they are reminded")
            waiting = await self.still_waiting()
            if not waiting.waits:
                break
            for target in notice.to:
                await self.tell(target, round, waiting.url)
        return NoticeResult(told=tuple(self.told), not_told=tuple(self.not_told))

    async def sleep_until(self, due: datetime, why: str) -> None:
        if (left := due - workflow.now()) > timedelta():
            await workflow.sleep(left, summary=why)

    async def still_waiting(self) -> WaitingAnswer:
        pending = self.notice.pending
        return await execute(
            STILL_WAITING,
            WaitingQuestion(request_id=self.notice.request_id, digest=pending.digest),
            WaitingAnswer,
            summary=f"whether {code(pending.tool, 160)} still waits",
            start_to_close_timeout=timedelta(seconds=30),
            # No longer than there is something to decide.
            schedule_to_close_timeout=max(pending.expires_at - workflow.now(), timedelta(minutes=1)),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
        )

    async def tell(self, target: str, round: int, url: str) -> None:
        if target.startswith(MAILTO):
            await self.mail(target.removeprefix(MAILTO), round, url)
        else:
            await self.call_back(target, round)

    async def call_back(self, endpoint: str, round: int) -> None:
        type: EventType = "approval.requested" if round == 1 else "approval.reminder"
        event = Event(
            id=f"{self.notice.event_id}_{round}",
            type=type,
            request_id=self.notice.request_id,
            at=workflow.now(),
            data=about_waiting(self.notice.pending),
        )
        try:
            await workflow.start_child_workflow(
                CALLBACK_WORKFLOW,
                Delivery(endpoint=endpoint, requester=self.notice.requester, by_policy=True, event=event),
                id=f"{self.notice.request_id}.notify.{event.id.removeprefix('evt_')[-14:]}.{endpoint[:60]}",
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=code(f"{endpoint}: {type}"),
            )
        except WorkflowAlreadyStartedError:
            return  # an earlier run of this workflow has told it
        self.told.append(f"{endpoint}: {type}")

    async def mail(self, address: str, round: int, url: str) -> None:
        """Through the ledger as every mail, under a key of this workflow's own."""
        notice, number = self.notice, len(self.context.writes) + 1
        call = ToolCall(
            key=f"{self.context.request_id}/{position(round, number)}",
            tool=MAIL,
            arguments={"to": [address], "subject": _subject(notice, round), "body": _body(notice, url)},
            requester=notice.requester,
            approved_by="policy",
            over_budgets=(OF_NO_BUDGET,),
        )
        receipt = receipts.begun(call, MAIL_ROUTE, workflow.now())
        deadline = workflow.now() + timedelta(seconds=MAIL_ROUTE.schedule_to_close)
        ended = await self.runs.run(call, receipt, MAIL_ROUTE, f"to {address}", deadline)
        if ended.status is ReceiptStatus.DONE:
            self.told.append(address)
        else:
            self.not_told.append(f"{address}: {ended.status}: {ended.error}")


def _subject(notice: ApprovalNotice, round: int) -> str:
    """On one line, as a mail's has to be."""
    what = code(f"{notice.pending.tool} {notice.pending.about}", 160).strip("`")
    return f"{'Still waits' if round > 1 else 'Waits'} for your approval: {what}"


def _body(notice: ApprovalNotice, url: str) -> str:
    pending = notice.pending
    lines = [
        f"{code(f'{pending.tool} {pending.about}', 400).strip('`')} waits for approval.",
        "",
        f"Request:   {notice.request_id}",
        *([f"Asked by:  {code(notice.requester, 200).strip('`')}"] if notice.requester else []),
        *([f"Why:       {code(pending.reason, 400).strip('`')}"] if pending.reason else []),
        f"Until:     {pending.expires_at:%Y-%m-%d %H:%M} UTC; undecided then, it is a no",
        "",
        f"Look at it whole, and decide: {url}",
        f"Or: uv run client.py approve {notice.request_id} {pending.key.rpartition('/')[2]}",
        "",
        "This link decides nothing by itself, and neither does an answer to this mail.",
    ]
    return "\n".join(lines)
