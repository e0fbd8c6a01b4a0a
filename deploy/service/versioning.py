"""Worker Versioning: a request stays with the version that began it, and a conversation moves on between messages.

A worker takes part where its environment names a deployment and a build, as Temporal's Worker Controller does it.
https://docs.temporal.io/production-deployment/worker-deployments/worker-versioning
"""

import asyncio
import os
from datetime import timedelta

import structlog
from temporalio.api.deployment.v1 import WorkerDeploymentVersion as VersionMessage
from temporalio.api.enums.v1 import TaskQueueType, WorkerDeploymentVersionStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeWorkerDeploymentVersionRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import WorkerDeploymentConfig

from activities.errors import ConfigurationError

log = structlog.stdlib.get_logger("errand")

DEPLOYMENT, BUILD = "TEMPORAL_DEPLOYMENT_NAME", "TEMPORAL_WORKER_BUILD_ID"
PATIENCE = timedelta(seconds=20)
"""Until Temporal knows of a version whose worker has begun to poll."""
LOOK_EVERY = 0.25
WAS_ACTIVE = (
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT,
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING,
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING,
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED,
)


def version_of_environment() -> WorkerDeploymentVersion | None:
    """Which version this worker is; None where it does not take part.

    Raises:
        ConfigurationError: one of the two variables is missing, or the name cannot be one.
    """
    name, build = os.environ.get(DEPLOYMENT), os.environ.get(BUILD)
    if not name and not build:
        return None
    if not name or not build:
        raise ConfigurationError(f"{DEPLOYMENT if build else BUILD}: missing; set it too, or neither")
    if "." in name or ":" in name:
        raise ConfigurationError(f"{DEPLOYMENT}: {name}: Temporal takes no . or : in it")
    return WorkerDeploymentVersion(name, build)


def deployment_config(version: WorkerDeploymentVersion) -> WorkerDeploymentConfig:
    # Here and not at the workflow's definition: there, it would hang the runs of workers that take no part.
    return WorkerDeploymentConfig(
        version=version, use_worker_versioning=True, default_versioning_behavior=VersioningBehavior.PINNED
    )


async def check_current(client: Client, task_queue: str, version: WorkerDeploymentVersion | None) -> None:
    """Refuse to start a worker that would get nothing, because a version is current and this one has none.

    Raises:
        ConfigurationError: it would; the message has the commands that repair it.
    """
    current = await _current(client, task_queue)
    if version is None and current.build_id:
        raise ConfigurationError(
            f"{DEPLOYMENT}, {BUILD}: missing, and a worker without a version gets nothing on the task queue "
            f"{task_queue}, as {current.deployment_name} {current.build_id} is current there. Set both, or end "
            f"versioning: temporal worker deployment set-current-version --deployment-name {current.deployment_name} "
            f"--unversioned --namespace {client.namespace} --yes"
        )
    if version is not None and (current.deployment_name, current.build_id) != (
        version.deployment_name,
        version.build_id,
    ):
        log.warning(
            "this version is not the current one: it gets no new requests until it is",
            current=f"{current.deployment_name} {current.build_id}".strip() or "none",
            command=command_to_promote(version, client.namespace),
        )


async def promote(client: Client, version: WorkerDeploymentVersion) -> None:
    """Make a version current, once Temporal has heard of it; one that has got new requests before stays as it is.

    So a worker of an old version that is started again while the next one takes over does not turn that back.

    Raises:
        ConfigurationError: this client may not, or Temporal does not hear of the version.
    """
    try:
        if await _was_active(client, version):
            log.info("this version had its turn before: it is not promoted by itself", build=version.build_id)
            return
        await client.workflow_service.set_worker_deployment_current_version(
            SetWorkerDeploymentCurrentVersionRequest(
                namespace=client.namespace,
                deployment_name=version.deployment_name,
                build_id=version.build_id,
                identity=client.identity,
            )
        )
    except (RPCError, TimeoutError) as error:
        raise ConfigurationError(
            f"ERRAND_PROMOTE: {version.deployment_name} {version.build_id} cannot be made current ({error}); "
            f"do it yourself: {command_to_promote(version, client.namespace)}"
        ) from error
    log.info("this version is the current one", deployment=version.deployment_name, build=version.build_id)


def command_to_promote(version: WorkerDeploymentVersion, namespace: str) -> str:
    return (
        f"temporal worker deployment set-current-version --deployment-name {version.deployment_name} "
        f"--build-id {version.build_id} --namespace {namespace} --yes"
    )


async def _current(client: Client, task_queue: str) -> VersionMessage:
    """The version that new requests go to; an empty one where they go to workers without."""
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    found = await client.workflow_service.describe_task_queue(asked)
    return found.versioning_info.current_deployment_version


async def _was_active(client: Client, version: WorkerDeploymentVersion) -> bool:
    """Whether it has or had the new requests, or a part of them, as soon as Temporal knows it."""
    asked = DescribeWorkerDeploymentVersionRequest(
        namespace=client.namespace,
        deployment_version=VersionMessage(deployment_name=version.deployment_name, build_id=version.build_id),
    )
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while True:
            try:
                found = await client.workflow_service.describe_worker_deployment_version(asked)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                await asyncio.sleep(LOOK_EVERY)
            else:
                return found.worker_deployment_version_info.status in WAS_ACTIVE
