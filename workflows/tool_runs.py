"""Calls run as activities, and what the ledger is asked about them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError

from workflows import receipts
from workflows.activity_results import UnusableResult, execute, read
from workflows.asking import HEARTBEAT
from workflows.asking_again import AskAgain, asked_again, whether
from workflows.contract.api import Receipt, ReceiptStatus
from workflows.contract.internal import (
    RECALL,
    SETTLE,
    Recall,
    Recalled,
    Route,
    Settle,
    Settlement,
    ToolCall,
    ToolResult,
)
from workflows.contract.progress import Progress
from workflows.markdown import code

T = TypeVar("T")
PATIENCE_WITH_LEDGER = timedelta(hours=1)


@dataclass
class WriteContext:
    """What ties the writes of a request together, beyond the run that asks for them."""

    request_id: str
    """As in the calls' keys."""
    chain: str
    past_run: str
    """The run whose work this one does again; empty where it does none again."""
    ledger: str
    writes: list[str] = field(default_factory=list[str])
    """The positions of those that were run."""
    earlier: bool = False
    """The ledger knows more of them than this run does."""

    @classmethod
    def of(cls, progress: Progress) -> "WriteContext":
        context = cls.of_new_request(progress.past_run)
        context.ledger, context.writes, context.earlier = progress.ledger, [*progress.writes], progress.earlier
        return context

    @classmethod
    def of_new_request(cls, past_run: str = "") -> "WriteContext":
        info = workflow.info()
        if not past_run and info.run_id != info.original_execution_run_id:
            past_run = info.original_execution_run_id
        if not past_run and info.attempt > 1:
            past_run = info.continued_run_id or ""
        return cls(
            request_id=_name(info),
            # Of the first run of all: the same after a reset, a retry and a continue-as-new. Its end is random.
            chain=info.first_execution_run_id[-8:],
            past_run=past_run,
            ledger="",
        )

    def of_write(self, call: ToolCall) -> ToolCall:
        """The call, with what the ledger must know to keep it from being done twice. Of a rehearsal it gets none of
        it, and without a chain no worker makes a write."""
        if call.rehearsed:
            return call
        return call.model_copy(
            update={
                "chain": self.chain,
                "ledger": self.ledger,
                "known": tuple(self.writes),
                "past_run": self.past_run,
            }
        )


def _name(info: workflow.Info) -> str:
    """The request id; of a cron's run, with the time at which it was made: each is a request of its own."""
    if not info.cron_schedule:
        return info.workflow_id
    return f"{info.workflow_id}@{info.workflow_start_time:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


class ToolRuns:
    """Runs calls, and says what became of them."""

    def __init__(self, context: WriteContext, changed: Callable[[], None] = lambda: None) -> None:
        self._context = context
        self._changed = changed
        self.asking_again: dict[str, str] = {}
        """By key, what is being asked of writes that may have happened."""
        self._over_budgets: dict[str, tuple[str, ...]] = {}

    def over_budgets(self, call: ToolCall) -> tuple[str, ...]:
        """The reached budgets that kept a call from running, and over which a person may say yes."""
        return self._over_budgets.pop(call.key, ())

    async def run(self, call: ToolCall, receipt: Receipt, route: Route, about: str, deadline: datetime) -> Receipt:
        """Run a call to its receipt; a write is awaited even where the request is cancelled meanwhile."""
        write = route.effect == "write"
        if write:
            call = self._context.of_write(call)
            self._context.writes.append(call.position)
        ended, again = await self._tried(call, receipt, route, about, deadline)
        if again and workflow.now() < deadline and not is_cancelled():
            ended = await self._ask_again(call, ended, route, about, deadline, again)
        if write and ended.status is ReceiptStatus.REFUSED:
            # What stands under this key in the ledger, if anything, is not this call's.
            self._context.writes.remove(call.position)
        return ended

    async def _tried(
        self,
        call: ToolCall,
        receipt: Receipt,
        route: Route,
        about: str,
        deadline: datetime,
        again: AskAgain | None = None,
    ) -> tuple[Receipt, AskAgain | None]:
        """The receipt of a call after all attempts of one activity, and how its far end may be asked again."""
        try:
            result = await _execute_when_allowed(call, route, about, deadline, again)
        except ActivityError as error:
            detail = receipts.detail_of(error.cause)
            self._context.earlier |= detail is not None and detail.earlier
            if detail and detail.over_budgets:
                self._over_budgets[call.key] = detail.over_budgets
            settled = await self._settle(call, route, error) if receipts.must_be_settled(route, error) else None
            ended = receipts.not_done(receipt, route, error, settled, workflow.now())
            return ended, AskAgain.after(error, settled)
        except UnusableResult as error:
            settled = await self._settle(call, route, None) if route.effect == "write" else None
            return receipts.unusable(receipt, str(error), settled, workflow.now()), None
        self._context.earlier |= result.earlier
        return receipts.done(receipt, result, workflow.now()), None

    async def _ask_again(
        self, call: ToolCall, unknown: Receipt, route: Route, about: str, deadline: datetime, again: AskAgain
    ) -> Receipt:
        """Go on asking about a write that may have happened, until it is known, the time is over or nobody wants it."""
        began, asked = workflow.now(), call.model_copy(update={"tried_before": unknown.attempts})
        self.asking_again[call.key] = whether(f"{call.tool} {about}".strip())
        self._changed()
        try:
            await workflow.sleep(min(again.first_pause, deadline - began), summary="until it is asked again")
            ended, _ = await self._tried(asked, unknown, route, whether(about), deadline, again)
        except asyncio.CancelledError:  # in the pause
            ended = unknown
        finally:
            del self.asking_again[call.key]
        return asked_again(ended, unknown.attempts, workflow.now() - began)

    async def recall(self) -> Recalled:
        """The receipts of the writes of the same request id of which this run knows nothing.

        Raises:
            ActivityError, UnusableResult: the ledger cannot be asked.
        """
        context = self._context
        if not (context.past_run or context.earlier):
            return Recalled(receipts=())
        known = Recall(
            request_id=context.request_id, chain=context.chain, ledger=context.ledger, known=tuple(context.writes)
        )
        return await _ask_ledger(RECALL, known, Recalled, "what was done before")

    async def _settle(self, call: ToolCall, route: Route, error: ActivityError | None) -> Settlement:
        """Ask the ledger what became of a write whose attempts were lost, and keep them from acting later.

        Where an operator has put an end to the activity, its attempt may still be acting, and is waited for.
        """
        by_hand = error is None or receipts.is_by_hand(error.cause)
        patience = route.start_to_close if by_hand else 0
        tokens = _tokens_of_acts(error)
        question = Settle(
            call=call,
            acting=tokens is not None or bool(call.tried_before),
            tokens=tokens or (),
            patience=patience,
            by_hand=error is None,
        )
        try:
            return await _ask_ledger(SETTLE, question, Settlement, f"what became of {code(call.tool, 160)}", patience)
        except ActivityError as failed:
            why = f"the ledger cannot be asked: {receipts.reason(failed)}"
        except UnusableResult as unusable:
            why = str(unusable)
        return Settlement(status=ReceiptStatus.UNKNOWN, error=why)


