"""The plan of a rehearsal on its request's page: what would be written, and the button that has it written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Response
from pydantic import ValidationError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import ErrandError
from activities.model.origins import Source
from activities.policy import Policy
from deploy.client.explanations import Explanation
from deploy.client.keys import Right
from deploy.client.requests import handle_of, request_of
from deploy.web.callers import Caller
from deploy.web.desk.forms import Form, back_to, page_of
from deploy.web.door import AnyCaller, Door, Own, TheDoor, in_time
from deploy.web.plans import Application, applied
from deploy.web.problems import Kind, Problem
from workflows.contract.plans import Plan, PlannedWrite, applied_id
from workflows.refusals import sentence

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class ShownWrite:
    """A write of a plan, with where its arguments came from and the reads that it rests on."""

    planned: PlannedWrite
    sources: Sequence[Source]
    rests_on: Sequence[str]


@dataclass(frozen=True)
class ShownPlan:
    """A plan, and what this caller can do with it."""

    plan: Plan
    writes: Sequence[ShownWrite]
    reads_count_until: datetime | None
    """Applied later, the reads that it rests on are made again first; None where it rests on none, or nobody knows."""
    applied_by: str | None
    """Who has applied it; None where nobody has."""
    sees_application: bool
    why_not: str
    """Why this caller cannot apply it; empty where they can."""
    approves: bool
    """Whether to apply it is also their yes to what needs one."""

    @property
    def applied_id(self) -> str:
        return applied_id(self.plan.request_id)


@router.post("/requests/{request_id}/apply")
async def apply(form: Form, found: Own, caller: AnyCaller, door: TheDoor) -> Response:
    """Apply the plan that was shown. A second click leads to the same request."""
    try:
        application = Application(digest=form.said("digest"), approve="approve" in form)
    except ValidationError as invalid:
        raise Problem(Kind.INVALID, sentence(invalid, Application)) from invalid
    handle, _ = await applied(application, found, caller, door)
    return back_to(page_of(handle.id))


async def shown_plan(door: Door, caller: Caller, plan: Plan, why: Explanation | None, *, own: bool) -> ShownPlan:
    """The plan of a rehearsal, as this caller sees it.

    Args:
        why: the explanation of the rehearsal's calls, where there is one.
        own: whether the caller may have to do with the rehearsal.
    """
    sources = {call.key: call.sources for call in why.calls} if why else {}
    tools = {read.key: read.tool for read in plan.reads}
    by, taken = await _applied_by(door, plan)
    may_not = f"{caller.name} may not do this: it takes the right submit, and with somebody else's request admin"
    return ShownPlan(
        plan,
        [ShownWrite(each, sources.get(each.key, ()), _rests_on(each, tools)) for each in (*plan.writes, *plan.refused)],
        _reads_count_until(door, plan),
        applied_by=by,
        sees_application=by == caller.name or caller.sees_all,
        why_not=plan.problem or taken or ("" if own else may_not),
        approves=caller.may(Right.APPROVE) and any(each.verdict == "needs approval" for each in plan.writes),
    )


def _rests_on(write: PlannedWrite, tools: Mapping[str, str]) -> list[str]:
    return [f"{tools.get(key, 'a read')} ({key.rpartition('/')[2]})" for key in write.depends_on]


async def _applied_by(door: Door, plan: Plan) -> tuple[str | None, str]:
    """Who has applied the plan, if anybody has; and where something else has the id of that request, that it has."""
    application = handle_of(door.client, applied_id(plan.request_id))
    try:
        request = await in_time(request_of(door.client, application))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None, ""
    if request and request.apply and request.apply.digest == plan.digest:
        return request.requester, ""
    return None, f"{application.id} is taken by something else"


def _reads_count_until(door: Door, plan: Plan) -> datetime | None:
    if not plan.reads:
        return None
    try:
        seconds = Policy.load(door.service.tools.policy).plan_seconds
    except ErrandError:
        return None
    return min(read.at for read in plan.reads) + timedelta(seconds=seconds)
