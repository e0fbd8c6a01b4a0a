"""What a worker counts and measures, beside the SDK's own metrics and by the same exporter.

Names are Prometheus's; a collector gets those of the conventions for generative AI as these have them, with dots.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote

from temporalio import workflow
from temporalio.common import MetricGaugeFloat, MetricHistogramFloat, MetricMeter
from temporalio.runtime import OpenTelemetryConfig, PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from activities.budgets import UNITS
from activities.error_text import name_of
from activities.errors import ConfigurationError
from activities.ledger.spending import Standing
from activities.model.endpoint import Endpoint
from activities.stages import OBSERVERS
from deploy.service import genai
from deploy.service.observed import ENDPOINT
from deploy.service.replies import told_by
from workflows.contract.api import REQUEST_WORKFLOW, Outcome, ReceiptStatus, RequestStatus, Usage
from workflows.contract.internal import ToolCall

LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Seconds: the SDK's own boundaries are coarse below one."""
LONG_LATENCY = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0, 604800.0)
"""Seconds, of what may wait for a person."""
SDK_BUCKETS: Mapping[str, Sequence[float]] = {
    **dict.fromkeys(
        (
            "temporal_workflow_task_schedule_to_start_latency",
            "temporal_workflow_task_execution_latency",
            "temporal_workflow_task_replay_latency",
            "temporal_activity_schedule_to_start_latency",
            "temporal_activity_execution_latency",
            "temporal_activity_succeed_endtoend_latency",
            "temporal_request_latency",
        ),
        LATENCY,
    ),
    "temporal_workflow_endtoend_latency": LONG_LATENCY,
    "temporal_long_request_latency": LONG_LATENCY,
}
OWN = (genai.INFERENCE_DURATION, genai.EXECUTE_TOOL_DURATION)
NO_OUTCOME = "none"
"""Of a request that ended without one."""
MICROS = 1_000_000
"""Counters of the SDK take whole numbers."""


@dataclass
class Metrics:
    """Of one process. All have the same labels always, as Prometheus wants it."""

    meter: MetricMeter
    dotted: bool = False
    """Names as the conventions have them."""

    def __post_init__(self) -> None:
        name, meter = self.name, self.meter
        self.requests = meter.create_counter("errand_requests", "Requests that have ended, by outcome")
        self.tool_calls = meter.create_counter("errand_tool_calls", "Tool calls of requests that have ended, by status")
        self.cost = meter.create_counter("errand_model_cost_micros", "Cost of the model in millionths, by the prices")
        self.input_tokens = meter.create_counter(name(genai.INFERENCE_INPUT_TOKENS), "Tokens read", "{token}")
        self.output_tokens = meter.create_counter(name(genai.INFERENCE_OUTPUT_TOKENS), "Tokens written", "{token}")
        self.inference = meter.create_histogram_float(name(genai.INFERENCE_DURATION, "_seconds"), "Model calls", "s")
        self.tools = meter.create_histogram_float(name(genai.EXECUTE_TOOL_DURATION, "_seconds"), "Tools' attempts", "s")
        self.unknown = meter.create_gauge("errand_unknown_writes", "Writes of which nobody knows whether they happened")
        self.unknown_age = self._seconds("errand_unknown_write_oldest_seconds", "Since the oldest of them began")
        self.approvals = meter.create_gauge("errand_approvals_waiting", "Calls that wait for a yes")
        self.approval_age = self._seconds("errand_approval_oldest_seconds", "Since the oldest of them was noticed")
        self.approval_expires = self._seconds("errand_approval_expires_seconds", "Until the next of them expires")
        self.held = meter.create_gauge("errand_writes_held", "Whether writes wait until a restore is settled")
        self.budget_left = meter.create_gauge_float("errand_budget_left", "Of a budget of the policy, in its period")
        self.budget_limit = meter.create_gauge_float("errand_budget_limit", "All of it")
        self.ledger_up = meter.create_gauge("errand_ledger_up", "Whether the ledger can be read")
        for outcome in (*RequestStatus, NO_OUTCOME):
            if outcome is not RequestStatus.RUNNING:
                self.requests.add(0, {"outcome": outcome})

    def name(self, convention: str, unit: str = "") -> str:
        return convention if self.dotted else convention.replace(".", "_") + unit

    def ended(self, outcome: Outcome | None) -> None:
        """A request has ended, perhaps without an outcome."""
        self.requests.add(1, {"outcome": outcome.status if outcome else NO_OUTCOME})
        for receipt in outcome.receipts if outcome else ():
            # Of what is no tool, the model has made up the name.
            tool = "" if receipt.status is ReceiptStatus.INVALID else receipt.tool
            self.tool_calls.add(1, {"tool": tool, "status": receipt.status})

    def budget(self, standing: Standing) -> None:
        """How a budget stands."""
        budget = standing.budget
        labels = {"requester": budget.requester, "tool": budget.tool, "counts": budget.counts, "per": budget.per}
        self.budget_left.set(standing.left / UNITS, labels)
        self.budget_limit.set(budget.limit / UNITS, labels)

    @contextmanager
    def model_call(self, stage: str, args: Sequence[object]) -> Generator[Callable[[object], object]]:
        """Observe a stage, if it is a model's call."""
        endpoint = args[0] if args else None
        if not isinstance(endpoint, Endpoint):
            yield bool
            return
        with self._timed(self.inference, genai.REQUEST_MODEL, endpoint.model):
            yield lambda body: self._used(endpoint, str(body))

    def tool(self, name: str) -> AbstractContextManager[None]:
        """Time an attempt of a tool."""
        return self._timed(self.tools, genai.TOOL_NAME, name)

    def _used(self, endpoint: Endpoint, body: str) -> None:
        used = told_by(body).usage
        labels = {self.name(genai.REQUEST_MODEL): endpoint.model}
        self.input_tokens.add(max(0, used.prompt_tokens), labels)
        self.output_tokens.add(max(0, used.completion_tokens), labels)
        usage = Usage(input_tokens=used.prompt_tokens, output_tokens=used.completion_tokens)
        self.cost.add(max(0, round((endpoint.priced(usage).cost or 0) * MICROS)), labels)

    @contextmanager
    def _timed(self, histogram: MetricHistogramFloat, what: str, which: str) -> Generator[None]:
        began, error = time.monotonic(), ""
        try:
            yield
        except BaseException as raised:
            error = name_of(raised)
            raise
        finally:
            labels = {self.name(what): which, self.name(genai.ERROR_TYPE): error}
            histogram.record(time.monotonic() - began, labels)

    def _seconds(self, name: str, description: str) -> MetricGaugeFloat:
        return self.meter.create_gauge_float(name, description, "s")


