"""`take_plan`: the plan of a rehearsal, held to the tools, the policy and the budgets as they are now."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from activities.budgets import Budget
from activities.callbacks.endpoints import NO_ENDPOINTS, Endpoints
from activities.failures import translated
from activities.ledger.ledger import Ledger
from activities.model.call_validation import Proposals
from activities.model.grounding import Heard
from activities.model.wire.wire_calls import RawCall
from activities.policy import Policy
from activities.rehearsal.budget_outlook import outlook
from activities.toolkit.tool import Tool
from workflows.contract.api import REQUEST_WORKFLOW, Outcome
from workflows.contract.internal import ProposedCall
from workflows.contract.plans import Plan, PlannedRead, PlannedWrite
from workflows.contract.rehearsing import TAKE_PLAN, TakenPlan, TakenRead, TakenWrite, WantedPlan
from workflows.contract.values import Arguments, sha256

AS_PLANNED = "no longer as planned"


class Unfit(Exception):
    """The plan cannot be applied."""


class TakenPlans:
    """Asks Temporal for what a rehearsal came to."""

    def __init__(
        self,
        client: Client,
        tools: Mapping[str, Tool],
        policy: Policy,
        ledger: Ledger,
        endpoints: Endpoints = NO_ENDPOINTS,
    ) -> None:
        self._client = client
        self._tools = tools
        self._policy = policy
        self._ledger = ledger
        self._proposals = Proposals(tools, policy)
        self._endpoints = endpoints
        self._budgets: Sequence[Budget] = policy.budget

    @activity.defn(name=TAKE_PLAN)
    async def take_plan(self, wanted: WantedPlan) -> TakenPlan:
        """The writes of a plan as they are to be made, or why none of them is."""
        if problem := self._endpoints.problem_with(wanted.notify, wanted.requester):
            return TakenPlan(problem=f"notify: {problem}")
        with translated():
            try:
                plan = await self._plan(wanted)
                writes = tuple([self._write(each, wanted.requester) for each in plan.writes])
                reads = tuple([self._read(each, wanted.requester) for each in plan.reads])
                await self._check_budgets(plan, wanted.requester)
            except Unfit as unfit:
                return TakenPlan(problem=str(unfit))
        return TakenPlan(
            writes=writes, reads=reads, plan_seconds=self._policy.plan_seconds, ledger=self._ledger.identity
        )

    async def _plan(self, wanted: WantedPlan) -> Plan:
        """The plan of this digest.

        Raises:
            Unfit: there is none, or it cannot be applied.
        """
        request_id = wanted.request_id
        plan = (await self._outcome(request_id)).plan
        if plan is None:
            raise Unfit(f"{request_id} is no rehearsal that has come to a plan")
        if not wanted.digest == plan.digest == plan.content_digest or plan.request_id != request_id:
            raise Unfit(f"the plan of {request_id} is not the one of this digest; look at it before applying it")
        if plan.problem:
            raise Unfit(f"the plan of {request_id} cannot be applied: {plan.problem}")
        if not plan.writes:
            raise Unfit(f"the plan of {request_id} has no write")
        return plan

    async def _outcome(self, request_id: str) -> Outcome:
        handle = self._client.get_workflow_handle(request_id, result_type=Outcome)
        try:
            known = await handle.describe()
            if known.workflow_type != REQUEST_WORKFLOW:
                raise Unfit(f"{request_id} is no request")
            if known.status is WorkflowExecutionStatus.RUNNING:
                raise Unfit(f"{request_id} goes on; its plan is there when it has ended")
            return await handle.result()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            raise Unfit(f"there is no request {request_id}, or Temporal has forgotten it; rehearse again") from error
        except (WorkflowFailureError, ValidationError) as error:
            raise Unfit(f"{request_id} has ended without a plan") from error

    def _write(self, planned: PlannedWrite, requester: str) -> TakenWrite:
        """With what was found out in the rehearsal about where its values are from; the rest is as of today."""
        proposed = self._proposed(planned.tool, planned.arguments, requester, effect="write")
        if sha256([proposed.tool, proposed.arguments]) != planned.digest:
            raise Unfit(f"{AS_PLANNED}: {planned.tool} would be called with other arguments now")
        route = proposed.route and proposed.route.model_copy(
            update={
                "ungrounded": planned.ungrounded,
                "unsupported": planned.unsupported,
                "strangers": planned.strangers,
            }
        )
        call = proposed.model_copy(update={"route": route})
        return TakenWrite(proposed=call, untrusted=planned.untrusted, repeats=planned.repeats)

    def _read(self, planned: PlannedRead, requester: str) -> TakenRead:
        proposed = self._proposed(planned.tool, planned.arguments, requester, effect="read")
        return TakenRead(key=planned.key, proposed=proposed, digest=planned.digest, at=planned.at)

    def _proposed(self, tool: str, arguments: Arguments, requester: str, *, effect: str) -> ProposedCall:
        proposed = self._proposals.propose(RawCall(tool, arguments), requester, Heard(()))
        if proposed.route is None:
            raise Unfit(f"{AS_PLANNED}: {proposed.error or f'{tool} cannot be run'}")
        if proposed.route.ruling == "deny":
            raise Unfit(f"{AS_PLANNED}: the policy forbids {tool} now: {proposed.route.reason}")
        if proposed.route.effect != effect:
            raise Unfit(f"{AS_PLANNED}: {tool} is no {effect} any more")
        return proposed

    async def _check_budgets(self, plan: Plan, requester: str) -> None:
        """Refuse a plan of which a budget would refuse a write; one that has a person asked does so at that write."""
        made = list[tuple[str, Arguments]]()
        for write in plan.writes:
            made.append((write.tool, self._tools[write.tool].validate(write.arguments).used))
            if refused := (await outlook(self._budgets, self._ledger.spending, requester, made)).refused:
                raise Unfit(f"{AS_PLANNED}: {write.tool}: {refused}")
