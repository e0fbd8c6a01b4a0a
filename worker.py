"""The worker: settings → clients → activities → Worker.

uv run worker.py                  every setting is an environment variable; README.md lists them
uv run worker.py --processes 4    as many workers, each on a core of its own
"""

import argparse
import asyncio
import gc
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

import httpx
import structlog
import uvloop
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner

from activities.bounded_http import BoundedClient
from activities.catalogue import Catalogue
from activities.errors import ConfigurationError, Unreachable
from activities.execution import read_activity, write_activity
from activities.failures import Redaction, redacting
from activities.heartbeats import INTERVAL, Heartbeats
from activities.ledger import Ledger
from activities.ledger_activities import LedgerActivities
from activities.model.answer import Answers, check_schema
from activities.model.decide import Decide
from activities.model.endpoint import Endpoint
from activities.policy import Policy
from activities.redaction import SECRETS, SHORTEST, redacted
from activities.settings import Settings, is_loopback, variable
from activities.smtp_connections import MailConnections
from activities.temporal import connect
from activities.unfinished_acts import GRACE
from deploy.service.logs import configure_logging
from workflows.request import RequestWorkflow
from workflows.timeline import SEARCH_ATTRIBUTES

log = structlog.stdlib.get_logger("errand")

PROVIDED = (httpx.AsyncClient, MailConnections, Settings)
"""What every tool may ask for, beside settings of its own."""


@dataclass(frozen=True)
class Service:
    """What a worker is made of, before it knows any Temporal server."""

    settings: Settings
    catalogue: Catalogue
    policy: Policy
    endpoint: Endpoint

    @classmethod
    def assemble(cls, settings: Settings) -> Self:
        """
        Raises:
            ConfigurationError: a setting is missing or wrong.
        """
        _say_what_is_not_redacted(settings)
        endpoint = Endpoint.from_settings(settings)
        _say_who_is_asked(endpoint)
        catalogue = Catalogue.load(settings)
        for of_tools in catalogue.settings.values():
            SECRETS.add_settings(of_tools)
        _say_what_is_offered(catalogue)
        for tool in catalogue.tools.values():
            tool.check_provided((*PROVIDED, *catalogue.settings))
        return cls(settings, catalogue, Policy.load(settings.policy), endpoint)


@asynccontextmanager
async def build_worker(
    client: Client, service: Service, *, workflow_runner: WorkflowRunner | None = None
) -> AsyncGenerator[Worker]:
    """A worker with its clients, which are closed when the block ends.

    Raises:
        ConfigurationError: a tool asks for what no worker has.
    """
    settings, tools = service.settings, service.catalogue.tools
    answers = Answers(service.endpoint, settings.system_prompt)
    ledger = await Ledger.open(settings.ledger_url)
    log.info("ledger", place=ledger.place, identity=ledger.identity)
    decide = Decide(
        service.endpoint, tools, service.policy, settings.address_book, settings.system_prompt, ledger.identity
    )
    about_writes = LedgerActivities(ledger, tools)
    async with (
        BoundedClient(timeout=20, follow_redirects=False) as http,
        aclosing(MailConnections()) as mail,
        aclosing(service.endpoint),
        aclosing(ledger),
    ):
        common = dict(zip(PROVIDED, (http, mail, settings), strict=True))
        provisions: dict[type, object] = {**common, **service.catalogue.settings}
        reads = [read_activity(tool, provisions) for tool in tools.values() if tool.route.effect == "read"]
        writes = [write_activity(tool, provisions, ledger) for tool in tools.values() if tool.route.effect == "write"]
        yield Worker(
            redacting(client),
            task_queue=settings.task_queue,
            workflows=[RequestWorkflow],
            activities=[
                decide.decide,
                decide.check,
                answers.answer,
                check_schema,
                about_writes.settle,
                about_writes.recall,
                *reads,
                *writes,
            ],
            # The SDK would hash every module that is loaded, which takes longer than all else at the start.
            build_id=_build_id(),
            # Workflows here run no code but the project's own, so the sandbox would only cost time.
            workflow_runner=workflow_runner or UnsandboxedWorkflowRunner(),
            interceptors=[Redaction(), Heartbeats()],
            max_heartbeat_throttle_interval=timedelta(seconds=INTERVAL),
            max_cached_workflows=settings.cached_requests,
            max_concurrent_workflow_tasks=settings.workflow_slots,
            max_concurrent_activities=settings.activity_slots,
            max_concurrent_workflow_task_polls=settings.pollers,
            max_concurrent_activity_task_polls=settings.pollers,
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=settings.sticky_seconds),
            graceful_shutdown_timeout=GRACE,
        )


