"""What a worker is made of: settings, clients, activities."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import httpx
import structlog
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner

from activities.callbacks.deliver import Deliveries
from activities.callbacks.endpoints import NO_ENDPOINTS, Endpoints
from activities.callbacks.links import Links
from activities.callbacks.waiting import WaitingCalls
from activities.encryption.hidden_requester import HiddenRequester
from activities.encryption.loading import load_key_ring
from activities.execution.not_offered import not_offered
from activities.execution.tool_activities import read_activity, write_activity
from activities.failures import Redaction, redacting
from activities.heartbeats import INTERVAL, Heartbeats
from activities.http.bounded import BoundedClient
from activities.http.guard import Guard, guarded_client
from activities.http.staged import HttpSender
from activities.http.tls import trusted_roots
from activities.ledger.ledger import Ledger
from activities.ledger.ledger_activities import LedgerActivities
from activities.ledger.watch import LedgerWatch, watched_by_temporal
from activities.model.answer import Answers, check_schema
from activities.model.cost_budgets import CostBudgets
from activities.model.decide import Decide
from activities.model.endpoint import Endpoint
from activities.model.tool_choice import ToolChoice
from activities.policy import Policy
from activities.redaction import SECRETS
from activities.rehearsal.previews import Previews
from activities.rehearsal.taken_plans import TakenPlans
from activities.settings import Settings
from activities.smtp.connections import MailConnections
from activities.toolkit.catalogue import Catalogue
from activities.toolkit.find_tools import search_tool
from activities.toolkit.tool_index import ToolIndex
from deploy.service.announcements import say_what_is_not_redacted, say_what_is_offered, say_who_is_asked
from deploy.service.build_id import build_id
from deploy.service.observed import OFF, Telemetry
from deploy.service.versioning import deployment_config
from workflows.approval_notice import ApprovalNoticeWorkflow
from workflows.callback import CallbackWorkflow
from workflows.ledger_watch import LedgerWatchWorkflow
from workflows.request import RequestWorkflow

log = structlog.stdlib.get_logger("errand")

PROVIDED = (httpx.AsyncClient, MailConnections, HttpSender, Settings, *Settings.groups().values())
"""What every tool may ask for, beside settings of its own."""
CALLBACK_TIMEOUT = 20
"""Seconds for an endpoint's whole answer; Standard Webhooks 1.0.0 asks for 15 to 30."""


@dataclass(frozen=True)
class Service:
    """What a worker is made of, before it knows any Temporal server."""

    settings: Settings
    catalogue: Catalogue
    policy: Policy
    endpoint: Endpoint
    callbacks: Endpoints = NO_ENDPOINTS

    @classmethod
    def assemble(cls, settings: Settings) -> Self:
        """Put the service together from its settings.

        Raises:
            ConfigurationError: a setting is missing or wrong.
        """
        say_what_is_not_redacted(settings)
        endpoint = Endpoint.from_settings(settings.model)
        say_who_is_asked(endpoint)
        catalogue = Catalogue.load(settings)
        for of_tools in catalogue.settings.values():
            SECRETS.add_settings(of_tools)
        say_what_is_offered(catalogue)
        for tool in catalogue.tools.values():
            tool.check_provided((*PROVIDED, *catalogue.settings))
        callbacks = Endpoints.load(settings.notification.callbacks)
        policy = Policy.of_worker(settings, catalogue, [*callbacks.by_name])
        return cls(settings, catalogue, policy, endpoint, callbacks)


