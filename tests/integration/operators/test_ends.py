"""A run that an operator ends or removes: what its write came to is known, and a later run does not do it again."""

import asyncio

import pytest
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from tests.integration.operators.scene import Moment, Scene
from tests.integration.operators.verbs import BY_HAND, MATCHING, WORKFLOW
from tests.integration.requests.asking import Handle
from workflows.contract.api import ReceiptStatus

pytestmark = pytest.mark.sampled(1)

RUNNING = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
ENDS = {
    "terminate": f"workflow terminate {WORKFLOW} {BY_HAND}",
    "terminate by a query": f"workflow terminate {MATCHING} {BY_HAND}",
    "delete": f"workflow delete {WORKFLOW} --yes",
    "delete by a query": f"workflow delete {MATCHING} {BY_HAND}",
}


@pytest.mark.parametrize("how", ENDS)
async def test_a_write_that_was_under_way_is_done_in_the_ledger_and_refused_to_a_later_run(
    scene: Scene, how: str
) -> None:
    handle = await scene.begin(Moment.ACTING)
    await end(scene, handle, how)
    await asyncio.sleep(2.6)
    scene.go_on()
    key = f"{handle.id}/1.1"
    assert await scene.ledger_at_rest(handle.id) == [(key, "done")]
    outcome = await scene.outcome(await scene.start(request_id=handle.id))
    said = {(each.status, bool(each.model_dump().get("earlier"))) for each in outcome.receipts}
    assert said == {(ReceiptStatus.DONE, True), (ReceiptStatus.REFUSED, False)}
    assert len(scene.mail.messages) == 1


@pytest.mark.parametrize("moment", [Moment.CONNECTING, Moment.BACKING_OFF], ids=str)
@pytest.mark.parametrize("how", ["terminate", "delete"])
async def test_a_write_that_had_not_begun_is_not_done_any_more_and_left_to_a_later_run(
    scene: Scene, how: str, moment: Moment
) -> None:
    handle = await scene.begin(moment)
    await end(scene, handle, how)
    await asyncio.sleep(1)
    scene.go_on()
    await asyncio.sleep(0.5)
    assert scene.mail.messages == []
    assert not {state for _, state in await scene.ledger_at_rest(handle.id)} & {"done", "unknown"}
    outcome = await scene.outcome(await scene.start(request_id=handle.id))
    assert [each.status for each in outcome.receipts] == [ReceiptStatus.DONE]
    assert len(scene.mail.messages) == 1


async def end(scene: Scene, handle: Handle, how: str) -> None:
    """Come back when the server says that it is over."""
    assert not await scene.operate(ENDS[how], handle)
    async with asyncio.timeout(10):
        while await exists(scene, handle, running=how.startswith("terminate")):
            await asyncio.sleep(0.05)


async def exists(scene: Scene, handle: Handle, *, running: bool) -> bool:
    try:
        status = (await scene.describe(handle)).workflow_execution_info.status
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return status == RUNNING or not running
