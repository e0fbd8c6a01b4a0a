"""The calls of a rehearsal: reads run, and a write becomes part of a plan. It asks nobody and tells nobody."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from workflows import receipts
from workflows.activity_results import UnusableResult, execute
from workflows.approvals import Approvals, Why
from workflows.calls import Calls, Step
from workflows.consent import marks
from workflows.contract.api import Receipt, ReceiptStatus, Request, RequestStatus
from workflows.contract.conversation import ToolMessage
from workflows.contract.internal import Route
from workflows.contract.plans import Plan, PlannedRead, PlannedWrite, Rehearsed, Verdict
from workflows.contract.progress import Progress
from workflows.contract.rehearsing import PREVIEW, Preview, RehearsedCall, WriteBefore
from workflows.contract.values import sha256
from workflows.conversation import Conversation
from workflows.limits import Allowance, Ended
from workflows.markdown import code
from workflows.questions import Questions
from workflows.size_limits import size
from workflows.timeline import count

PLAN_BYTES = 256 * 1024
"""A plan is never shortened, and the outcome has to hold it beside the receipts."""
PATIENCE_WITH_PREVIEW = timedelta(minutes=10)


class RehearsedCalls(Calls):
    """Calls of which no write is made."""

    def __init__(
        self,
        request: Request,
        progress: Progress,
        approvals: Approvals,
        questions: Questions,
        allowance: Allowance,
        changed: Callable[[], None],
        conversation: Conversation,
    ) -> None:
        super().__init__(request, progress, approvals, questions, allowance, changed)
        self._conversation = conversation
        self._writes: list[PlannedWrite] = []
        self._refused: list[PlannedWrite] = []
        self._reads: dict[str, PlannedRead] = {}
        self._stand_ins: dict[str, ToolMessage] = {}
        """By key, until the model is told of the turn."""
        if known := progress.rehearsed:
            self._writes, self._refused = [*known.writes], [*known.refused]
            self._reads = {read.key: read for read in known.reads}

    @property
    def rehearsed(self) -> Rehearsed:
        return Rehearsed(writes=tuple(self._writes), refused=tuple(self._refused), reads=tuple(self._reads.values()))

    async def _decided(self, step: Step, why_ask: Why) -> Step | None:
        """In a rehearsal nobody is asked: a write is planned without a yes, and a read that needs one does not run."""
        if step.proposed.route and step.proposed.route.effect == "read":
            why = f"it needs a person's yes, and a rehearsal asks nobody: {why_ask(step.proposed)}"
            return self._no(step, ReceiptStatus.REFUSED, why)
        return self._yes(step, step.proposed, "")

    async def _run(self, step: Step, route: Route) -> None:
        if route.effect == "write":
            await self._plan(step)
            return
        await super()._run(step, route)
        receipt = self.receipts[step.call.key]
        if receipt.status is ReceiptStatus.DONE and not route.asks:
            self._reads[receipt.key] = PlannedRead(
                key=receipt.key,
                tool=receipt.tool,
                arguments=step.call.arguments,
                digest=sha256(receipt.result),
                at=receipt.started_at or workflow.now(),
            )

    async def _plan(self, step: Step) -> None:
        """Add a write to the plan; what the model is told in place of its result comes from the tool's preview."""
        preview = await self._previewed(step)
        if preview is None:
            return
        if preview.refused:
            self._no(step, ReceiptStatus.REFUSED, preview.refused)
            return
        self._writes.append(self._planned(step, preview))
        if size(self.rehearsed) > PLAN_BYTES:
            what = f"The plan is longer than {PLAN_BYTES // 1024} KiB; ask for less at once."
            raise Ended(RequestStatus.LIMIT_REACHED, what)
        self._stand_ins[step.call.key] = ToolMessage(value=preview.result)
        self.receipts.put(
            receipts.not_run(step.call, step.proposed.route, ReceiptStatus.PLANNED, "").model_copy(
                update={"error": None}
            )
        )
        self.acted.update(marks(step.proposed))

    async def _previewed(self, step: Step) -> Preview | None:
        """None, and a receipt, where no worker could say."""
        requester = self._request.requester
        try:
            return await execute(
                PREVIEW,
                RehearsedCall(
                    call=step.call.model_copy(update={"requester": requester}),
                    conversation=self._conversation.entries,
                    planned=tuple(WriteBefore(tool=each.tool, arguments=each.arguments) for each in self._writes),
                ),
                Preview,
                summary=code(f"{step.call.tool} {step.proposed.about}".strip()),
                start_to_close_timeout=timedelta(seconds=30),
                schedule_to_close_timeout=min(PATIENCE_WITH_PREVIEW, self._allowance.time_left()),
            )
        except UnusableResult as error:
            self._no(step, ReceiptStatus.FAILED, f"it could not be rehearsed: {error}")
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from error
            self._no(step, ReceiptStatus.FAILED, f"it could not be rehearsed: {receipts.reason(error)}")
        return None

    def _planned(self, step: Step, preview: Preview) -> PlannedWrite:
        """What the rules say of a write, with all that has to be known to say it again when the plan is applied."""
        by, route = step.call.approved_by, step.proposed.route
        if preview.over_budget:
            verdict, why = (
                "needs approval",
                "; ".join(filter(None, (preview.over_budget, self._why_ask(step.proposed)))),
            )
        elif by == "policy":
            verdict, why = "allowed", route.reason if route else ""
        elif by:
            verdict, why = "allowed", "the requester has approved it in advance"
        else:
            verdict, why = "needs approval", self._why_ask(step.proposed)
        request_id = self.write_context.request_id
        return _write(step, verdict, why).model_copy(
            update={
                "depends_on": tuple(f"{request_id}/{place}" for place in preview.depends_on),
                "stand_ins": tuple(f"{request_id}/{place}" for place in preview.stand_ins),
                "untrusted": self.untrusted,
                "repeats": step.call.content in self.acted,
            }
        )

    def _no(self, step: Step, status: ReceiptStatus, why: str) -> None:
        route = step.proposed.route
        if status is ReceiptStatus.REFUSED and route and route.effect == "write":
            self._refused.append(_write(step, "refused", why))
        super()._no(step, status, why)

    def _told(self, step: Step, receipt: Receipt) -> ToolMessage:
        return self._stand_ins.pop(receipt.key, None) or super()._told(step, receipt)


