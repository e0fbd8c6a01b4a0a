"""Traces and metrics of a process, as the environment asks for them; without, nothing is loaded and nothing is done.

OTEL_EXPORTER_OTLP_ENDPOINT (and OpenTelemetry's other variables) sends both to a collector; ERRAND_METRICS_ADDRESS has
Prometheus scrape the metrics instead.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import os
from collections.abc import Mapping

from activities.errors import ConfigurationError
from deploy.service.observed import ENDPOINT, OFF, Telemetry

MISSING = "the extra `telemetry` is not installed: uv sync --extra telemetry"
HTTP = "http/protobuf"
EXPORTERS = ("otlp", "none")


def client_telemetry(environment: Mapping[str, str] = os.environ) -> Telemetry:
    """Of a process that only starts and follows requests: its traces.

    Raises:
        ConfigurationError: a variable is wrong, or the extra is missing.
    """
    if not wants("TRACES", environment):
        return OFF
    try:
        from deploy.service.tracing import tracing
    except ImportError as error:
        raise ConfigurationError(f"{ENDPOINT}: {MISSING}") from error
    return tracing(contents=wants_contents(environment))


def worker_telemetry(metrics_address: str | None, environment: Mapping[str, str] = os.environ) -> Telemetry:
    """Of a worker: its traces, and the metrics of Errand and the SDK.

    Args:
        metrics_address: where Prometheus scrapes; without, metrics go to the collector, if there is one.
        environment: with OpenTelemetry's variables.

    Raises:
        ConfigurationError: a variable is wrong, the extra is missing, or nobody can listen at the address.
    """
    traced = client_telemetry(environment)
    if metrics_address is None and not wants("METRICS", environment):
        return traced
    from deploy.service.metrics import Measuring, pushed, scraped
    from deploy.service.open_work import OpenWork

    runtime, metrics = pushed(environment) if metrics_address is None else scraped(metrics_address, environment)
    return Telemetry(
        runtime=runtime,
        client_interceptors=traced.client_interceptors,
        interceptors=(*traced.interceptors, Measuring(metrics)),
        log_processors=traced.log_processors,
        watching=lambda client, ledger, budgets: OpenWork(client, ledger, metrics, budgets).watched(),
        close=traced.close,
    )


def wants(signal: str, environment: Mapping[str, str]) -> bool:
    """Whether TRACES or METRICS are to be sent to a collector.

    Raises:
        ConfigurationError: by an exporter or a protocol that is not there.
    """
    if environment.get("OTEL_SDK_DISABLED", "").casefold() == "true":
        return False
    exporter = environment.get(f"OTEL_{signal}_EXPORTER", "")
    if exporter and exporter not in EXPORTERS:
        raise ConfigurationError(f"OTEL_{signal}_EXPORTER: {exporter}: only {' and '.join(EXPORTERS)} are there")
    wanted = exporter == "otlp" or any(environment.get(each) for each in (ENDPOINT, f"{_otlp(signal)}_ENDPOINT"))
    if not wanted or exporter == "none":
        return False
    protocol = environment.get(f"{_otlp(signal)}_PROTOCOL") or environment.get("OTEL_EXPORTER_OTLP_PROTOCOL") or HTTP
    if protocol != HTTP:
        raise ConfigurationError(f"OTEL_EXPORTER_OTLP_PROTOCOL: {protocol}: only {HTTP} is there")
    return True


def wants_contents(environment: Mapping[str, str]) -> bool:
    from deploy.service.genai import CAPTURE_CONTENT

    return environment.get(CAPTURE_CONTENT, "").casefold() == "true"


def _otlp(signal: str) -> str:
    return f"OTEL_EXPORTER_OTLP_{signal}"