async def _execute_when_allowed(
    call: ToolCall, route: Route, about: str, deadline: datetime, again: AskAgain | None
) -> ToolResult:
    """A write for which an older copy of the ledger has to be settled first waits for that as long as the request."""
    while True:
        try:
            return await _execute(call, route, about, deadline, again)
        except ActivityError as error:
            detail = receipts.detail_of(error.cause)
            if detail is None or not detail.held or workflow.now() >= deadline:
                raise


async def _execute(call: ToolCall, route: Route, about: str, deadline: datetime, again: AskAgain | None) -> ToolResult:
    write = route.effect == "write"
    cancellation = workflow.ActivityCancellationType
    attempt = timedelta(seconds=route.start_to_close)
    left = max(deadline - workflow.now(), timedelta(seconds=1))
    if write and not again:  # one that has begun is not cut short by the request's own limit
        left += attempt
    within = again.window if again else timedelta(seconds=route.schedule_to_close)
    running = workflow.start_activity(
        call.tool,
        call,
        result_type=RawValue,
        summary=code(about),
        start_to_close_timeout=attempt,
        schedule_to_close_timeout=min(within, left),
        heartbeat_timeout=HEARTBEAT,
        retry_policy=again.retries if again else _retries(route),
        cancellation_type=cancellation.WAIT_CANCELLATION_COMPLETED if write else cancellation.TRY_CANCEL,
    )
    return read(await _with_its_result(running), call.tool, ToolResult)


def _retries(route: Route) -> RetryPolicy:
    return RetryPolicy(maximum_attempts=route.attempts, maximum_interval=timedelta(seconds=60))


def is_cancelled() -> bool:
    """Whether the request was cancelled while a write was awaited to its end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _with_its_result(running: workflow.ActivityHandle[RawValue]) -> RawValue:
    """Await an activity; a result that arrives together with a cancellation is not lost to it."""
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.sleep(0)
        if not running.done():
            running.cancel()
        return await running


async def _ask_ledger(
    activity: str, question: Settle | Recall, answer: type[T], summary: str, patience: float = 0
) -> T:
    """Ask until the ledger answers: what it knows of a write is worth an hour's wait."""
    return await execute(
        activity,
        question,
        answer,
        summary=summary,
        start_to_close_timeout=timedelta(seconds=30 + patience),
        schedule_to_close_timeout=PATIENCE_WITH_LEDGER + timedelta(seconds=patience),
        heartbeat_timeout=HEARTBEAT,
        retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=10)),
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )


def _tokens_of_acts(error: ActivityError | None) -> tuple[str, ...] | None:
    """Of the attempts that acted, as far as Temporal knows; None where it knows of none."""
    cause = error.cause if error else None
    if (detail := receipts.detail_of(cause)) and detail.acting:
        return detail.tokens
    beat = receipts.last_beat(cause)
    return beat.tokens if beat and beat.stage == "acting" else None
