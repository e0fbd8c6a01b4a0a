"""The requests of a trial, and the people around them: they approve twice and too late, cancel, and reset."""

import asyncio
import uuid
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Literal

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from tests.chaos.insist import insist
from tests.scripted_model import Answer, call, calls, say
from workflows.contract.api import (
    REQUEST_WORKFLOW,
    Approve,
    Outcome,
    PendingApproval,
    ReceiptStatus,
    Reject,
    Request,
    RequestState,
)

TOOL = "send_email"
LONG_BODY = "A long letter. " * 4000

Handle = WorkflowHandle[object, Outcome]


@dataclass(frozen=True)
class Mail:
    token: str
    """The subject: by it a message is known again."""
    long: bool = False
    recipients: int = 1

    @property
    def to(self) -> tuple[str, ...]:
        """Of several, each says which of how many it is."""
        if self.recipients == 1:
            return (f"{self.token}@example.com",)
        several = range(1, self.recipients + 1)
        return tuple(f"{self.token}.{index}of{self.recipients}@example.com" for index in several)


@dataclass(frozen=True)
class Plan:
    """One request, and what people will do to it. Times are seconds after its start."""

    request_id: str
    mails: tuple[Mail, ...]
    asks: bool = False
    verdict: Literal["approve", "reject"] = "approve"
    cancelled_after: float | None = None
    cancelled_in_doubt: bool = False
    """While the mail server has the whole message and does not answer, if it comes to that."""
    reset_after: float | None = None
    reset_at_end: bool = False
    reset_when_settled: bool = False
    """If it ends with an unknown: as soon as the operator has said what became of that, or after a while."""

    @property
    def text(self) -> str:
        return f"Write to {' and '.join(to for mail in self.mails for to in mail.to)} ({self.request_id})"

    @property
    def may_be_reset(self) -> bool:
        return self.reset_after is not None or self.reset_at_end or self.reset_when_settled

    def script(self) -> list[Answer]:
        """What the model answers; its last words claim nothing."""
        made = [
            call(TOOL, to=[*mail.to], subject=mail.token, body=LONG_BODY if mail.long else "Hello.")
            for mail in self.mails
        ]
        return [calls(*made), say("That is all.")]


def plans(random: Random, name: str, sends: int) -> list[Plan]:
    """Requests with so many messages in all."""
    made: list[Plan] = []
    left = sends
    while left > 0:
        count = min(left, random.choice((1, 1, 2)))
        left -= count
        request_id = f"{name}-{len(made)}"
        mails = tuple(
            Mail(f"{request_id}-{index}", random.random() < 0.05, random.choice((1, 1, 1, 2, 3, 4)))
            for index in range(1, count + 1)
        )
        fate = random.random()
        made.append(
            Plan(
                request_id,
                mails,
                asks=random.random() < 0.25,
                verdict="reject" if random.random() < 0.15 else "approve",
                cancelled_after=random.uniform(0.1, 8) if fate < 0.1 else None,
                cancelled_in_doubt=random.random() < 0.5,
                reset_after=random.uniform(0.3, 8) if 0.1 <= fate < 0.2 else None,
                reset_at_end=0.2 <= fate < 0.3,
                reset_when_settled=fate >= 0.3 and random.random() < 0.6,
            )
        )
    return made


@dataclass(frozen=True)
class End:
    """What a run of a request said. What happened after `until`, when it was reset, is another run's business."""

    outcome: Outcome
    until: datetime | None = None


@dataclass
class Story:
    """What became of a request."""

    plan: Plan
    ends: list[End] = field(default_factory=list[End])
    finished: bool = False
    problems: list[str] = field(default_factory=list[str])
    """Verdicts that were taken and should not have been; runs that failed."""


async def carry_out(
    client: Client, task_queue: str, in_doubt: Container[str], settled: Container[str], story: Story
) -> None:
    """Start a request, do to it what is planned, and wait for its end.

    Args:
        client: of the Temporal server.
        task_queue: the workers'.
        in_doubt: the tokens of messages that wait for the mail server's verdict at the moment.
        settled: those of which the operator has said what became of them.
        story: has the plan, and is filled in.
    """
    plan = story.plan
    handle = await _start(client, task_queue, plan)
    people = [asyncio.create_task(_approve(handle, story))] if plan.asks else []
    if plan.cancelled_after is not None:
        people.append(asyncio.create_task(_cancel(handle, plan.cancelled_after)))
    if plan.cancelled_in_doubt:
        people.append(asyncio.create_task(_cancel_in_doubt(handle, plan, in_doubt)))
    try:
        if plan.reset_after is not None:
            await asyncio.sleep(plan.reset_after)
            await _reset(client, handle, story)
        outcome = await _result(handle)
        if plan.reset_at_end or (plan.reset_when_settled and await _was_settled(outcome, settled)):
            await _reset(client, handle, story)
            outcome = await _result(handle)
        story.ends.append(End(outcome))
        story.finished = True
    except WorkflowFailureError as failure:
        story.problems.append(f"{plan.request_id}: it has no outcome: {failure.cause!r}")
    finally:
        for each in people:
            each.cancel()
        for how in await asyncio.gather(*people, return_exceptions=True):
            if isinstance(how, Exception):
                raise how


