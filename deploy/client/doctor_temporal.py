"""What `client.py doctor` asks Temporal. Each check says what it has found."""

from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import CannotDecrypt, ErrandError, LedgerRestored
from activities.settings import Settings
from deploy.client.actions import ledger_of_the_workers
from deploy.client.doubt import Doubt
from workflows.timeline import SEARCH_ATTRIBUTES

POLLS_WITHIN = timedelta(seconds=70)
"""A poll lasts a minute at most, and another follows; but Temporal goes on telling of who is gone for minutes."""
NOT_SHOWN = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED)


async def namespace(client: Client, _: Settings) -> str:
    """Whether it is there."""
    asked = DescribeNamespaceRequest(namespace=client.namespace)
    found = await client.workflow_service.describe_namespace(asked)
    days = found.config.workflow_execution_retention_ttl.ToTimedelta().days
    return f"{client.namespace} keeps histories for {days} {'day' if days == 1 else 'days'}"


async def search_attributes(client: Client, _: Settings) -> str:
    """Whether the namespace knows those that requests carry.

    Raises:
        Doubt: some are missing, or may be.
    """
    todo = "start a worker, which registers them where it may"
    try:
        asked = ListSearchAttributesRequest(namespace=client.namespace)
        known = await client.operator_service.list_search_attributes(asked)
    except RPCError as error:
        if error.status in NOT_SHOWN:
            raise Doubt(f"they are not shown: {error.message}", todo) from error
        raise
    if missing := [key.name for key in SEARCH_ATTRIBUTES if key.name not in known.custom_attributes]:
        raise Doubt(f"not registered: {', '.join(missing)}", todo)
    return f"{len(SEARCH_ATTRIBUTES)} registered"


async def restores(client: Client, settings: Settings) -> str:
    """Whether Temporal and the ledger are of one time, also where no worker has compared them yet.

    Raises:
        LedgerRestored: one of the two is an older copy.
        Doubt: the ledger cannot be asked, or Temporal's answer not be read.
    """
    # Not before it is needed: SQLAlchemy is large.
    from activities.ledger.watch import mark_in_temporal

    try:
        async with ledger_of_the_workers(settings) as ledger:
            mark = await mark_in_temporal(client, ledger.identity)
            found = await ledger.restores.difference(mark) if mark else None
    except CannotDecrypt as error:
        raise Doubt("not known, as what Temporal knows of the ledger is encrypted", "see keys, below") from error
    except ErrandError as error:
        raise Doubt("not known, as the ledger cannot be asked", "see below") from error
    if found:
        raise LedgerRestored(found[1])
    return f"the ledger has what Temporal knows of it, up to {mark.key}" if mark and mark.key else "nothing to compare"


async def workers(client: Client, settings: Settings) -> str:
    """Whether any polls the task queue, and all that do have the same sources, tools and policy.

    Raises:
        Doubt: none does, or has for longer than a poll lasts; or they are of several kinds.
    """
    queue = settings.worker.task_queue
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    found = await client.workflow_service.describe_task_queue(asked)
    if not found.pollers:
        raise Doubt(f"none polls the task queue {queue}", "start one: uv run worker.py")
    age = max(datetime.now(UTC) - max(each.last_access_time.ToDatetime(UTC) for each in found.pollers), timedelta())
    last = f"the last one {int(age.total_seconds())} s ago"
    if age > POLLS_WITHIN:
        raise Doubt(f"none polls the task queue {queue} any more: {last}", "start one: uv run worker.py")
    said = f"{len(found.pollers)} polled the task queue {queue} in the last minutes, {last}"
    # Versions are meant to differ, and requests keep to theirs.
    unversioned = (each for each in found.pollers if not each.deployment_options.deployment_name)
    kinds = {each.worker_version_capabilities.build_id for each in unversioned}
    if len(kinds) > 1:
        todo = (
            "give all workers one release, ERRAND_TOOLS, ERRAND_SOURCES and ERRAND_POLICY; after a change, wait a while"
        )
        raise Doubt(f"{said}, of {len(kinds)} kinds: other sources, tools or policy", todo)
    return said
