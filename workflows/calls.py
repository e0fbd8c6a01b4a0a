"""Carrying out the calls of a turn: in the model's order, with a yes where one is needed, each to its receipt."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import receipts
from workflows.activity_results import UnusableResult
from workflows.approvals import Approvals, Expired, Why
from workflows.consent import DONE_BEFORE, approved_in_advance, forbidden, marks, why_ask, why_sent_back
from workflows.contract.api import Approve, Receipt, ReceiptStatus, Reject, Request
from workflows.contract.conversation import ToolMessage
from workflows.contract.internal import ProposedCall, Route, ToolCall, ToolResult
from workflows.contract.plans import Rehearsed
from workflows.contract.progress import Progress
from workflows.contract.values import Arguments, position, sha256
from workflows.limits import Allowance
from workflows.questions import Questions
from workflows.receipts import Receipts
from workflows.tool_runs import ToolRuns, WriteContext

IN_ITS_WORDS = (ReceiptStatus.DONE, ReceiptStatus.FAILED, ReceiptStatus.UNKNOWN)
"""What may be told in the words of a tool, and so of a stranger."""


@dataclass(frozen=True)
class Step:
    """One call of a turn, on its way to a receipt."""

    call: ToolCall
    proposed: ProposedCall


class Calls:
    """Every call that the model has made in a request, and its receipt.

    `changed` is called whenever people should see something new.
    """

    def __init__(
        self,
        request: Request,
        progress: Progress,
        approvals: Approvals,
        questions: Questions,
        allowance: Allowance,
        changed: Callable[[], None],
    ) -> None:
        self.receipts = Receipts(progress.receipts)
        self.untrusted = progress.untrusted
        self.sent_back = set(progress.sent_back)
        self.acted = set(progress.acted)
        self.write_context = WriteContext.of(progress)
        self.runs = ToolRuns(self.write_context, changed)
        self._request = request
        self._approvals = approvals
        self._questions = questions
        self._allowance = allowance
        self._changed = changed

    @property
    def asking_again(self) -> str:
        """What is being asked of a write that may have happened; empty where of none."""
        return next(iter(self.runs.asking_again.values()), "")

    @property
    def rehearsed(self) -> Rehearsed | None:
        """Of a rehearsal: what it has come to so far."""
        return None

    async def carry_out(self, turn: int, proposed: Sequence[ProposedCall]) -> list[ToolMessage]:
        """Run the calls of a turn: neighbouring reads at once, a write after all before it and before all after it.

        Returns:
            What the model is told of each call, in the order of the calls.
        """
        steps = [self._step(turn, index, each) for index, each in enumerate(proposed, start=1)]
        for together in _in_order(steps):
            if self._out_of_time():
                break
            await asyncio.gather(*(self._carry_out(step) for step in together))
        return [self._told(step, self.receipts[step.call.key]) for step in steps]

    async def recall(self) -> str | None:
        """Add the receipts of the writes of the same request id of which this run knows nothing.

        Returns:
            What is to be told where that cannot be done, or not for all.
        """
        try:
            recalled = await self.runs.recall()
        except (ActivityError, UnusableResult) as error:
            why = receipts.reason(error) if isinstance(error, ActivityError) else error
            return f"what was done before is not known: the ledger cannot be asked: {why}"
        for receipt in recalled.receipts:
            taken = receipt.key in self.receipts
            self.receipts.put(receipt.model_copy(update={"key": f"{receipt.key} (earlier)"}) if taken else receipt)
        return f"{recalled.more} more writes of this request id are in the ledger" if recalled.more else None

    def skip(self, turn: int, proposed: Sequence[ProposedCall], why: str) -> None:
        """Leave the calls of a turn undone, with a receipt that says why."""
        for index, each in enumerate(proposed, start=1):
            self._no(self._step(turn, index, each), ReceiptStatus.CANCELLED, why)

    def _step(self, turn: int, index: int, proposed: ProposedCall) -> Step:
        """From here on the call has a receipt, whatever ends the request."""
        key = f"{self.write_context.request_id}/{position(turn, index)}"
        call = ToolCall(key=key, tool=proposed.tool, arguments=proposed.arguments, rehearsed=self._request.rehearse)
        step = Step(call, proposed)
        self._open(step)
        return step

    def _open(self, step: Step) -> None:
        why = "not run: the request ended before"
        self.receipts.put_open(receipts.not_run(step.call, step.proposed.route, ReceiptStatus.CANCELLED, why))

    async def _carry_out(self, step: Step) -> None:
        route = step.proposed.route
        if route is None:
            status = ReceiptStatus.FAILED if step.proposed.crashed else ReceiptStatus.INVALID
            self._no(step, status, step.proposed.error or f"{step.call.tool} cannot be run")
        elif route.effect == "read" and route.ruling == "allow":
            await self._run(step, route)
        else:
            approved = await self._approved(step, route)
            if approved is not None:
                await self._run(approved, route)
        self._changed()

    async def _approved(self, step: Step, route: Route) -> Step | None:
        """The call with who said yes to it, as that person left it; None, and a receipt, where nobody did."""
        if why := self._forbidden(route):
            return self._no(step, ReceiptStatus.REFUSED, why)
        if why := why_sent_back(step.proposed, route, self.acted, self.sent_back):
            return self._no(step, ReceiptStatus.INVALID, why)
        again = step.call.content in self.acted
        by = approved_in_advance(step.call.tool, route, self._request, untrusted=self.untrusted)
        if by and not again:
            return self._yes(step, step.proposed, by)
        return await self._decided(step, self._why_ask)

    def _forbidden(self, route: Route) -> str:
        """Why nobody may say yes to a call; empty where somebody may."""
        return forbidden(route, untrusted=self.untrusted)

    async def _over_budget(self, step: Step, budgets: tuple[str, ...], reached: str) -> Step | None:
        """The call with a person's yes to it although budgets are reached; None, and a receipt, without one."""
        self._open(step)
        over = step.call.model_copy(update={"over_budgets": (*step.call.over_budgets, *budgets)})
        return await self._decided(
            Step(over, step.proposed), lambda proposed: "; ".join(filter(None, (reached, self._why_ask(proposed))))
        )

    async def _decided(self, step: Step, why_ask: Why) -> Step | None:
        """The call as a person has said yes to it; None, and a receipt, where nobody did."""
        verdict = await self._approvals.ask(step.call, step.proposed, why_ask, self._forbidden, self._patience())
        if self._out_of_time():
            return None
        match verdict:
            case Approve():
                edited = self._approvals.edited.get(step.call.key)
                return self._yes(step, edited or step.proposed, verdict.by)
            case Reject(by=by, reason=why):
                return self._no(step, ReceiptStatus.REJECTED, f"rejected by {by}{': ' * bool(why)}{why}")
            case Expired(reason=why):
                return self._no(step, ReceiptStatus.REJECTED, why)

    def _patience(self) -> timedelta:
        """How long a person is waited for."""
        patience = timedelta(seconds=self._request.limits.approval_seconds)
        return max(min(patience, self._allowance.deadline - workflow.now()), timedelta())

    def _out_of_time(self) -> bool:
        return workflow.now() >= self._allowance.deadline

    def _yes(self, step: Step, proposed: ProposedCall, by: str) -> Step:
        news = {"approved_by": by, "requester": self._request.requester, "arguments": proposed.arguments}
        return Step(step.call.model_copy(update=news), proposed)

    def _why_ask(self, proposed: ProposedCall) -> str:
        """What the rules say of a call; empty where nothing keeps it from running."""
        if sha256([proposed.tool, proposed.arguments]) in self.acted:
            return DONE_BEFORE
        return why_ask(proposed.route, untrusted=self.untrusted) if proposed.route else ""

    def _no(self, step: Step, status: ReceiptStatus, why: str) -> None:
        self.receipts.put(receipts.not_run(step.call, step.proposed.route, status, why))

    async def _ask(self, call: ToolCall, route: Route) -> None:
        """The receipt of a question has the answer for its result."""
        receipt = self.receipts.put_open(receipts.asked(call, route, workflow.now()))
        answer = await self._questions.ask(call, str(call.arguments.get(route.asks)), self._patience())
        self.receipts.put(receipts.done(receipt, ToolResult(value=answer), workflow.now()))

    async def _run(self, step: Step, route: Route) -> None:
        call = step.call
        if route.asks:
            await self._ask(call, route)
            return
        receipt = self.receipts.put_open(receipts.begun(call, route, workflow.now()))
        self._changed()
        receipt = self.receipts.put(
            await self.runs.run(call, receipt, route, step.proposed.about, self._allowance.deadline)
        )
        if (budgets := self.runs.over_budgets(call)) and receipt.error:
            approved = await self._over_budget(step, budgets, receipt.error)
            if approved is not None:
                await self._run(approved, route)
            return
        if receipt.status in IN_ITS_WORDS:
            self.untrusted = self.untrusted or route.untrusted
        if route.effect == "write" and receipt.status in (ReceiptStatus.DONE, ReceiptStatus.UNKNOWN):
            self.acted |= marks(step.proposed)

    def _told(self, step: Step, receipt: Receipt) -> ToolMessage:
        route = step.proposed.route
        untrusted = route is not None and route.untrusted and receipt.status in IN_ITS_WORDS
        if receipt.status is not ReceiptStatus.DONE:
            hint: Arguments = {"hint": step.proposed.hint} if step.proposed.hint else {}
            why: Arguments = {"status": receipt.status.value, "error": receipt.error, **hint}
            return ToolMessage(value=why, failed=True, untrusted=untrusted)
        if receipt.key not in self._approvals.edited:
            return ToolMessage(value=receipt.result, untrusted=untrusted)
        by = self._approvals.edited_by[receipt.key]
        edited: Arguments = {"edited_by": by, "arguments": receipt.arguments, "result": receipt.result}
        return ToolMessage(value=edited, untrusted=untrusted, arguments=receipt.arguments)


def _in_order(steps: Iterable[Step]) -> list[list[Step]]:
    """Groups of neighbours that may run at once: each write alone, the calls between writes together."""
    groups = itertools.groupby(enumerate(steps), key=lambda pair: pair[0] if _is_write(pair[1]) else -1)
    return [[step for _, step in group] for _, group in groups]


def _is_write(step: Step) -> bool:
    """Or a read that somebody has to be asked about."""
    route = step.proposed.route
    return route is not None and (route.effect == "write" or route.ruling != "allow")
