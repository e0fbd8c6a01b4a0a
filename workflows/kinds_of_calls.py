"""Which calls a request makes: the model's, those of a rehearsal, or those of a plan."""

from collections.abc import Callable

from workflows.applying import PlannedCalls
from workflows.approvals import Approvals
from workflows.calls import Calls
from workflows.contract.api import Request
from workflows.contract.progress import Progress
from workflows.conversation import Conversation
from workflows.limits import Allowance
from workflows.questions import Questions
from workflows.rehearsal import RehearsedCalls


def calls_of(
    request: Request,
    progress: Progress,
    approvals: Approvals,
    questions: Questions,
    allowance: Allowance,
    changed: Callable[[], None],
    conversation: Conversation,
) -> Calls:
    """Those of a request, with what an earlier run of it has made."""
    if request.rehearse:
        return RehearsedCalls(request, progress, approvals, questions, allowance, changed, conversation)
    kind = PlannedCalls if request.apply else Calls
    return kind(request, progress, approvals, questions, allowance, changed)
