"""Whether a process is observed, and how, is for the environment to say."""

import pytest

from activities.errors import ConfigurationError
from deploy.service.observed import OFF
from deploy.service.processes import METRICS_ADDRESS, environment_of
from deploy.service.telemetry import client_telemetry, wants, worker_telemetry

COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


def test_without_a_variable_there_is_nothing() -> None:
    assert client_telemetry({}) is OFF
    assert worker_telemetry(None, {}) is OFF


@pytest.mark.parametrize(
    ("environment", "traces", "metrics"),
    [
        (COLLECTOR, True, True),
        ({**COLLECTOR, "OTEL_METRICS_EXPORTER": "none"}, True, False),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:1"}, False, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True, False),
        ({**COLLECTOR, "OTEL_SDK_DISABLED": "true"}, False, False),
    ],
)
def test_opentelemetrys_variables_say_what_is_sent(environment: dict[str, str], traces: bool, metrics: bool) -> None:
    assert (wants("TRACES", environment), wants("METRICS", environment)) == (traces, metrics)


@pytest.mark.parametrize(
    "environment",
    [{"OTEL_TRACES_EXPORTER": "zipkin"}, {**COLLECTOR, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}],
)
def test_what_is_not_there_is_refused_by_the_variables_name(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"^OTEL_"):
        wants("TRACES", environment)


def test_where_nobody_can_listen_it_is_said_by_the_variables_name() -> None:
    with pytest.raises(ConfigurationError, match="ERRAND_METRICS_ADDRESS: 192"):
        worker_telemetry("192.0.2.1:9464", {})


def test_workers_of_one_machine_have_a_port_each_for_their_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(METRICS_ADDRESS, "127.0.0.1:9464")
    assert [environment_of(number)[METRICS_ADDRESS] for number in range(2)] == ["127.0.0.1:9464", "127.0.0.1:9465"]
