"""Starting requests as a caller does: by workflow type and task queue."""

import uuid
from datetime import timedelta

from temporalio.client import Client, WorkflowHandle

from activities.settings import Settings
from workflows.contract import REQUEST_WORKFLOW, Limits, Outcome, Request

PATIENCE = timedelta(seconds=60)


async def start(
    client: Client,
    settings: Settings,
    text: str,
    *,
    approve: tuple[str, ...] = (),
    requester: str = "",
    limits: Limits | None = None,
) -> WorkflowHandle[object, Outcome]:
    return await client.start_workflow(
        REQUEST_WORKFLOW,
        Request(text=text, approve=approve, requester=requester, limits=limits or Limits()),
        id=f"test-{uuid.uuid4().hex[:12]}",
        task_queue=settings.task_queue,
        execution_timeout=PATIENCE,
        result_type=Outcome,
    )


async def ask(
    client: Client,
    settings: Settings,
    text: str,
    *,
    approve: tuple[str, ...] = (),
    requester: str = "",
    limits: Limits | None = None,
) -> Outcome:
    handle = await start(client, settings, text, approve=approve, requester=requester, limits=limits)
    return await handle.result()
