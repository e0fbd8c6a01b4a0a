"""The loop: ask the model, carry out the calls it asks for, tell it what became of them, until it has no more."""

import asyncio
from datetime import timedelta

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from workflows import timeline
from workflows.approvals import Approvals
from workflows.calls import HEARTBEAT, Calls
from workflows.contract import (
    DECIDE,
    Approve,
    Decision,
    NoteEntry,
    Outcome,
    Progress,
    Reject,
    Request,
    RequestState,
    RequestStatus,
    Situation,
    UserEntry,
)
from workflows.conversation import Conversation

ONE_ANSWER = timedelta(minutes=10)
PATIENCE_WITH_MODEL = timedelta(minutes=30)
MODEL_RETRIES = RetryPolicy(maximum_attempts=8, maximum_interval=timedelta(seconds=60))


class Ended(Exception):
    """The request ends here, for another reason than that the model is done."""

    def __init__(self, status: RequestStatus, summary: str) -> None:
        super().__init__(summary)
        self.status = status
        self.summary = summary


@workflow.defn(failure_exception_types=[ValidationError, TypeError])
class RequestWorkflow:
    """Carries out one request. Input that is no `Request` fails the run with the reason, instead of blocking it."""

    @workflow.init
    def __init__(self, request: Request) -> None:
        progress = _progress(request)
        self.request = request
        self.turn = progress.turn
        self.usage = progress.usage
        self.deadline = progress.deadline
        self.corrected = progress.corrected
        self.status = RequestStatus.RUNNING
        self.doing = "starting"
        self.conversation = Conversation(progress.conversation)
        self.approvals = Approvals(request.requester, self.show_approvals)
        self.calls = Calls(request, progress, self.approvals, self.show)

    @workflow.run
    async def run(self, request: Request) -> Outcome:
        timeline.started(request)
        outcome = await self.work()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return outcome

    async def work(self) -> Outcome:
        """The loop."""
        try:
            while True:
                decision = await self.decide()
                if decision.calls:
                    await self.carry_out(decision)
                elif decision.unsupported and not self.corrected:
                    self.ask_for_correction(decision)
                else:
                    return self.outcome(RequestStatus.COMPLETED, decision.text, verified=not decision.unsupported)
                await self.continue_as_new_if_long()
        except Ended as end:
            return self.outcome(end.status, end.summary)
        except asyncio.CancelledError:
            return self.outcome(RequestStatus.CANCELLED, "Cancelled before it was finished.")

    async def decide(self) -> Decision:
        """Ask the model for the next step."""
        if self.turn >= self.request.limits.turns:
            raise Ended(
                RequestStatus.LIMIT_REACHED,
                f"Stopped at the limit of {timeline.count(self.request.limits.turns, 'turn')}.",
            )
        left = self.time_left()
        self.turn += 1
        self.show(f"turn {self.turn}: asking the model")
        try:
            decision = await workflow.execute_activity(
                DECIDE,
                Situation(requester=self.request.requester, conversation=self.conversation.entries),
                result_type=Decision,
                summary=f"turn {self.turn}",
                start_to_close_timeout=ONE_ANSWER,
                schedule_to_close_timeout=min(PATIENCE_WITH_MODEL, left),
                heartbeat_timeout=HEARTBEAT,
                retry_policy=MODEL_RETRIES,
            )
        except ActivityError as error:
            raise self.no_decision(error) from error
        self.usage += decision.usage
        return decision

    async def carry_out(self, decision: Decision) -> None:
        """Run the calls that the model asked for, and add what became of them to the conversation."""
        limit = self.request.limits.calls
        if len(self.calls.receipts) + len(decision.calls) > limit:
            self.calls.skip(self.turn, decision.calls, f"not run: more than {limit} calls in all")
            raise Ended(RequestStatus.LIMIT_REACHED, f"Stopped at the limit of {timeline.count(limit, 'tool call')}.")
        self.time_left()
        self.conversation.add_decision(self.turn, decision)
        self.show(f"turn {self.turn}: {', '.join(f'{call.tool} {call.about}'.strip() for call in decision.calls)}")
        self.conversation.add(await self.calls.carry_out(self.turn, decision.calls))

    def ask_for_correction(self, decision: Decision) -> None:
        """Give the model one chance to do, or to take back, what it claims and no receipt bears out."""
        self.corrected = True
        self.conversation.add_decision(self.turn, decision)
        problems = "; ".join(decision.unsupported)
        self.conversation.add(
            [NoteEntry(text=f"That is not what happened: {problems}. Do it now, or say it is not done.")]
        )

    async def continue_as_new_if_long(self) -> None:
        """Go on in a new run, with all that is known, when Temporal says that the history has grown long."""
        if not workflow.info().is_continue_as_new_suggested():
            return
        await workflow.wait_condition(workflow.all_handlers_finished)
        progress = Progress(
            conversation=self.conversation.entries,
            receipts=self.calls.receipts.all(),
            usage=self.usage,
            turn=self.turn,
            deadline=self.deadline,
            untrusted=self.calls.untrusted,
            corrected=self.corrected,
            acted=tuple(sorted(self.calls.acted)),
            sent_back=tuple(sorted(self.calls.sent_back)),
        )
        timeline.continuing()
        workflow.continue_as_new(self.request.model_copy(update={"carried": progress}))

    def outcome(self, status: RequestStatus, summary: str, *, verified: bool = True) -> Outcome:
        """However a request ends, its outcome carries every receipt."""
        self.status = status
        receipts = self.calls.receipts.all()
        timeline.ended(status, receipts)
        self.show(f"{status}: {summary}")
        return Outcome(
            request_id=workflow.info().workflow_id,
            status=status,
            summary=summary,
            summary_verified=verified,
            receipts=receipts,
            usage=self.usage,
        )

    @workflow.update
    async def approve(self, verdict: Approve) -> None:
        """Say yes to the one call that waits under this key with this digest, or to it with other arguments."""
        if verdict.arguments is None:
            self.approvals.settle(verdict)
        else:
            await self.approvals.settle_edited(verdict, verdict.arguments)

    @approve.validator
    def _check_approve(self, verdict: Approve) -> None:
        self.approvals.check(verdict)

    @workflow.update
    async def reject(self, verdict: Reject) -> None:
        """Say no to the one call that waits under this key with this digest; the model is told the reason."""
        self.approvals.settle(verdict)

    @reject.validator
    def _check_reject(self, verdict: Reject) -> None:
        self.approvals.check(verdict)

    @workflow.query
    def state(self) -> RequestState:
        """Where the request stands now, with the calls that wait for approval exactly as they would run."""
        return RequestState(
            request_id=workflow.info().workflow_id,
            status=self.status,
            turn=self.turn,
            doing=self.doing,
            awaiting_approval=self.approvals.waiting,
            running=self.calls.receipts.running(),
            receipts=self.calls.receipts.settled(),
            usage=self.usage,
        )

    def show(self, doing: str | None = None) -> None:
        """Say in the Temporal UI what is going on."""
        self.doing = doing or self.doing
        timeline.show(self.request, self.doing, self.calls.receipts.settled(), self.approvals.waiting)

    def show_approvals(self) -> None:
        timeline.awaiting_approval(bool(self.approvals.waiting))
        self.show()

    def time_left(self) -> timedelta:
        left = self.deadline - workflow.now()
        if left <= timedelta():
            allowed = timedelta(seconds=self.request.limits.seconds)
            raise Ended(RequestStatus.LIMIT_REACHED, f"Stopped at the time limit of {timeline.span(allowed)}.")
        return left

    def no_decision(self, error: ActivityError) -> BaseException:
        """What it means that the model could not be asked: a cancellation, the time limit, or a failed request."""
        if is_cancelled_exception(error):
            return asyncio.CancelledError()
        self.time_left()
        cause = error.cause
        reason = cause.message if isinstance(cause, ApplicationError) else str(cause)
        return Ended(RequestStatus.FAILED, f"The model gave no usable answer: {reason}")


def _progress(request: Request) -> Progress:
    """What the run before this one knew; of the first run, what it begins with.

    Raises:
        ApplicationError: a caller wants to have a past made up.
    """
    if request.carried is not None:
        if workflow.info().continued_run_id is None:
            raise ApplicationError(
                "carried: only the workflow itself may set it", type="BadRequest", non_retryable=True
            )
        return request.carried
    deadline = workflow.now() + timedelta(seconds=request.limits.seconds)
    return Progress(conversation=(UserEntry(text=request.text),), deadline=deadline)
