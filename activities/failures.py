"""What leaves an activity: results and failures without secrets, all of which can be read, and one log line for every
failure.

An error of the tree leaves as its message and nothing else, because the exceptions behind it may quote anything. Any
other exception is a mistake in code: its stack trace goes along, redacted, for whoever has to mend it.
"""

import asyncio
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import structlog
from pydantic import BaseModel, ValidationError
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client
from temporalio.converter import (
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    FailureConverter,
    PayloadConverter,
)
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.error_text import LONGEST_TRACE, SHORTENED, message_of, name_of, trace_of
from activities.errors import ErrandError, to_application_error
from activities.readable import readable, readable_message
from activities.redaction import SECRETS, redacted
from workflows.contract.internal import ToolCall
from workflows.contract.messages import Input
from workflows.refusals import bad_request, sentence

log = structlog.stdlib.get_logger(__name__)

LARGEST_FAILURE = 4000
"""Bytes. Of an attempt that failed with more, Temporal shows "Failure exceeds size limit." until there is another."""
ADDED_BY_CODEC = 200
"""Bytes for each payload, at most: the id of the key, the nonce, the tag."""
LONGEST_REASON = 300
"""Characters of a failure's message in the log; Temporal has the whole."""


@contextmanager
def translated(detail: Callable[[], Mapping[str, object]] = dict) -> Generator[None]:
    """Errors of the tree leave an activity as Temporal's; `detail` is for the `FailureDetail` that goes along."""
    try:
        yield
    except ErrandError as error:
        told = to_application_error(error, attempt=activity.info().attempt, more=detail())
        raise _failed(told, told.details, error.trace) from None


class ActivityFailed(ApplicationError):
    """A failure as it leaves an activity: redacted, and with nothing behind it."""

    stack_trace = ""
    """Where a mistake was made."""


class Redaction(Interceptor):
    """Redacts what activities return and raise, and logs their failures. It has to be the first interceptor."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Redacting(next)


class _Redacting(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        # Nobody has to unbind them: every activity is a task, with a context of its own.
        structlog.contextvars.bind_contextvars(**_about(input.args))
        try:
            with translated():
                result = await super().execute_activity(input)
                return SECRETS.redact_message(*readable_message(result)) if isinstance(result, BaseModel) else result
        except CancelledError:
            raise
        except ApplicationError as error:
            failed = _expected(error)
        except Exception as error:
            failed = _mistake(error)
        raise failed  # out here, where it gets no context


class RedactedFailures(DefaultFailureConverter):
    """For what fails outside of an activity's own code, in the SDK or in a workflow.

    An `ApplicationError` says all there is to say, so it goes without its stack. JSON that cannot be read at all never
    comes to the workflow, which would refuse it: so it is put into words here.
    """

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        if isinstance(exception, ValidationError) and exception.errors(include_url=False)[0]["type"] == "json_invalid":
            exception = bad_request(sentence(exception, Input))
        super().to_failure(exception, payload_converter, failure)
        match exception:
            case ActivityFailed():
                trace = exception.stack_trace
            case asyncio.CancelledError() | ApplicationError():
                trace = ""
            case _:
                trace = failure.stack_trace
        failure.message, failure.stack_trace = redacted(failure.message), redacted(trace)
        if isinstance(exception, ActivityFailed):
            self._fit(failure, payload_converter)

    def _fit(self, failure: Failure, payload_converter: PayloadConverter) -> None:
        """Cut off what is too much: of the stack trace its outermost lines, and of the message its end."""
        if (over := self._size(failure, payload_converter) - LARGEST_FAILURE) > 0:
            failure.stack_trace = failure.stack_trace.encode()[over:].decode(errors="ignore")
        if (over := self._size(failure, payload_converter) - LARGEST_FAILURE) > 0:
            kept = failure.message.encode()[: -over - len(SHORTENED.encode())]
            failure.message = kept.decode(errors="ignore") + SHORTENED

    def _size(self, failure: Failure, payload_converter: PayloadConverter) -> int:
        return failure.ByteSize()


class EncodedFailures(RedactedFailures):
    """Message and stack trace go where a payload codec encrypts them, as by the SDK's
    `DefaultFailureConverterWithEncodedAttributes`, but only once they are redacted."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        super().to_failure(exception, payload_converter, failure)
        failure.encoded_attributes.CopyFrom(_words_of(failure, payload_converter))
        failure.message, failure.stack_trace = "Encoded failure", ""

    def _size(self, failure: Failure, payload_converter: PayloadConverter) -> int:
        in_clear = len(failure.message.encode()) + len(failure.stack_trace.encode())
        payloads = 1 + len(failure.application_failure_info.details.payloads)
        encoded = _words_of(failure, payload_converter).ByteSize() + payloads * ADDED_BY_CODEC
        return failure.ByteSize() - in_clear + encoded


def _words_of(failure: Failure, payload_converter: PayloadConverter) -> Payload:
    return payload_converter.to_payload({"message": failure.message, "stack_trace": failure.stack_trace})


_REDACTING: Mapping[type[FailureConverter], type[FailureConverter]] = {
    DefaultFailureConverter: RedactedFailures,
    DefaultFailureConverterWithEncodedAttributes: EncodedFailures,
}


def redacting(client: Client) -> Client:
    """The same client, for a worker. A failure converter of somebody's own is kept."""
    config = client.config()
    if wanted := _REDACTING.get(config["data_converter"].failure_converter_class):
        config["data_converter"] = replace(config["data_converter"], failure_converter_class=wanted)
    return Client(**config)


def _about(args: Sequence[object]) -> dict[str, object]:
    """What every log line of an activity says."""
    info = activity.info()
    fields: dict[str, object] = {"request_id": info.workflow_id, "attempt": info.attempt}
    call = args[0] if args else None
    if isinstance(call, ToolCall):
        fields |= {"tool": call.tool, "key": call.key}
    return fields if fields.get("tool") == info.activity_type else {"activity": info.activity_type, **fields}


def _failed(error: ApplicationError, details: Iterable[object], stack_trace: str) -> ActivityFailed:
    failed = ActivityFailed(
        message_of(error),
        *details,
        type=name_of(error) or None,
        non_retryable=error.non_retryable,
        next_retry_delay=error.next_retry_delay,
        category=error.category,
    )
    failed.stack_trace = stack_trace
    return failed


def _expected(error: ApplicationError) -> ActivityFailed:
    details = (SECRETS.redact_value(readable(each)) for each in error.details)
    failed = _failed(error, details, error.stack_trace if isinstance(error, ActivityFailed) else "")
    reason = failed.message[:LONGEST_REASON]
    log.info("activity failed", error=error.type or "ApplicationError", reason=reason, final=error.non_retryable)
    return failed


def _mistake(error: Exception) -> ActivityFailed:
    log.error("activity failed by a mistake in code", error=name_of(error), exception=trace_of(error))
    failed = ActivityFailed(message_of(error), type=name_of(error))
    failed.stack_trace = redacted("".join(traceback.format_tb(error.__traceback__)))[-LONGEST_TRACE:]
    return failed
