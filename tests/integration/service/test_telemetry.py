"""What a worker that did requests tells the collector, Prometheus and the log; rules and dashboard are held to it."""

import asyncio
import json
import re
import shutil
import socket
import subprocess
import threading
import urllib.request
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio
import structlog
import yaml
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.ledger.ledger import Ledger
from activities.settings import Settings
from activities.settings.environment import PROJECT
from activities.stages import OBSERVERS
from client import submit
from deploy.client.keys import add_key
from deploy.local.sample_services import SampleServices
from deploy.service.assembly import Service, build_worker
from deploy.service.logs import configure_logging
from deploy.service.metrics import Measuring, scraped
from deploy.service.observed import Telemetry
from deploy.service.open_work import OpenWork
from deploy.service.tracing import tracing
from deploy.web.application import application
from deploy.web.settings import WebSettings
from tests.conftest import settings_for
from tests.integration.web.conftest import EVERYTHING, Door, outcome, served, submitted
from tests.logged import Line, lines_of, logged
from tests.sample_tools import world
from tests.scripted_model import Raw, ScriptedModel, call, calls, say
from tests.unit.tools.mailing import Inbox, serving
from workflows.contract.api import Outcome, ReceiptStatus, Request

RULES = PROJECT / "deploy" / "grafana" / "rules.yaml"
DASHBOARD = PROJECT / "deploy" / "grafana" / "dashboard.json"
METRIC = re.compile(r"\b(?:errand|temporal|gen_ai)_\w+(?=[\[{)]|$)")
WAITING = "errand_approvals_waiting"
WORD = "xylophone"
"""Said by the request, its tools and its errors."""


@workflow.defn(sandboxed=False)
class BrokenWorkflow:
    """Whose code has a mistake."""

    @workflow.run
    async def run(self) -> None:
        raise RuntimeError("a mistake in code")


@dataclass
class Seen:
    request_id: str
    outcome: Outcome
    by_the_door: str
    """The id of a request that the door has started, with a mail and a question over HTTP."""
    spans: tuple[ReadableSpan, ...]
    scrape: str
    log: list[Line]


def free_address() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


