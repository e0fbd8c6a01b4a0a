"""One trace a request: the SDK's spans of workflows and activities, and within them the model's calls, the tools, and
the stages of what these do.

What a request says is not in it, unless contents are asked for: of a failure, its type.
"""

import json
import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from pydantic import BaseModel
from temporalio import activity
from temporalio.contrib.opentelemetry import OpenTelemetryInterceptor, create_tracer_provider
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.error_text import name_of
from activities.model.endpoint import Endpoint
from activities.redaction import SECRETS, redacted
from activities.stages import OBSERVERS
from deploy.service import genai
from deploy.service.observed import Telemetry
from deploy.service.replies import told_by
from workflows.contract.internal import ToolCall

if TYPE_CHECKING:
    from structlog.typing import EventDict

Attributes = Mapping[str, str | int | Sequence[str]]

SERVICE = "errand"
TRACER = "errand"
WORDS = ("exception.message", "exception.stacktrace")


def tracing(
    *,
    contents: bool = False,
    processor: Callable[[SpanExporter], SpanProcessor] = BatchSpanProcessor,
    exporter: SpanExporter | None = None,
) -> Telemetry:
    """Trace this process from now on; once in its life.

    Args:
        contents: whether spans say what tools are given and return, and what errors say.
        processor: hands spans to the exporter.
        exporter: by default to the collector that OpenTelemetry's variables name.
    """
    resource = Resource({SERVICE_NAME: SERVICE}).merge(OTELResourceDetector().detect())
    provider = create_tracer_provider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(processor(Discreet(exporter or OTLPSpanExporter(), contents=contents)))
    trace.set_tracer_provider(provider)
    OBSERVERS.append(_span_of_stage)
    # Of every workflow that leaves the cache it would log that a context cannot be detached, which harms nothing.
    logging.getLogger("opentelemetry.context").setLevel(logging.CRITICAL)
    return Telemetry(
        client_interceptors=(OpenTelemetryInterceptor(add_temporal_spans=True),),
        interceptors=(ToolSpans(contents=contents),),
        log_processors=(_with_trace,),
        close=provider.shutdown,
    )


class ToolSpans(Interceptor):
    """A span `execute_tool` around each attempt of a tool."""

    def __init__(self, *, contents: bool) -> None:
        self._contents = contents

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _ToolSpan(next, contents=self._contents)


class _ToolSpan(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, *, contents: bool) -> None:
        super().__init__(next)
        self._contents = contents

    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        call = input.args[0] if input.args else None
        if not isinstance(call, ToolCall):
            return await super().execute_activity(input)
        attributes: dict[str, str | int] = {
            genai.OPERATION: genai.EXECUTE_TOOL,
            genai.TOOL_NAME: call.tool,
            genai.TOOL_TYPE: "function",
            genai.TOOL_CALL_ID: call.key,
            genai.CONVERSATION: call.request_id,
        }
        if self._contents:
            attributes[genai.TOOL_ARGUMENTS] = SECRETS.redact_json(json.dumps(call.arguments))
        with _span(f"{genai.EXECUTE_TOOL} {call.tool}", attributes) as span:
            result = await super().execute_activity(input)
            if self._contents and isinstance(result, BaseModel):
                span.set_attribute(genai.TOOL_RESULT, SECRETS.redact_json(result.model_dump_json()))
            return result


@contextmanager
def _span_of_stage(stage: str, args: Sequence[object]) -> Generator[Callable[[object], None]]:
    match args:
        case [Endpoint() as endpoint, *_]:
            name, kind, attributes = f"{genai.CHAT} {endpoint.model}", SpanKind.CLIENT, _asked(endpoint)
        case [_, httpx.Request() as request, *_]:
            # Without its path and query: they may say what a request says.
            host = {genai.SERVER_ADDRESS: request.url.host, "http.request.method": request.method}
            name, kind, attributes = request.method, SpanKind.CLIENT, host
        case _:
            name, kind, attributes = stage, SpanKind.INTERNAL, dict[str, str]()
    with _span(name, attributes, kind) as span:
        yield lambda result: span.set_attributes(_answered(result))


def _asked(endpoint: Endpoint) -> Attributes:
    where = urlsplit(endpoint.url)
    attributes: dict[str, str | int] = {
        genai.OPERATION: genai.CHAT,
        genai.PROVIDER: "openai",
        genai.REQUEST_MODEL: endpoint.model,
        genai.SERVER_ADDRESS: where.hostname or "",
    }
    if where.port:
        attributes[genai.SERVER_PORT] = where.port
    if activity.in_activity() and (request_id := activity.info().workflow_id):
        attributes[genai.CONVERSATION] = request_id
    return attributes


def _answered(result: object) -> Attributes:
    match result:
        case str():
            told = told_by(result)
            said = {
                genai.RESPONSE_ID: told.id,
                genai.RESPONSE_MODEL: told.model,
                genai.FINISH_REASONS: told.finish_reasons,
                genai.INPUT_TOKENS: told.usage.prompt_tokens,
                genai.OUTPUT_TOKENS: told.usage.completion_tokens,
            }
            return {name: value for name, value in said.items() if value}
        case httpx.Response():
            return {"http.response.status_code": result.status_code}
        case _:
            return {}


@contextmanager
def _span(name: str, attributes: Attributes, kind: SpanKind = SpanKind.INTERNAL) -> Generator[Span]:
    """A span whose error is only its type: what it says stands in the activity's own span, redacted."""
    tracer = trace.get_tracer(TRACER)
    with tracer.start_as_current_span(
        name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute(genai.ERROR_TYPE, name_of(error))
            span.set_status(StatusCode.ERROR)
            raise


class Discreet(SpanExporter):
    """Exports spans redacted, and without the words of their errors where these are not asked for."""

    def __init__(self, exporter: SpanExporter, *, contents: bool) -> None:
        self._exporter = exporter
        self._contents = contents

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([self._discreet(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)

    def _discreet(self, span: ReadableSpan) -> ReadableSpan:
        if not span.events and not span.status.description:
            return span
        said = redacted(span.status.description or "")
        return ReadableSpan(
            name=span.name,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=span.attributes,
            events=[self._event(event) for event in span.events],
            links=span.links,
            kind=span.kind,
            status=Status(span.status.status_code, said if self._contents else said.partition(":")[0]),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def _event(self, event: Event) -> Event:
        kept = {
            name: redacted(str(value)) if name in WORDS else value
            for name, value in (event.attributes or {}).items()
            if self._contents or name not in WORDS
        }
        return Event(event.name, kept, event.timestamp)


def _with_trace(_: object, __: str, event: "EventDict") -> "EventDict":
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"], event["span_id"] = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    return event
