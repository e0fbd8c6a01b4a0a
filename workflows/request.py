"""The loop: ask the model, carry out the calls it asks for, tell it what became of them, until it has no more."""

import asyncio

from pydantic import JsonValue, ValidationError
from temporalio import workflow

from workflows import receipts, timeline
from workflows.applying import PlannedCalls
from workflows.approvals import Approvals
from workflows.asking import Model, of_output, problem_with
from workflows.callbacks import Callbacks
from workflows.continuation import is_due
from workflows.contract.api import (
    Approve,
    GivenCall,
    Outcome,
    PendingApproval,
    Reject,
    Request,
    RequestState,
    RequestStatus,
    Say,
)
from workflows.contract.conversation import NoteEntry, UserEntry
from workflows.contract.internal import Decision, UnsupportedClaim
from workflows.contract.progress import Progress
from workflows.conversation import Conversation
from workflows.given_call import decision_on, said_by, status_of
from workflows.inbox import Inbox
from workflows.kinds_of_calls import calls_of
from workflows.limits import Allowance, Ended
from workflows.questions import Questions
from workflows.refusals import read
from workflows.rehearsal import in_words, plan_of
from workflows.shielding import shielded
from workflows.starting_point import starting_point

UNSUPPORTED = " [it claims what no receipt bears out]"


