"""What a run starts from: nothing yet, or what the run before it knew."""

from datetime import timedelta

from temporalio import workflow

from workflows.contract.api import Request
from workflows.contract.progress import LimitsUsed, Messages, Progress, QueuedMessage
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
    if (carried := request.carried) is not None:
        if info.continued_run_id is None:
            raise bad_request("carried: only the workflow itself may set it")
        return Progress.model_validate(carried)
    said = (QueuedMessage(text=request.text),) if request.call or request.text.strip() else ()
    deadline = workflow.now() + timedelta(seconds=request.limits.seconds)
    return Progress(messages=Messages(waiting=said), spending=LimitsUsed(deadline=deadline))
