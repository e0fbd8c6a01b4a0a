"""Telling one endpoint of one event: a workflow of its own, which outlives the request that it is about."""

from datetime import timedelta

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows.activity_results import execute
from workflows.asking import HEARTBEAT
from workflows.contract.callbacks import CALLBACK_WORKFLOW, DELIVER, Delivered, Delivery

ONE_ATTEMPT = timedelta(minutes=1)
LONGEST = timedelta(days=8)
"""The activity itself gives up before: after three days, unless it is configured otherwise."""


@workflow.defn(name=CALLBACK_WORKFLOW, failure_exception_types=[ValidationError])
class CallbackWorkflow:
    """Fails where the endpoint cannot be told, with the reason."""

    @workflow.run
    async def run(self, delivery: Delivery) -> Delivered:
        return await execute(
            DELIVER,
            delivery,
            Delivered,
            summary=f"{delivery.event.type} to {delivery.endpoint}"[:160],
            start_to_close_timeout=ONE_ATTEMPT,
            schedule_to_close_timeout=LONGEST,
            heartbeat_timeout=HEARTBEAT,
            # Each failure says itself when the next attempt is due; this is for a worker that is gone.
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=5), maximum_interval=timedelta(hours=1)),
        )