def plan_of(rehearsed: Rehearsed) -> Plan:
    """The plan that a rehearsal has come to, with those reads that its writes rest on."""
    needed = {key for write in rehearsed.writes for key in write.depends_on}
    resting = [write.key for write in rehearsed.writes if write.stand_ins]
    problem = f"{', '.join(resting)} has a value that only a write before it will bring" if resting else ""
    return Plan(
        request_id=workflow.info().workflow_id,
        made_at=workflow.now(),
        writes=rehearsed.writes,
        refused=rehearsed.refused,
        reads=tuple(read for read in rehearsed.reads if read.key in needed),
        problem=problem,
    ).sealed()


def in_words(plan: Plan, said: str) -> str:
    """The summary of a rehearsal; what the model says is true only once the plan is applied."""
    refused = f", {len(plan.refused)} refused" if plan.refused else ""
    if not plan.writes:
        return f"Rehearsed: nothing would be written{refused}. {said}".strip()
    words = f' What would be said then: "{said}"' if said else ""
    return f"Rehearsed: {count(len(plan.writes), 'write')} planned{refused}, and nothing is done.{words}"


def _write(step: Step, verdict: Verdict, why: str) -> PlannedWrite:
    call, route = step.call, step.proposed.route
    return PlannedWrite(
        key=call.key,
        tool=call.tool,
        arguments=call.arguments,
        digest=call.content,
        about=step.proposed.about,
        verdict=verdict,
        why=why,
        ungrounded=route.ungrounded if route else (),
        unsupported=route.unsupported if route else (),
        strangers=route.strangers if route else (),
    )
