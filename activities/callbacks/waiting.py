"""`still_waiting`: whether a call waits for a person, asked of its request."""

from datetime import timedelta

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus

from activities.callbacks.links import Links
from workflows.contract.api import RequestState
from workflows.contract.approvals import STILL_WAITING, WaitingAnswer, WaitingQuestion

PATIENCE = timedelta(seconds=20)


class WaitingCalls:
    """Asks requests; where none of their workers answers, Temporal has it asked again."""

    def __init__(self, client: Client, links: Links) -> None:
        self._client = client
        self._links = links

    @activity.defn(name=STILL_WAITING)
    async def still_waiting(self, question: WaitingQuestion) -> WaitingAnswer:
        handle = self._client.get_workflow_handle(question.request_id)
        if (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING:
            return WaitingAnswer(waits=False)
        state = await handle.query("state", result_type=RequestState, rpc_timeout=PATIENCE)
        waits = any(each.digest == question.digest for each in state.awaiting_approval)
        return WaitingAnswer(waits=waits, url=self._links.to(question.request_id))