def scrape_of(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics") as reply:
        return reply.read().decode()


@pytest.fixture(scope="session")
def far_ends() -> Generator[dict[str, object]]:
    """Settings by which a mail server and an HTTP service are found."""
    services = SampleServices(0)
    threading.Thread(target=services.serve_forever, daemon=True).start()
    with serving(Inbox()) as mail:
        rates = f"http://127.0.0.1:{services.server_port}"
        yield {"smtp_url": mail.smtp_url, "mail_from": mail.mail_from, "exchange_rates_url": rates}
    services.shutdown()


async def by_the_door(client: Client, model: ScriptedModel, settings: Settings, folder: Path) -> str:
    """The id of a request that was made over HTTP."""
    text = "Mail the rate of the dollar to ann@example.com"
    model.scripts[text] = [
        calls(call("get_exchange_rate", source="EUR", target="USD")),
        calls(call("send_email", to=["ann@example.com"], subject="Dollar", body="See the rate of the dollar.")),
        say("Sent to ann@example.com."),
    ]
    web = WebSettings(keys=folder / "keys.json", rate_limit=100_000)
    key = add_key(web.keys, "caller", EVERYTHING)
    async with served(application(client, web, settings)) as url:
        caller = Door(url, web.keys).with_key(key)
        async with caller:
            request_id = await submitted(caller, text, approve=["send_email"])
            ended = await outcome(caller, request_id)
    assert [each.status for each in ended.receipts] == [ReceiptStatus.DONE, ReceiptStatus.DONE]
    return request_id


@pytest_asyncio.fixture(scope="session", loop_scope="session")  # as a process is traced once in its life
async def seen(
    client: Client,
    scripted_model: ScriptedModel,
    far_ends: dict[str, object],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Seen]:
    """A request with a read that fails once, a write whose end nobody knows, and a model that is away once."""
    scripted_model.forget()
    address, spans = free_address(), InMemorySpanExporter()
    traced, (runtime, metrics) = tracing(processor=SimpleSpanProcessor, exporter=spans), scraped(address, {})
    telemetry = Telemetry(
        interceptors=(*traced.interceptors, Measuring(metrics)),
        watching=lambda client, ledger, budgets: OpenWork(client, ledger, metrics, budgets).watched(),
    )
    observed = await Client.connect(
        client.service_client.config.target_host,
        namespace=client.namespace,
        data_converter=pydantic_data_converter,
        interceptors=traced.client_interceptors,
        runtime=runtime,
    )
    folder = tmp_path_factory.mktemp("telemetry")
    policy = folder / "policy.toml"
    policy.write_text('[[budget]]\ntool = "send_email"\nmost = 5\nper = "month"\n')
    settings = settings_for(scripted_model, model_prices="scripted=1000/1000", policy=policy, **far_ends)
    queue = settings.worker.task_queue
    world.failures[WORD] = 1
    scripted_model.trouble.append(Raw(500, f"no {WORD}"))
    scripted_model.scripts["Observed"] = [
        calls(call("look_up", word=WORD)),
        calls(call("write_down", word="maybe")),
        say("It is open."),
    ]
    broken = Worker(observed, task_queue=f"{queue}-broken", workflows=[BrokenWorkflow])
    service = Service.assemble(settings)
    runner = UnsandboxedWorkflowRunner()
    with logged() as log:
        configure_logging(log, more=traced.log_processors)
        structlog.configure(cache_logger_on_first_use=False)
        async with (
            build_worker(observed, service, workflow_runner=runner, telemetry=telemetry) as worker,
            worker,
            broken,
        ):
            request = Request(text="Observed", approve=("write_down",))
            handle = await submit(observed, request, task_queue=queue)
            ended = await handle.result()
            asked = await by_the_door(observed, scripted_model, settings, folder)
            scripted_model.scripts["Waits"] = [calls(call("write_down", word="tree")), say("Done.")]
            waits = await submit(observed, Request(text="Waits"), task_queue=queue)
            ledger = await Ledger.open(settings.ledger.ledger_url, create=False)
            open_work = OpenWork(observed, ledger, metrics, service.policy.budget)
            stuck = await observed.start_workflow("BrokenWorkflow", id=f"{queue}-broken", task_queue=f"{queue}-broken")
            async with asyncio.timeout(20):
                while "workflow_task_execution_failed" not in scrape_of(address):
                    await asyncio.sleep(0.1)
                while "errand_approvals_waiting" not in (now := scrape_of(address)) or value_in(now, WAITING) == 0:
                    await open_work.measure()
                    await asyncio.sleep(0.1)
            await stuck.terminate()
            scrape = scrape_of(address)
            await waits.terminate()
    OBSERVERS.clear()
    yield Seen(handle.id, ended, asked, spans.get_finished_spans(), scrape, lines_of(log))


async def test_a_request_is_one_trace_from_the_callers_start_to_the_stages_of_its_tools(seen: Seen) -> None:
    start = next(span for span in seen.spans if span.name == "StartWorkflow:RequestWorkflow")
    assert start.context is not None
    ours = [span for span in seen.spans if span.context and span.context.trace_id == start.context.trace_id]
    names = [span.name for span in ours]
    for name in (
        "RunWorkflow:RequestWorkflow",
        "RunActivity:decide",
        "chat scripted",
        "execute_tool look_up",
        "execute_tool write_down",
        "ledger begin",
        "ledger finish",
    ):
        assert name in names
    assert names.count("RunWorkflow:RequestWorkflow") == 1
    by_id = {span.context.span_id: span.name for span in ours if span.context}
    parents = {span.name: by_id[span.parent.span_id] for span in ours if span.parent}
    assert parents["ledger begin"] == "execute_tool write_down"
    assert parents["execute_tool write_down"] == "RunActivity:write_down"
    assert parents["chat scripted"] == "RunActivity:decide"


@pytest.mark.long
async def test_a_request_that_the_door_starts_is_one_trace_down_to_the_stages_of_mail_and_http(seen: Seen) -> None:
    starts = [span for span in seen.spans if span.name == "StartWorkflow:RequestWorkflow"]
    [start] = [span for span in starts if (span.attributes or {}).get("temporalWorkflowID") == seen.by_the_door]
    assert start.context is not None
    ours = [span for span in seen.spans if span.context and span.context.trace_id == start.context.trace_id]
    by_id = {span.context.span_id: span for span in ours if span.context}

    def above(name: str) -> str:
        [span] = [each for each in ours if each.name == name]
        assert span.parent is not None
        return by_id[span.parent.span_id].name

    assert above("smtp prepare") == above("smtp commit") == above("ledger begin") == "execute_tool send_email"
    assert above("GET") == "execute_tool get_exchange_rate"
    [asked] = [dict(span.attributes or {}) for span in ours if span.name == "GET"]
    assert asked["server.address"] == "127.0.0.1"
    assert asked["http.response.status_code"] == 200
    assert "ann@example.com" not in "".join(span.to_json() for span in ours)


async def test_what_is_left_of_a_budget_is_measured(seen: Seen) -> None:
    labels = 'budget_left{counts="calls",per="month",requester="*",tool="send_email",service_name="errand"}'
    assert f"errand_{labels} 4" in seen.scrape
    assert f"errand_{labels.replace('left', 'limit')} 5" in seen.scrape
    assert value_in(seen.scrape, "errand_writes_held") == 0


async def test_a_models_call_says_what_the_conventions_ask_for(seen: Seen) -> None:
    failed, *good = [dict(span.attributes or {}) for span in seen.spans if span.name == "chat scripted"]
    assert failed["error.type"] == "ModelUnavailable"
    assert good[0]["gen_ai.conversation.id"] == seen.request_id
    assert good[0]["gen_ai.response.finish_reasons"] == ("tool_calls",)
    assert (good[0]["gen_ai.usage.input_tokens"], good[0]["gen_ai.usage.output_tokens"]) == (100, 10)


async def test_spans_and_metrics_do_not_say_what_a_request_says(seen: Seen) -> None:
    spans = " ".join(span.to_json() for span in seen.spans)
    assert "ServiceUnavailable" in spans
    assert WORD not in spans
    assert "the dictionary is closed" not in spans
    assert WORD not in seen.scrape


async def test_metrics_count_requests_tool_calls_tokens_and_cost(seen: Seen) -> None:
    assert [each.status for each in seen.outcome.receipts] == [ReceiptStatus.DONE, ReceiptStatus.UNKNOWN]
    for line in (
        'errand_requests_total{outcome="completed",service_name="errand"} 2',
        'errand_tool_calls_total{status="unknown",tool="write_down",service_name="errand"} 1',
        'gen_ai_client_inference_usage_input_tokens_total{gen_ai_request_model="scripted",service_name="errand"} 700',
        'errand_model_cost_micros_total{gen_ai_request_model="scripted",service_name="errand"} 770000',
        'errand_ledger_up{service_name="errand"} 1',
    ):
        assert line in seen.scrape


async def test_what_waits_for_a_person_is_measured(seen: Seen) -> None:
    assert value_in(seen.scrape, WAITING) >= 1
    assert 0 < value_in(seen.scrape, "errand_approval_expires_seconds") <= 86_400
    assert value_in(seen.scrape, "errand_unknown_writes") == 1
    assert value_in(seen.scrape, "errand_unknown_write_oldest_seconds") > 0


async def test_a_line_of_the_log_names_its_request_and_its_trace(seen: Seen) -> None:
    line = next(line for line in seen.log if line["event"] == "activity failed" and line.get("tool") == "look_up")
    start = next(span for span in seen.spans if span.name == "StartWorkflow:RequestWorkflow")
    assert start.context is not None
    assert line["request_id"] == seen.request_id
    assert line["trace_id"] == f"{start.context.trace_id:032x}"


async def test_every_metric_of_the_rules_is_in_a_scrape(seen: Seen) -> None:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    rules = [rule["expr"] for group in groups for rule in group["rules"]]
    assert len(rules) == 9
    assert missing_in(seen.scrape, rules) == []


async def test_every_metric_of_the_dashboard_is_in_a_scrape(seen: Seen) -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert missing_in(seen.scrape, [target["expr"] for panel in panels for target in panel["targets"]]) == []


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
def test_promtool_takes_the_rules() -> None:
    subprocess.run(["promtool", "check", "rules", str(RULES)], check=True, capture_output=True)


def test_every_rule_has_its_runbook() -> None:
    page = (PROJECT / "docs" / "telemetry.md").read_text(encoding="utf-8")
    rules = cast("list[dict[str, str]]", yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"])
    assert [rule["alert"] for rule in rules if f"\n### {rule['alert']}\n" not in page] == []


def value_in(scrape: str, metric: str) -> float:
    return next(float(line.split()[-1]) for line in scrape.splitlines() if line.startswith(f"{metric}{{"))


def missing_in(scrape: str, expressions: list[str]) -> list[str]:
    there = set(re.findall(r"^(\w+)(?=[{ ])", scrape, re.M))
    named = {name for each in expressions for name in METRIC.findall(re.sub(r"by \([^)]*\)", "", each))}
    assert named
    return sorted(named - there)
