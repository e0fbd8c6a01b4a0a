"""What the doctor makes of Temporal's word on who polls the task queue."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse
from temporalio.client import Client

from activities.settings import Settings
from deploy.client.doctor_temporal import workers
from deploy.client.doubt import Doubt


def whose_workers_polled(ago: Sequence[float]) -> Client:
    """A client of a server that was polled so many seconds ago, by each of its workers."""
    found = DescribeTaskQueueResponse()
    for seconds in ago:
        found.pollers.add().last_access_time.FromDatetime(datetime.now(UTC) - timedelta(seconds=seconds))

    async def describe(_: DescribeTaskQueueRequest) -> DescribeTaskQueueResponse:
        return found

    return cast(
        "Client", SimpleNamespace(namespace="n", workflow_service=SimpleNamespace(describe_task_queue=describe))
    )


async def test_it_says_how_long_ago_the_last_poll_was_as_its_worker_may_be_gone_since() -> None:
    said = await workers(whose_workers_polled([200, 20]), Settings.read(task_queue="q"))
    assert said == "2 polled the task queue q in the last minutes, the last one 20 s ago"


async def test_workers_that_have_not_polled_for_longer_than_a_poll_lasts_are_gone() -> None:
    with pytest.raises(Doubt) as doubt:
        await workers(whose_workers_polled([200, 95]), Settings.read(task_queue="q"))
    assert str(doubt.value) == "none polls the task queue q any more: the last one 95 s ago"
    assert doubt.value.todo == "start one: uv run worker.py"


async def test_a_server_whose_clock_is_ahead_was_polled_just_now() -> None:
    said = await workers(whose_workers_polled([-30]), Settings.read(task_queue="q"))
    assert said.endswith("the last one 0 s ago")