@workflow.defn(failure_exception_types=[ValidationError])
class RequestWorkflow:
    """Carries out one request. Inputs come as they were given: one that does not fit fails the run, or is refused, in
    words of our own, instead of blocking it."""

    @workflow.init
    def __init__(self, *given: object) -> None:
        request = read(Request, given)
        progress = starting_point(request)
        self.request = request
        self.corrected = progress.corrected
        self.status = RequestStatus.RUNNING
        self.doing = "starting"
        self.questions = Questions(self.show)
        self.inbox = Inbox(request, progress.messages, self.questions)
        self.conversation = Conversation(progress.conversation)
        self.allowance = Allowance(request.limits, progress.spending)
        self.model = Model(request, self.conversation, self.allowance, progress.demoted, self.show)
        self.approvals = Approvals(request.requester, self.conversation, self.show_approvals, self.show)
        waits = (self.approvals, self.questions)
        self.calls = calls_of(request, progress, *waits, self.allowance, self.show, self.conversation)
        self.callbacks = Callbacks(request, progress.receipts)

    @workflow.run
    async def run(self, *_: object) -> Outcome:
        """Every message in turn: the request's own text, and what is said while it is kept open."""
        timeline.started(self.request)
        while await self.has_message():
            self.begin_message()
            self.inbox.answer(await self.work())
        return await self.end()

    async def work(self) -> Outcome:
        """The loop."""
        try:
            if self.request.call is not None:
                return await self.make_call(self.request.call)
            if self.request.apply and isinstance(self.calls, PlannedCalls):
                status = await self.calls.apply(self.request.apply)
                return self.outcome(status, receipts.told(self.receipts))
            await self.model.check_schema()
            while True:
                decision = await self.model.decide()
                if decision.calls:
                    await self.carry_out(decision)
                elif problem := problem_with(decision, corrected=self.corrected):
                    self.send_back(decision, problem)
                else:
                    return await self.conclude(decision)
                await self.continue_as_new_if_due()
        except Ended as end:
            return self.outcome(end.status, f"{end.summary} {receipts.told(self.receipts)}".strip())
        except asyncio.CancelledError:
            return self.outcome(RequestStatus.CANCELLED, "Cancelled before it was finished.")

    # --- the steps ---------------------------------------------------------------------------------------------------

    async def has_message(self) -> bool:
        if self.inbox.is_open and not self.inbox.waiting:
            self.show("waiting for a message")
        try:
            await self.continue_as_new_if_due()
            return await self.inbox.has_message()
        except asyncio.CancelledError:
            self.inbox.answer(self.outcome(RequestStatus.CANCELLED, "Cancelled while it waited for a message."))
            return False

    def begin_message(self) -> None:
        """Start on the next message, unless an earlier run has begun one."""
        if message := self.inbox.begin():
            self.conversation.add([UserEntry(text=message.text, by=message.by)])
            self.allowance.begin_message(len(self.calls.receipts))
            self.calls.sent_back.clear()
            self.corrected = False

    async def make_call(self, given: GivenCall) -> Outcome:
        """The one call that the request is, and its result as the output."""
        self.conversation.add([said_by(given)])  # of which an edit keeps what it keeps
        await self.carry_out(await decision_on(given, self.request, self.allowance))
        [receipt] = self.receipts
        return self.outcome(status_of(receipt), receipts.told(self.receipts), output=receipt.result)

    async def carry_out(self, decision: Decision) -> None:
        """Run the calls that the model asked for, and add what became of them to the conversation."""
        turn = self.allowance.turn
        self.calls.write_context.ledger = self.calls.write_context.ledger or decision.ledger
        try:
            self.allowance.check_calls(len(self.calls.receipts) + len(decision.calls))
        except Ended as end:
            self.calls.skip(turn, decision.calls, f"not run: {end.summary}")
            raise
        self.allowance.time_left()
        self.conversation.add_decision(turn, decision)
        self.show(f"turn {turn}: {', '.join(f'{call.tool} {call.about}'.strip() for call in decision.calls)}")
        self.conversation.add_results(turn, await self.calls.carry_out(turn, decision.calls))

    def send_back(self, decision: Decision, problem: str) -> None:
        self.corrected = self.corrected or decision.problem is None
        self.conversation.add_decision(self.allowance.turn, decision)
        self.conversation.add([NoteEntry(text=problem)])

    async def conclude(self, decision: Decision) -> Outcome:
        """The outcome of a message that the model has no more calls for."""
        text = f"{decision.text} … [cut off: the model's answer was too long]" if decision.cut_off else decision.text
        if decision.refused:
            raise Ended(RequestStatus.FAILED, f"The model refused: {text}")
        self.conversation.add_decision(self.allowance.turn, decision)
        claims, output = decision.unsupported_claims, None
        if self.request.output_schema is not None:
            answer = await self.model.answer(self.request.output_schema)
            claims, output = (*claims, *of_output(answer)), answer.output
        return self.outcome(RequestStatus.COMPLETED, text, claims=claims, output=output)

    async def continue_as_new_if_due(self) -> None:
        """Go on in a new run, with all that is known, by the newest worker."""
        if not is_due(is_open=self.inbox.is_open, is_busy=bool(self.inbox.under_way)):
            return
        self.inbox.move()
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self.callbacks.all_started()
        workflow.continue_as_new(
            self.request.model_copy(update={"carried": self.progress().model_dump(mode="json")}),
            initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE,
        )

    def progress(self) -> Progress:
        return Progress(
            messages=self.inbox.messages(),
            spending=self.allowance.spent(),
            conversation=self.conversation.entries,
            receipts=self.calls.receipts.all(),
            untrusted=self.calls.untrusted,
            corrected=self.corrected,
            acted=tuple(sorted(self.calls.acted)),
            sent_back=tuple(sorted(self.calls.sent_back)),
            past_run=self.calls.write_context.past_run,
            writes=tuple(self.calls.write_context.writes),
            ledger=self.calls.write_context.ledger,
            earlier=self.calls.write_context.earlier,
            demoted=self.model.demoted,
            rehearsed=self.calls.rehearsed,
        )

    def outcome(
        self,
        status: RequestStatus,
        summary: str,
        *,
        claims: tuple[UnsupportedClaim, ...] = (),
        output: JsonValue = None,
    ) -> Outcome:
        """However a message ends, its outcome carries the receipt of every call that was made for it."""
        plan = plan_of(self.calls.rehearsed) if status is RequestStatus.COMPLETED and self.calls.rehearsed else None
        summary = in_words(plan, summary) if plan else summary
        self.show(f"{status}: {summary}{UNSUPPORTED if claims else ''}")
        return Outcome(
            request_id=workflow.info().workflow_id,
            status=status,
            summary=summary,
            unsupported_claims=tuple(map(str, claims)),
            output=output,
            receipts=self.receipts,
            usage=self.allowance.usage,
            plan=plan,
        )

    async def end(self) -> Outcome:
        """The outcome of the request: of its last message, with every receipt there is."""
        last = self.inbox.latest or self.outcome(RequestStatus.COMPLETED, "Nothing was asked.")
        lost = await shielded(self.calls.recall())
        summary = f"{last.summary} [{lost}]" if lost else last.summary
        outcome = last.model_copy(update={"receipts": self.calls.receipts.all(), "summary": summary})
        self.status = outcome.status
        self.show(f"{outcome.status}: {summary}{UNSUPPORTED if outcome.unsupported_claims else ''}")
        timeline.ended(outcome.status, outcome.receipts)
        await shielded(workflow.wait_condition(workflow.all_handlers_finished))
        await shielded(self.callbacks.tell_end(outcome, self.allowance.turn))
        return outcome

    # --- what callers do meanwhile -----------------------------------------------------------------------------------

    @workflow.update
    async def say(self, *given: object) -> Outcome:
        """The answer to a question that waits, or a further message to a request that is kept open; returns the
        message's own outcome."""
        return await self.inbox.say(read(Say, given))

    @say.validator
    def _check_say(self, *given: object) -> None:
        self.inbox.check(read(Say, given))

    @workflow.update
    async def close(self) -> None:
        """Take no further message. What was said before is still answered."""
        self.inbox.close()

    @workflow.update
    async def approve(self, *given: object) -> PendingApproval | None:
        """Say yes to the one call that waits under this key with this digest, or to it with other arguments.

        Returns:
            The call as it waits now, where the arguments need a second yes.
        """
        verdict = read(Approve, given)
        if verdict.arguments is None:
            self.approvals.settle(verdict)
            return None
        return await self.approvals.settle_edited(verdict, verdict.arguments)

    @approve.validator
    def _check_approve(self, *given: object) -> None:
        self.approvals.check(read(Approve, given))

    @workflow.update
    async def reject(self, *given: object) -> None:
        """Say no to the one call that waits under this key with this digest; the model is told the reason."""
        self.approvals.settle(read(Reject, given))

    @reject.validator
    def _check_reject(self, *given: object) -> None:
        self.approvals.check(read(Reject, given))

    @workflow.query
    def state(self) -> RequestState:
        """Where the request stands now, with the calls that wait for approval exactly as they would run."""
        known = self.calls.receipts
        return RequestState(
            request_id=workflow.info().workflow_id,
            status=self.status,
            turn=self.allowance.turn,
            doing=self.calls.asking_again or self.doing,
            awaiting_approval=self.approvals.waiting,
            awaiting_answer=self.questions.waiting,
            running=known.running(),
            messages_waiting=self.inbox.waiting,
            receipts=known.settled() if self.status is RequestStatus.RUNNING else known.all(),
            usage=self.allowance.usage,
        )

    # --- what people see ---------------------------------------------------------------------------------------------

    @property
    def receipts(self) -> tuple[receipts.Receipt, ...]:
        """Of the message that is worked on."""
        return self.calls.receipts.since(self.allowance.calls_before)

    def show(self, doing: str | None = None) -> None:
        """Say in the Temporal UI what is going on."""
        self.doing = doing or self.doing
        text, settled = self.inbox.text or self.request.title, self.calls.receipts.settled()
        waiting = (*self.approvals.waiting, *self.questions.waiting)
        timeline.show(text, self.calls.asking_again or self.doing, settled, waiting, self.model.demoted)
        self.callbacks.look(self.approvals.waiting, self.questions.waiting, settled, self.approvals.rules)

    def show_approvals(self) -> None:
        timeline.awaiting_approval(bool(self.approvals.waiting))
        self.show()
