"""Results and failures that neither a worker nor the command line has written."""

import asyncio

import pytest
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import TimeoutType
from temporalio.api.failure.v1 import (
    ApplicationFailureInfo,
    CanceledFailureInfo,
    Failure,
    ServerFailureInfo,
    TerminatedFailureInfo,
    TimeoutFailureInfo,
)
from temporalio.api.workflowservice.v1 import (
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskFailedByIdRequest,
)

from tests.integration.operators.scene import TOOL, Moment, Scene
from tests.integration.requests.asking import Handle
from workflows.contract.api import ReceiptStatus, RequestStatus

pytestmark = pytest.mark.sampled(1)

BINARY = Payload(metadata={"encoding": b"binary/plain"}, data=b"\xff\x00sent")
NULL = Payload(metadata={"encoding": b"binary/null"})
FOREIGN = Payload(metadata={"encoding": b"application/x-somebody-elses"}, data=b"sent")
NO_JSON = Payload(metadata={"encoding": b"json/plain"}, data=b"{sent")

RESULTS = {
    "bytes": [BINARY],
    "nothing": [NULL],
    "an encoding that nobody knows": [FOREIGN],
    "what is no JSON": [NO_JSON],
    "no encoding": [Payload(data=b"sent")],
}
"""One payload each: with none or with two, the SDK's core fails the workflow task before any of our code is asked."""


FAILURES = {
    "binary details": Failure(
        application_failure_info=ApplicationFailureInfo(non_retryable=True, details=Payloads(payloads=[BINARY, NULL]))
    ),
    "an error of the server": Failure(server_failure_info=ServerFailureInfo(non_retryable=True)),
    "a time-out": Failure(
        timeout_failure_info=TimeoutFailureInfo(timeout_type=TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE)
    ),
    "a cancellation": Failure(canceled_failure_info=CanceledFailureInfo()),
    "a termination": Failure(terminated_failure_info=TerminatedFailureInfo()),
}
"""Those that the server does not take for a reason to try again."""


@pytest.mark.parametrize("what", RESULTS)
async def test_after_a_result_that_is_none_the_receipt_says_unknown(scene: Scene, what: str) -> None:
    handle = await scene.begin(Moment.CONNECTING)
    await complete(scene, handle, RESULTS[what])
    await ends(scene, handle, {ReceiptStatus.UNKNOWN})


@pytest.mark.parametrize("what", FAILURES)
async def test_after_a_failure_of_any_kind_the_receipt_says_that_it_did_not_happen(scene: Scene, what: str) -> None:
    handle = await scene.begin(Moment.CONNECTING)
    await fail(scene, handle, FAILURES[what])
    await ends(scene, handle, {ReceiptStatus.FAILED, ReceiptStatus.CANCELLED})


async def ends(scene: Scene, handle: Handle, allowed: set[ReceiptStatus]) -> None:
    await asyncio.sleep(0.5)
    scene.go_on()
    outcome = await scene.outcome(handle)
    assert outcome.status is RequestStatus.COMPLETED
    (receipt,) = outcome.receipts
    assert receipt.status in allowed
    assert receipt.attempts == 1
    assert scene.mail.messages == []


async def fail(scene: Scene, handle: Handle, failure: Failure) -> None:
    await scene.client.workflow_service.respond_activity_task_failed_by_id(
        RespondActivityTaskFailedByIdRequest(
            namespace=scene.client.namespace,
            workflow_id=handle.id,
            activity_id=await activity_id(scene, handle),
            failure=failure,
        )
    )


async def activity_id(scene: Scene, handle: Handle) -> str:
    pending = await scene.pending(handle, TOOL)
    assert pending
    return pending.activity_id


async def complete(scene: Scene, handle: Handle, payloads: list[Payload]) -> None:
    """As another program than the command line may."""
    await scene.client.workflow_service.respond_activity_task_completed_by_id(
        RespondActivityTaskCompletedByIdRequest(
            namespace=scene.client.namespace,
            workflow_id=handle.id,
            activity_id=await activity_id(scene, handle),
            result=Payloads(payloads=payloads),
        )
    )