@asynccontextmanager
async def build_worker(
    client: Client,
    service: Service,
    *,
    workflow_runner: WorkflowRunner | None = None,
    telemetry: Telemetry = OFF,
    version: WorkerDeploymentVersion | None = None,
    watches_ledger: bool = False,
) -> AsyncGenerator[Worker]:
    """A worker with its clients, which are closed when the block ends.

    Args:
        client: of the Temporal server.
        service: what the worker is made of.
        workflow_runner: by default none that is a sandbox.
        version: where the worker takes part in Worker Versioning.
        watches_ledger: whether it has Temporal remember how far the ledger has come.

    Raises:
        ConfigurationError: a tool asks for what no worker has.
    """
    settings, tools = service.settings, service.catalogue.tools
    grace = timedelta(seconds=settings.worker.grace)
    keys = load_key_ring(settings.encryption.payload_keys)
    ledger = await Ledger.open(settings.ledger.ledger_url, keys=keys, connections=settings.ledger.ledger_connections)
    log.info("ledger", place=ledger.place, identity=ledger.identity)
    costs = CostBudgets(service.policy.budget, ledger.spending)
    answers = Answers(service.endpoint, settings.model.system_prompt, costs)
    index = ToolIndex(tools)
    choice = ToolChoice.where_needed(index, settings.tools.offer_at_most, settings.tools.offer_bytes)
    decide = Decide(
        service.endpoint,
        tools,
        service.policy,
        settings.tools.address_book,
        settings.model.system_prompt,
        ledger.identity,
        choice,
        service.callbacks,
        costs,
    )
    about_writes = LedgerActivities(ledger, tools, settings.tools.ask_again)
    previews = Previews(tools, settings.tools.address_book, service.policy.budget, ledger.spending)
    guard = Guard(private=settings.http.http_private)
    async with (
        BoundedClient(verify=trusted_roots(), timeout=20, follow_redirects=False) as http,
        guarded_client(guard, timeout=settings.http.http_timeout) as for_reads,
        guarded_client(guard, timeout=settings.http.http_timeout, keep_connections=False) as for_writes,
        guarded_client(Guard(ports=None), timeout=CALLBACK_TIMEOUT, keep_connections=False) as to_public,
        guarded_client(Guard(private=True), timeout=CALLBACK_TIMEOUT, keep_connections=False) as to_private,
        aclosing(MailConnections()) as mail,
        aclosing(service.endpoint),
        aclosing(ledger),
        aclosing(LedgerWatch(ledger)) as watch,
        aclosing(service.catalogue.sources),
        telemetry.watching(client, ledger, service.policy.budget),
        watched_by_temporal(client, ledger, settings.worker.task_queue, versioned=version is not None)
        if watches_ledger
        else nullcontext(),
    ):
        given = (http, mail, HttpSender(for_reads, for_writes), settings, *settings.group_objects())
        provisions: dict[type, object] = {
            **dict(zip(PROVIDED, given, strict=True)),
            **service.catalogue.settings,
            ToolIndex: index,
        }
        run = [tool for tool in tools.values() if not tool.route.asks]
        reads = [read_activity(tool, provisions) for tool in run if tool.route.effect == "read"]
        budgets = service.policy.budget
        writes = [
            write_activity(tool, provisions, ledger, grace=grace, budgets=budgets, ask_again=settings.tools.ask_again)
            for tool in run
            if tool.route.effect == "write"
        ]
        links = Links.from_settings(settings, client.namespace)
        deliveries = Deliveries(service.callbacks, links, public=to_public, private=to_private)
        yield Worker(
            redacting(client),
            task_queue=settings.worker.task_queue,
            workflows=[RequestWorkflow, CallbackWorkflow, ApprovalNoticeWorkflow, LedgerWatchWorkflow],
            activities=[
                decide.decide,
                decide.check,
                decide.prepare,
                answers.answer,
                check_schema,
                about_writes.settle,
                about_writes.recall,
                watch.watch,
                previews.preview,
                TakenPlans(client, tools, service.policy, ledger, service.callbacks).take_plan,
                # Also where the model is shown all tools: a request may have begun where it was not.
                read_activity(search_tool(), provisions),
                deliveries.deliver,
                WaitingCalls(client, links).still_waiting,
                *reads,
                *writes,
                not_offered,
            ],
            # The SDK would hash every module that is loaded, which takes longer than all else at the start.
            build_id=None if version else build_id(tools.values(), service.policy),
            deployment_config=deployment_config(version) if version else None,
            # Workflows here run no code but the project's own, so the sandbox would only cost time.
            workflow_runner=workflow_runner or UnsandboxedWorkflowRunner(),
            interceptors=[
                Redaction(),
                Heartbeats(),
                *([HiddenRequester()] if settings.encryption.hides_requester else ()),
                *telemetry.interceptors,
            ],
            max_heartbeat_throttle_interval=timedelta(seconds=INTERVAL),
            max_cached_workflows=settings.worker.cached_requests,
            max_concurrent_workflow_tasks=settings.worker.workflow_slots,
            max_concurrent_activities=settings.worker.activity_slots,
            max_concurrent_workflow_task_polls=settings.worker.pollers,
            max_concurrent_activity_task_polls=settings.worker.pollers,
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=settings.worker.sticky_seconds),
            graceful_shutdown_timeout=grace,
        )
