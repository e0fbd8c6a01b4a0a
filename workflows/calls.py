"""Carrying out the calls of a turn: in the model's order, with a yes where one is needed, each to its receipt."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic_core import to_json
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from workflows import receipts, timeline
from workflows.approvals import Approvals
from workflows.contract import (
    EVERY_TOOL,
    Approve,
    Progress,
    ProposedCall,
    Receipt,
    ReceiptStatus,
    Reject,
    Request,
    Route,
    ToolCall,
    ToolEntry,
    ToolResult,
)
from workflows.conversation import position
from workflows.receipts import Receipts

HEARTBEAT = timedelta(seconds=10)
"""A worker silent for so long is taken to be gone; running activities beat more often."""


@dataclass(frozen=True)
class Step:
    """One call of a turn, on its way to a receipt."""

    position: str
    call: ToolCall
    proposed: ProposedCall


class Calls:
    """Every call that the model has made in a request, and its receipt.

    `changed` is called whenever people should see something new.
    """

    def __init__(self, request: Request, progress: Progress, approvals: Approvals, changed: Callable[[], None]) -> None:
        self.receipts = Receipts(progress.receipts)
        self.untrusted = progress.untrusted
        self.sent_back = set(progress.sent_back)
        self._request = request
        self._deadline = progress.deadline
        self._approvals = approvals
        self._changed = changed

    async def carry_out(self, turn: int, proposed: Sequence[ProposedCall]) -> list[ToolEntry]:
        """Run the calls of a turn: neighbouring reads at once, a write after all before it and before all after it.

        Returns:
            What the model is told, one entry a call, in the order of the calls.
        """
        steps = [self._step(turn, index, each) for index, each in enumerate(proposed, start=1)]
        for together in _in_order(steps):
            await asyncio.gather(*(self._carry_out(step) for step in together))
        return [_told(step, self.receipts[step.call.key]) for step in steps]

    def skip(self, turn: int, proposed: Sequence[ProposedCall], why: str) -> None:
        """Leave the calls of a turn undone, with a receipt that says why."""
        for index, each in enumerate(proposed, start=1):
            step = self._step(turn, index, each)
            self.receipts.put(receipts.not_run(step.call, each.route, ReceiptStatus.CANCELLED, why))

    def _step(self, turn: int, index: int, proposed: ProposedCall) -> Step:
        """From here on the call has a receipt, whatever ends the request."""
        at = position(turn, index)
        key = f"{workflow.info().workflow_id}/{at}"
        call = ToolCall(key=key, tool=proposed.tool, arguments=proposed.arguments)
        self.receipts.put(
            receipts.not_run(call, proposed.route, ReceiptStatus.CANCELLED, "not run: the request ended before")
        )
        return Step(at, call, proposed)

    async def _carry_out(self, step: Step) -> None:
        route = step.proposed.route
        if route is None:
            why = step.proposed.error or f"{step.call.tool} cannot be run"
            self.receipts.put(receipts.not_run(step.call, None, ReceiptStatus.INVALID, why))
        elif route.effect == "read":
            await self._run(step, route, None)
        else:
            approved_by = await self._approval(step, route)
            if approved_by is not None:
                await self._run(step, route, approved_by)
        self._changed()

    async def _approval(self, step: Step, route: Route) -> str | None:
        """Who said yes to a write; None, with a receipt that says why, where nobody did."""
        call = step.call
        if route.ruling == "deny":
            return self._no(step, ReceiptStatus.REFUSED, f"the policy forbids it: {route.reason}")
        if route.ungrounded and call.tool not in self.sent_back:
            self.sent_back.add(call.tool)
            return self._no(step, ReceiptStatus.INVALID, f"{_ungrounded(route)}; use only what the request says")
        if not route.ungrounded:
            if route.ruling == "allow" and not self.untrusted:
                return "policy"
            if {call.tool, EVERY_TOOL} & set(self._request.approve):
                return "requester"
        patience = timedelta(seconds=self._request.limits.approval_seconds)
        wait = min(patience, self._deadline - workflow.now())
        verdict = await self._approvals.ask(call, step.proposed, self._why_ask(route), wait)
        match verdict:
            case Approve():
                return verdict.by or "a person"
            case Reject():
                why = f"rejected by {verdict.by}: {verdict.reason}" if verdict.by else verdict.reason
                return self._no(step, ReceiptStatus.REJECTED, why or "rejected")

    def _why_ask(self, route: Route) -> str:
        if route.ungrounded:
            return _ungrounded(route)
        if route.ruling == "allow":
            return "the request has read a stranger's text"
        return route.reason

    def _no(self, step: Step, status: ReceiptStatus, why: str) -> None:
        self.receipts.put(receipts.not_run(step.call, step.proposed.route, status, why))

    async def _run(self, step: Step, route: Route, approved_by: str | None) -> None:
        receipt = self.receipts.put(receipts.begun(step.call, route, approved_by, workflow.now()))
        self._changed()
        try:
            result = await self._execute(step, route)
        except ActivityError as error:
            self.receipts.put(receipts.not_done(receipt, route, error, workflow.now()))
        else:
            self.receipts.put(receipts.done(receipt, result, workflow.now()))
            self.untrusted = self.untrusted or route.untrusted

    async def _execute(self, step: Step, route: Route) -> ToolResult:
        """Run the activity of the tool's name. A write is awaited even where the request is cancelled meanwhile."""
        write = route.effect == "write"
        cancellation = workflow.ActivityCancellationType
        left = max(self._deadline - workflow.now(), timedelta(seconds=1))
        patience = timedelta(seconds=route.schedule_to_close)
        return await workflow.execute_activity(
            step.call.tool,
            step.call,
            result_type=ToolResult,
            summary=timeline.summary(step.proposed.about),
            start_to_close_timeout=timedelta(seconds=route.start_to_close),
            schedule_to_close_timeout=patience if write else min(patience, left),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RetryPolicy(maximum_attempts=route.attempts, maximum_interval=timedelta(seconds=60)),
            cancellation_type=cancellation.WAIT_CANCELLATION_COMPLETED if write else cancellation.TRY_CANCEL,
        )


def _in_order(steps: Iterable[Step]) -> list[list[Step]]:
    """Groups of neighbours that may run at once: each write alone, the calls between writes together."""
    groups = itertools.groupby(enumerate(steps), key=lambda pair: pair[0] if _is_write(pair[1]) else -1)
    return [[step for _, step in group] for _, group in groups]


def _is_write(step: Step) -> bool:
    return step.proposed.route is not None and step.proposed.route.effect == "write"


def _ungrounded(route: Route) -> str:
    return f"nobody mentioned {', '.join(route.ungrounded)} before"


def _told(step: Step, receipt: Receipt) -> ToolEntry:
    if receipt.status is ReceiptStatus.DONE:
        text = receipt.result if isinstance(receipt.result, str) else to_json(receipt.result).decode()
        return ToolEntry(position=step.position, tool=step.call.tool, text=text)
    text = to_json({"status": receipt.status, "error": receipt.error}).decode()
    return ToolEntry(position=step.position, tool=step.call.tool, text=text, failed=True)