async def register_search_attributes(client: Client) -> None:
    """Make the namespace know the search attributes that requests carry; those that it knows stay as they are.

    Raises:
        ConfigurationError: they are missing and this client may not add them.
    """
    namespace = client.namespace
    try:
        known = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
        wanted = {key.name: IndexedValueType.ValueType(key.indexed_value_type.value) for key in SEARCH_ATTRIBUTES}
        missing = {name: kind for name, kind in wanted.items() if name not in known.custom_attributes}
        if missing:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace=namespace, search_attributes=missing)
            )
    except RPCError as error:
        if error.status is RPCStatusCode.ALREADY_EXISTS:
            return
        names = ", ".join(f"{key.name} ({key.indexed_value_type.name.title()})" for key in SEARCH_ATTRIBUTES)
        raise ConfigurationError(
            f"TEMPORAL_NAMESPACE: namespace {namespace} does not let this worker register search attributes "
            f"({error.message}); register them yourself: {names}"
        ) from error


def _build_id() -> str:
    """The same for workers of the same sources, for the Temporal UI to tell others from them."""
    here = Path(__file__).parent
    sources = sorted([*here.glob("*.py"), *here.glob("workflows/*.py"), *here.glob("activities/**/*.py")])
    return hashlib.sha256(b"\0".join(each.read_bytes() for each in sources)).hexdigest()[:16]


def _say_what_is_not_redacted(settings: Settings) -> None:
    for field in SECRETS.add_settings(settings):
        log.warning(
            "a secret is too short to be redacted from histories and logs", setting=variable(field), shortest=SHORTEST
        )


def _say_what_is_offered(catalogue: Catalogue) -> None:
    for tool, by in catalogue.replaced.items():
        log.warning(
            "tool replaced", tool=tool.name, defined_at=tool.defined_at, by=by.name, by_defined_at=by.defined_at
        )
    if catalogue.left_out:
        log.info("tools left out", tools=list(catalogue.left_out), setting="ERRAND_OFFER")
    for tool, missing in catalogue.unconfigured.items():
        log.warning("tool not offered: it is not configured", tool=tool, missing=list(missing))
    log.info("tools offered", tools=list(catalogue.tools))


def _say_who_is_asked(endpoint: Endpoint) -> None:
    profile = endpoint.profile
    log.info("model", model=endpoint.model, profile=profile.name, calling=profile.calling.value)
    if endpoint.price is None:
        log.info(
            "no price is known: no request can limit its cost", model=endpoint.model, setting="ERRAND_MODEL_PRICES"
        )


async def serve(service: Service) -> None:
    """Work until SIGTERM or SIGINT; then let running activities finish, for up to 30 s."""
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    client = await connect()
    if service.settings.ledger_url.startswith("sqlite") and not is_loopback(client.service_client.config.target_host):
        log.warning("the ledger is SQLite: only workers on this machine share it", setting="ERRAND_LEDGER_URL")
    async with build_worker(client, service) as worker:
        await register_search_attributes(client)
        async with worker:
            # What was made at the start stays: nobody has to look through it again and again for what is garbage.
            gc.collect()
            gc.freeze()
            log.info("worker ready", task_queue=service.settings.task_queue, namespace=client.namespace)
            await stop.wait()
            log.info("worker stopping: running activities may finish", seconds=GRACE.total_seconds())
    log.info("worker stopped")


def serve_in(processes: int) -> int:
    """Run so many workers, and stop them together: on a signal, or when one of them ends.

    Returns:
        The exit code of the one that ended first.
    """
    workers = [subprocess.Popen([sys.executable, __file__]) for _ in range(processes)]  # noqa: S603  # this very file

    def stop(*_: object) -> None:
        for each in workers:
            each.terminate()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    first, status = os.wait()
    ended = next(each for each in workers if each.pid == first)
    ended.returncode = os.waitstatus_to_exitcode(status)
    stop()
    for each in workers:
        each.wait()
    return ended.returncode if ended.returncode >= 0 else 1


def main() -> int:
    """The exit code: 0 after a signal, 2 where a setting is missing or wrong, 3 where Temporal or the ledger cannot be
    reached, and 1 after a mistake in code."""
    configure_logging()
    try:
        uvloop.run(serve(Service.assemble(Settings.from_environment())))
    except ConfigurationError as error:
        print(redacted(f"error: {error}"), file=sys.stderr)
        return 2
    except (Unreachable, RPCError) as error:
        print(redacted(f"error: {error}"), file=sys.stderr)
        return 3
    except Exception:
        log.exception("the worker ended by a mistake in code")
        return 1
    return 0


def processes_wanted() -> int:
    """What the command line says."""
    options = argparse.ArgumentParser(description="Carry out requests; README.md lists its settings.")
    options.add_argument("--processes", type=int, default=1, metavar="N", help="workers, each in a process of its own")
    return options.parse_args().processes


if __name__ == "__main__":
    processes = processes_wanted()
    code = serve_in(processes) if processes > 1 else main()
    sys.stderr.flush()
    # Not sys.exit: the SDK's own threads sometimes crash an interpreter that takes itself apart.
    os._exit(code)
