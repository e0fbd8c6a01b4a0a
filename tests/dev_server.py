"""Temporal dev servers: one that all processes of a run share, each in a namespace of its own, or one for a test."""

import asyncio
import os
import subprocess
import sysconfig
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from activities.errors import ConfigurationError
from activities.temporal import DATA_CONVERTER
from deploy.local.part import end_with_parent
from deploy.local.ports import free_ports
from deploy.service.search_attributes import register_search_attributes

TEMPORAL = str(Path(sysconfig.get_path("scripts"), "temporal"))
CONFIGURED = {
    "history.transferProcessorMaxPollRPS": "10000",
    # Most tests have a task queue of their own, of which each partition costs the server something.
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    "metrics.breakdownByTaskQueue": "false",
    "metrics.breakdownByPartition": "false",
    "metrics.breakdownByBuildID": "false",
    "frontend.enableServerVersionCheck": "false",
    # A whole workflow can be paused, which servers do not allow by default yet.
    "frontend.WorkflowPauseEnabled": "true",
}
# A dev server with one thread and little garbage collection takes a fifth less of the CPU.
SPARING = {"GOMAXPROCS": "1", "GOGC": "off", "GOMEMLIMIT": "1GiB"}
SERVER_ADDRESS = "ERRAND_TESTS_DEV_SERVER"
"""The variable with the address of the one that is shared."""


def configured() -> list[str]:
    return [word for key, value in CONFIGURED.items() for word in ("--dynamic-config-value", f"{key}={value}")]


def be_sparing() -> None:
    """Of every server that this process, and those that it starts, start from now on."""
    for name, value in SPARING.items():
        os.environ.setdefault(name, value)


@asynccontextmanager
async def dev_server(*extra: str) -> AsyncGenerator[WorkflowEnvironment]:
    """A dev server of its own on a free port, with the search attributes of requests."""
    be_sparing()
    async with await WorkflowEnvironment.start_local(  # pyright: ignore[reportUnknownMemberType]  # the SDK leaves it open
        data_converter=DATA_CONVERTER,
        dev_server_existing_path=TEMPORAL,
        dev_server_extra_args=[*configured(), *extra],
        dev_server_log_level="error",
    ) as environment:
        await register_search_attributes(environment.client)
        yield environment


def variables_for(client: Client) -> dict[str, str]:
    """The variables by which a process reaches this client's server and namespace."""
    return {
        "TEMPORAL_ADDRESS": client.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": client.namespace,
    }


@contextmanager
def shared_by(processes: Sequence[str]) -> Generator[subprocess.Popen[bytes]]:
    """A dev server with a namespace for each of these processes; one for all, as an idle one takes 3 % of a core.

    It is started without the SDK, which can crash while a process ends, and so fail a run whose tests have passed.
    """
    [port] = free_ports(1)
    namespaces = [word for process in processes for word in ("--namespace", process)]
    where = ("--headless", "--ip", "127.0.0.1", "--port", str(port), "--log-level", "never")
    command = (TEMPORAL, "server", "start-dev", *where, *configured(), *namespaces)
    # It keeps what all tests have done: after a whole run more than 1 GiB.
    surroundings = SPARING | {"GOMEMLIMIT": "2GiB"} | os.environ
    be_sparing()
    with subprocess.Popen(command, env=surroundings, stdout=subprocess.DEVNULL, preexec_fn=end_with_parent) as server:
        os.environ[SERVER_ADDRESS] = f"127.0.0.1:{port}"
        try:
            yield server
        finally:
            del os.environ[SERVER_ADDRESS]
            server.terminate()


@asynccontextmanager
async def shared_or_own(process: str | None) -> AsyncGenerator[WorkflowEnvironment]:
    """The namespace of this process in the server that is shared, or where there is none, a server of its own."""
    if not (process and (address := os.environ.get(SERVER_ADDRESS))):
        async with dev_server() as environment:
            yield environment
        return
    yield WorkflowEnvironment.from_client(await connected(address, process))


async def connected(address: str, namespace: str) -> Client:
    """Wait until the server answers; a process in place of one that crashed has no namespace there yet."""
    ends = time.monotonic() + 60
    while True:
        try:
            client = await Client.connect(address, namespace=namespace, data_converter=DATA_CONVERTER)
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
            await register_search_attributes(client)  # a new namespace is not known everywhere at once
        except (RuntimeError, RPCError, ConfigurationError) as error:
            if time.monotonic() > ends:
                raise RuntimeError(f"the dev server at {address} does not answer for {namespace}: {error}") from error
            if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
                await make_namespace(address, namespace)
            await asyncio.sleep(0.1)
        else:
            return client


async def make_namespace(address: str, namespace: str) -> None:
    client = await Client.connect(address)
    days = Duration(seconds=86_400)
    ask = RegisterNamespaceRequest(namespace=namespace, workflow_execution_retention_period=days)
    with suppress(RPCError):  # it may be there, and not be known everywhere yet
        await client.workflow_service.register_namespace(ask)