async def _was_settled(outcome: Outcome, settled: Container[str]) -> bool:
    """Whether there is an unknown on which the operator has had a word within the time that a person has here."""
    unknown = [
        str(receipt.arguments.get("subject")) for receipt in outcome.receipts if receipt.status is ReceiptStatus.UNKNOWN
    ]
    for _ in range(60 if unknown else 0):
        if any(token in settled for token in unknown):
            return True
        await asyncio.sleep(0.2)
    return False


async def _start(client: Client, task_queue: str, plan: Plan) -> Handle:
    request = Request(text=plan.text, requester="chaos", approve=() if plan.asks else (TOOL,))

    async def start() -> None:
        with suppress(WorkflowAlreadyStartedError):  # by an earlier try, whose answer was lost
            await client.start_workflow(
                REQUEST_WORKFLOW,
                request,
                id=plan.request_id,
                task_queue=task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )

    await insist(start)
    return _handle(client, plan.request_id)


def _handle(client: Client, request_id: str, run_id: str | None = None) -> Handle:
    return client.get_workflow_handle(request_id, run_id=run_id, result_type=Outcome)


async def _result(handle: Handle) -> Outcome:
    return await insist(handle.result, each=300)


async def _cancel(handle: Handle, after: float) -> None:
    await asyncio.sleep(after)
    with suppress(RPCError):  # it has ended
        await insist(handle.cancel)


async def _cancel_in_doubt(handle: Handle, plan: Plan, in_doubt: Container[str]) -> None:
    while not any(mail.token in in_doubt for mail in plan.mails):
        await asyncio.sleep(0.1)
    await _cancel(handle, 0.2)  # a verdict that comes at once is no doubt, and no reason either


async def _reset(client: Client, handle: Handle, story: Story) -> None:
    """Have it run again from its first decision. If its run has ended, what that said is kept to be judged."""
    now = await insist(handle.describe)
    if now.status is WorkflowExecutionStatus.COMPLETED:
        said = await _result(_handle(client, handle.id, now.run_id))
        story.ends.append(End(said, until=datetime.now(UTC)))
    first = await _first_task(_handle(client, handle.id, now.run_id))
    again = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=now.run_id),
        reason="chaos",
        workflow_task_finish_event_id=first,
        request_id=uuid.uuid4().hex,  # the same at every try, so that it happens once
    )
    await insist(lambda: client.workflow_service.reset_workflow_execution(again))


async def _first_task(handle: Handle) -> int:
    """The event with which its first workflow task was completed, as soon as there is one."""

    async def search() -> int | None:
        async for event in handle.fetch_history_events():
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                return event.event_id
        return None

    while (found := await insist(search)) is None:
        await asyncio.sleep(0.3)
    return found


async def _approve(handle: Handle, story: Story) -> None:
    """Look again and again for calls that wait, and decide each: once wrongly, twice at once, and once too late."""
    while True:
        await asyncio.sleep(0.5)
        for pending in await _waiting(handle):
            await _decide(handle, story, pending)


async def _waiting(handle: Handle) -> Sequence[PendingApproval]:
    try:
        async with asyncio.timeout(5):
            return (await handle.query("state", result_type=RequestState)).awaiting_approval
    except (TimeoutError, RPCError, WorkflowQueryFailedError):
        return ()


async def _decide(handle: Handle, story: Story, pending: PendingApproval) -> None:
    key, digest = pending.key, pending.digest
    if await _taken(handle, Approve(key=key, digest="0" * 64, by="Mallory")):
        story.problems.append(f"{key}: an approval with another digest was taken")
    verdict = Reject if story.plan.verdict == "reject" else Approve
    both = await asyncio.gather(*(_taken(handle, verdict(key=key, digest=digest, by=by)) for by in ("Ann", "Bob")))
    if not any(both):
        return  # nobody knows; it is looked at again
    late = await _taken(handle, Approve(key=key, digest=digest, by="Late"))
    # After a reset the same call waits again, and may be approved again.
    if sum([*both, late]) > 1 and not story.plan.may_be_reset:
        story.problems.append(f"{key}: it was decided more than once")


async def _taken(handle: Handle, verdict: Approve | Reject) -> bool:
    """Whether it was surely taken; one whose answer is lost may be taken all the same."""
    name = "approve" if isinstance(verdict, Approve) else "reject"
    try:
        async with asyncio.timeout(8):
            await handle.execute_update(name, verdict)  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open
    except (WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError, RPCError):
        if (task := asyncio.current_task()) and task.cancelling():
            raise asyncio.CancelledError from None  # of which the SDK has made an error of its own
        return False
    return True
