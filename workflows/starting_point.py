"""What a run starts from: nothing yet, or what the run before it knew."""

from datetime import timedelta

from temporalio import workflow

from workflows.contract.api import Request
from workflows.contract.plans import APPLIED, applied_id
from workflows.contract.progress import LimitsUsed, Messages, Progress, QueuedMessage
from workflows.contract.values import is_blank
from workflows.refusals import bad_request, problem_with_id


def starting_point(request: Request) -> Progress:
    """What the run before this one knew; of the first run, what it begins with.

    Raises:
        ApplicationError: a caller wants to have a past made up, or a start that could do things twice.
    """
    info = workflow.info()
    if info.cron_schedule and info.retry_policy:
        why = "a cron start with a retry policy: which time a retry belongs to cannot be told; leave the policy out"
        raise bad_request(why)
    if problem := problem_with_id(info.workflow_id):
        raise bad_request(problem)
    if info.continued_run_id is None and (problem := _problem_with_plan(request, info.workflow_id)):
        raise bad_request(problem)
    if (carried := request.carried) is not None:
        if info.continued_run_id is None:
            raise bad_request("carried: only the workflow itself may set it")
        return Progress.model_validate(carried)
    said = (QueuedMessage(text=request.text),) if request.call or request.apply or not is_blank(request.text) else ()
    deadline = workflow.now() + timedelta(seconds=request.limits.seconds)
    return Progress(messages=Messages(waiting=said), spending=LimitsUsed(deadline=deadline))


def _problem_with_plan(request: Request, request_id: str) -> str | None:
    """Why a plan cannot be made or applied under this id."""
    if request.apply and request_id != (wanted := applied_id(request.apply.request_id)):
        return f"apply: a plan is applied once, so the id of the request that applies it is {wanted}"
    if not request.apply and request_id.endswith(APPLIED):
        return f"the request id: ids that end in {APPLIED} are those of requests that apply a plan; use another"
    if request.rehearse and problem_with_id(applied_id(request_id)):
        return "rehearse: the request id is too long: behind it comes .apply, for the request that applies the plan"
    return None
