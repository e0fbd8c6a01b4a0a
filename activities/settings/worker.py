"""How a worker works."""

from pydantic import Field

from activities.settings.environment import Group, Url
from workflows.contract.api import TASK_QUEUE


class QueueSettings(Group):
    """All that a caller has to know of the workers."""

    task_queue: str = Field(default=TASK_QUEUE, description="the queue on which workers and callers meet")


class WorkerSettings(QueueSettings):
    """Its queue, and how much it does at once."""

    cached_requests: int = Field(
        default=500, gt=0, description="requests that a worker keeps in memory while they wait"
    )
    workflow_slots: int = Field(default=100, ge=2, description="steps of requests that a worker decides at once")
    activity_slots: int = Field(default=100, ge=1, description="model calls and tools that it runs at once")
    pollers: int = Field(default=5, ge=2, description="with which it asks Temporal for either")
    sticky_seconds: float = Field(
        default=2, gt=0, description="after which a request's next step goes to another worker if this one is gone"
    )
    grace: float = Field(
        default=30, ge=10, description="seconds that running activities have to finish when the worker is told to stop"
    )
    promote: bool = Field(
        default=False,
        description="whether a new version of a worker makes itself the current one; where a controller does not",
    )
    health_address: str | None = Field(
        default=None, pattern=r"^[^/]+:\d{1,5}$", description="host and port of /livez and /readyz; none without"
    )
    metrics_address: str | None = Field(
        default=None,
        pattern=r"^[^/]+:\d{1,5}$",
        description="host and port of /metrics for Prometheus, of several processes the first; none without",
    )
    ui_url: Url = Field(default="http://127.0.0.1:8233", description="the Temporal UI, for links that people follow")