class Measuring(Interceptor):
    """Counts requests as they end, and times the attempts of tools."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _MeasuredActivity(next, self._metrics)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        metrics = self._metrics

        class Counted(_CountedWorkflow):
            def count(self, outcome: Outcome | None) -> None:
                metrics.ended(outcome)

        return Counted


class _MeasuredActivity(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, metrics: Metrics) -> None:
        super().__init__(next)
        self._metrics = metrics

    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        call = input.args[0] if input.args else None
        if not isinstance(call, ToolCall):
            return await super().execute_activity(input)
        with self._metrics.tool(call.tool):
            return await super().execute_activity(input)


class _CountedWorkflow(WorkflowInboundInterceptor):
    def count(self, outcome: Outcome | None) -> None:
        raise NotImplementedError

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> object:
        if workflow.info().workflow_type != REQUEST_WORKFLOW:
            return await super().execute_workflow(input)
        try:
            outcome = await super().execute_workflow(input)
        except Exception as error:
            if workflow.is_failure_exception(error) and not workflow.unsafe.is_replaying():
                self.count(None)
            raise
        if not workflow.unsafe.is_replaying():
            self.count(outcome)
        return outcome


def scraped(address: str, environment: Mapping[str, str]) -> tuple[Runtime, Metrics]:
    """Metrics at http://`address`/metrics.

    Raises:
        ConfigurationError: nobody can listen there.
    """
    config = PrometheusConfig(
        bind_address=address,
        counters_total_suffix=True,
        durations_as_seconds=True,
        histogram_bucket_overrides=_buckets(Metrics(MetricMeter.noop)),
    )
    try:
        return _measured(config, environment)
    except (ValueError, RuntimeError) as error:
        raise ConfigurationError(f"ERRAND_METRICS_ADDRESS: {address}: {error}") from error


def pushed(environment: Mapping[str, str]) -> tuple[Runtime, Metrics]:
    """Metrics to the collector that OpenTelemetry's variables name.

    Raises:
        ConfigurationError: they name none that can be used.
    """
    url = environment.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
    everything = environment.get(ENDPOINT) or "http://localhost:4318"
    headers = environment.get("OTEL_EXPORTER_OTLP_METRICS_HEADERS") or environment.get("OTEL_EXPORTER_OTLP_HEADERS")
    config = OpenTelemetryConfig(
        url=url or f"{everything.rstrip('/')}/v1/metrics",
        http=True,
        headers={name: unquote(value) for name, value in _pairs(headers)},
        metric_periodicity=timedelta(milliseconds=_milliseconds(environment)),
        durations_as_seconds=True,
        histogram_bucket_overrides=_buckets(Metrics(MetricMeter.noop, dotted=True)),
    )
    try:
        return _measured(config, environment, dotted=True)
    except (ValueError, RuntimeError) as error:
        raise ConfigurationError(f"{ENDPOINT}: {error}") from error


def _measured(
    config: PrometheusConfig | OpenTelemetryConfig, environment: Mapping[str, str], *, dotted: bool = False
) -> tuple[Runtime, Metrics]:
    service = environment.get("OTEL_SERVICE_NAME") or "errand"
    resource = dict(_pairs(environment.get("OTEL_RESOURCE_ATTRIBUTES")))
    tags = {**resource, "service.name": service} if dotted else {"service_name": service}
    telemetry = TelemetryConfig(metrics=config, attach_service_name=False, global_tags=tags)
    runtime = Runtime(telemetry=telemetry)
    metrics = Metrics(runtime.metric_meter, dotted=dotted)
    OBSERVERS.append(metrics.model_call)
    return runtime, metrics


def _buckets(names: Metrics) -> Mapping[str, Sequence[float]]:
    return {**SDK_BUCKETS} | {names.name(each, "_seconds"): genai.DURATION_BUCKETS for each in OWN}


def _milliseconds(environment: Mapping[str, str]) -> int:
    said = environment.get("OTEL_METRIC_EXPORT_INTERVAL") or "60000"
    if not said.isdecimal() or int(said) == 0:
        raise ConfigurationError(f"OTEL_METRIC_EXPORT_INTERVAL: {said}: expected milliseconds")
    return int(said)


def _pairs(said: str | None) -> Generator[tuple[str, str]]:
    """Of `key=value,key=value`."""
    for each in (said or "").split(","):
        name, is_there, value = each.partition("=")
        if is_there:
            yield name.strip(), value.strip()
