"""A request that applies a plan: exactly its writes, in their order, and no model is asked.

Everything that could keep a write from running is found before the first one: the plan is held to the tools and the
policy as they are now, one yes is waited for where one is needed, and reads that are too old are made again.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from workflows import receipts
from workflows.activity_results import UnusableResult, execute
from workflows.approvals import Expired, Why
from workflows.calls import Calls, Step
from workflows.consent import approved_in_advance
from workflows.contract.api import Approve, ReceiptStatus, Reject, RequestStatus
from workflows.contract.internal import ProposedCall, Route, ToolCall
from workflows.contract.plans import READS, THE_PLAN, WRITES, Apply
from workflows.contract.rehearsing import TAKE_PLAN, TakenPlan, TakenRead, WantedPlan
from workflows.contract.values import Arguments, sha256
from workflows.limits import Ended
from workflows.timeline import count
from workflows.tool_runs import is_cancelled

EDITED = "a person has edited it, and a plan is made as it stands; rehearse again"
TAKEN_AGAIN = "a plan is taken again after the yes"
PATIENCE_WITH_PLAN = timedelta(minutes=10)


class PlannedCalls(Calls):
    """The calls of a plan."""

    async def apply(self, wanted: Apply) -> RequestStatus:
        """Make the writes of a plan; after one that is not done no further one is made.

        Raises:
            Ended: it is not as planned any more, or somebody said no, and nothing was written; or a limit is reached.
            asyncio.CancelledError: the request is cancelled.
        """
        plan = await self._take(wanted)
        self.write_context.ledger = plan.ledger
        steps = [self._step(WRITES, index, write.proposed) for index, write in enumerate(plan.writes, start=1)]
        self._allowance.turn = WRITES
        self._allowance.check_calls(len(plan.writes) + len(plan.reads))
        approved = await self._approve(wanted, plan, steps)
        await self._read_again(plan)
        return await self._write(approved)

    async def _take(self, wanted: Apply) -> TakenPlan:
        """The plan, held to the tools and the policy of today."""
        try:
            plan = await execute(
                TAKE_PLAN,
                WantedPlan(
                    request_id=wanted.request_id,
                    digest=wanted.digest,
                    requester=self._request.requester,
                    notify=self._request.notify,
                ),
                TakenPlan,
                summary=f"the plan of {wanted.request_id}",
                start_to_close_timeout=timedelta(seconds=30),
                schedule_to_close_timeout=min(PATIENCE_WITH_PLAN, self._allowance.time_left()),
            )
        except UnusableResult as error:
            raise _stopped(str(error)) from error
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from error
            raise _stopped(receipts.reason(error)) from error
        if plan.problem:
            raise _stopped(plan.problem)
        return plan

    async def _approve(self, wanted: Apply, plan: TakenPlan, steps: list[Step]) -> list[Step]:
        """Every call with who said yes to it: the policy, the requester in advance, or a person, once for all."""
        approved, asking = dict[str, str](), list[tuple[Step, str]]()
        for write, step in zip(plan.writes, steps, strict=True):
            route = _route(step)
            self.untrusted = write.untrusted
            if forbidden := self._forbidden(route):
                raise _changed(f"{step.call.tool}: {forbidden}")
            if write.repeats:
                self.acted.add(step.call.content)
            by = None if write.repeats else self._in_advance(step, route)
            if by:
                approved[step.call.key] = by
            else:
                asking.append((step, self._why_ask(step.proposed)))
        if asking:
            person = await self._asked(wanted, steps, asking)
            if workflow.patched(TAKEN_AGAIN):
                await self._take_again(wanted, steps, approved)
            approved |= {step.call.key: person for step, _ in asking}
        return [self._yes(step, step.proposed, approved[step.call.key]) for step in steps]

    async def _take_again(self, wanted: Apply, steps: list[Step], unasked: Mapping[str, str]) -> None:
        """Hold the plan to the tools and the policy once more, as the yes may be a day younger than it.

        Args:
            unasked: the keys of the writes that needed no yes of a person.

        Raises:
            Ended: it could not be made as it is, or not by this yes.
        """
        plan = await self._take(wanted)
        for write, step in zip(plan.writes, steps, strict=True):
            before, now, tool = _route(step), _route_of(write.proposed), step.call.tool
            self.untrusted = write.untrusted
            if forbidden := self._forbidden(now):
                raise _changed(f"{tool}: {forbidden}")
            if step.call.key in unasked:
                if not self._in_advance(step, now):
                    raise _changed(f"{tool} needs a yes now")
            elif (now.four_eyes, now.approval) != (before.four_eyes, before.approval):
                raise _changed(f"who may approve {tool} is not the same any more")

    def _in_advance(self, step: Step, route: Route) -> str | None:
        return approved_in_advance(step.call.tool, route, self._request, untrusted=self.untrusted)

    async def _asked(self, wanted: Apply, steps: list[Step], asking: list[tuple[Step, str]]) -> str:
        """Who says yes to the whole plan.

        Raises:
            Ended: somebody says no, or nobody anything.
        """
        call, proposed = self._as_one_call(wanted, steps, asking)
        verdict = await self._approvals.ask(
            call, proposed, lambda asked: _route_of(asked).reason, self._forbidden, self._patience()
        )
        match verdict:
            case Approve(by=by):
                return by
            case Reject(by=by, reason=why):
                said = f"rejected by {by}{': ' * bool(why)}{why}"
            case Expired(reason=why):
                said = why
        for step in steps:
            self._no(step, ReceiptStatus.REJECTED, said)
        raise Ended(RequestStatus.FAILED, f"The plan was not approved: {said}.")

    async def _decided(self, step: Step, why_ask: Why) -> Step | None:
        """A yes to a write that a budget has a person asked about; not to another one in its place."""
        approved = await super()._decided(step, why_ask)
        if approved and approved.call.content != step.call.content:
            return self._no(step, ReceiptStatus.REJECTED, EDITED)
        return approved

    def _as_one_call(
        self, wanted: Apply, steps: list[Step], asking: list[tuple[Step, str]]
    ) -> tuple[ToolCall, ProposedCall]:
        """The plan as what a person says yes to; its digest is over the plan's own and every write in it."""
        key = f"{self.write_context.request_id}/{THE_PLAN}"
        writes: Arguments = {
            step.call.position: {"tool": step.call.tool, "arguments": step.call.arguments} for step in steps
        }
        arguments: Arguments = {"plan": wanted.request_id, "digest": wanted.digest, "writes": writes}
        routes = [_route(step) for step, _ in asking]
        why = "; ".join(dict.fromkeys(f"{step.call.tool} {step.proposed.about}: {reason}" for step, reason in asking))
        about = f"the plan of {wanted.request_id}: {count(len(steps), 'write')}"
        route = Route(
            effect="write",
            ruling="ask",
            reason=why,
            four_eyes=any(route.four_eyes for route in routes),
            approval=next((route.approval for route in routes if route.approval), None),
        )
        call = ToolCall(key=key, tool="apply", arguments=arguments)
        return call, ProposedCall(tool="apply", arguments=arguments, about=about, route=route)

    async def _read_again(self, plan: TakenPlan) -> None:
        """Make the reads again that the plan rests on and that are older than it may be.

        Raises:
            Ended: one gives something else now.
        """
        for index, read in enumerate(plan.reads, start=1):
            if workflow.now() - read.at > timedelta(seconds=plan.plan_seconds):
                await self._compare(self._step(READS, index, read.proposed), read)

    async def _compare(self, step: Step, read: TakenRead) -> None:
        route, what = _route(step), f"{step.call.tool} ({read.key.rpartition('/')[2]})"
        if route.ruling != "allow" and not self._in_advance(step, route):
            raise _changed(f"{what} needs a yes to be made again")
        await self._run(step, route)
        receipt = self.receipts[step.call.key]
        if receipt.status is not ReceiptStatus.DONE:
            raise _changed(f"{what} cannot be made again: {receipt.error}")
        if sha256(receipt.result) != read.digest:
            raise _changed(f"{what} gives something else now")

    async def _write(self, steps: list[Step]) -> RequestStatus:
        for done, step in enumerate(steps, start=1):
            self._allowance.time_left()
            await self._run(step, _route(step))
            if is_cancelled():
                raise asyncio.CancelledError
            if self.receipts[step.call.key].status is not ReceiptStatus.DONE:
                for left in steps[done:]:
                    why = f"not run: {step.call.position} before it is {self.receipts[step.call.key].status}"
                    self._no(left, ReceiptStatus.CANCELLED, why)
                return RequestStatus.FAILED
        return RequestStatus.COMPLETED


def _route(step: Step) -> Route:
    return _route_of(step.proposed)


def _route_of(proposed: ProposedCall) -> Route:
    """`take_plan` gives no call without one.

    Raises:
        Ended: a person has edited the plan, which is none of the worker's tools.
    """
    if proposed.route is None:
        raise _changed(proposed.error or f"{proposed.tool} cannot be run")
    return proposed.route


def _changed(why: str) -> Ended:
    return _stopped(f"no longer as planned: {why}")


def _stopped(why: str) -> Ended:
    return Ended(RequestStatus.FAILED, f"Nothing was written: {why}{'' if why.endswith(('.', '?')) else '.'}")
