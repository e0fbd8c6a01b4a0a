"""What a request's activities have failed at so far, while Temporal tries them again."""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client

from activities.errors import CannotDecrypt
from deploy.client.payloads import Payloads
from deploy.client.requests import RequestHandle


class Retry(BaseModel):
    """An activity that has failed and is tried again."""

    model_config = ConfigDict(frozen=True)

    activity: str
    failures: int
    reason: str = Field(description="why the latest attempt failed")
    next_at: datetime | None = Field(default=None, description="of the next attempt; none while one runs")

    def __str__(self) -> str:
        times = "once" if self.failures == 1 else f"{self.failures} times"
        when = f"; next at {self.next_at.astimezone():%H:%M:%S}" if self.next_at else ""
        return f"{self.activity} failed {times}, and is tried again{when}: {self.reason}"


async def retries_of(client: Client, handle: RequestHandle) -> list[Retry]:
    """What is tried again now, in no order; nothing of a request that has ended."""
    described = await handle.describe()
    payloads = Payloads(client.data_converter)
    return [
        Retry(
            activity=pending.activity_type.name,
            failures=max(1, pending.attempt - 1),
            reason=await _reason(payloads, pending.last_failure),
            next_at=pending.next_attempt_schedule_time.ToDatetime(tzinfo=UTC)
            if pending.HasField("next_attempt_schedule_time")
            else None,
        )
        for pending in described.raw_description.pending_activities
        if pending.HasField("last_failure")
    ]


async def _reason(payloads: Payloads, failure: Failure) -> str:
    try:
        return await payloads.reason(failure)
    except CannotDecrypt as error:
        return f"why is not known ({error})"
