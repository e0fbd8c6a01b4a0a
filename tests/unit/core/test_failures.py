"""What leaves an activity has no secret in it, and nothing behind it that could have one."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.error_text import LONGEST_TRACE, SHORTENED
from activities.errors import ErrandError, NotFound, ReadCrashed, ServiceUnavailable
from activities.failures import LARGEST_FAILURE, EncodedFailures, RedactedFailures, Redaction, redacting
from activities.redaction import REDACTED, SECRETS
from workflows.contract.api import ReceiptStatus, Usage
from workflows.contract.internal import Decision, FailureDetail, ToolResult

SECRET = "hush-hush-failures"


@pytest.fixture(autouse=True)
def known() -> None:
    SECRETS.add(SECRET)


class Own(DefaultFailureConverter):
    """Somebody else's."""


class Runs(ActivityInboundInterceptor):
    def __init__(self, work: Callable[[], Awaitable[object]]) -> None:
        self.work = work

    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        return await self.work()


async def run(work: Callable[[], Awaitable[object]]) -> object:
    """What an activity comes to as its worker tells Temporal."""
    redacting = Redaction().intercept_activity(Runs(work))
    return await ActivityEnvironment().run(redacting.execute_activity, ExecuteActivityInput(work, (), None, {}))


async def failure_of(work: Callable[[], Awaitable[object]]) -> Failure:
    """The same, where it fails, as it stands in history."""
    with pytest.raises(ApplicationError) as raised:
        await run(work)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    failure = Failure()
    RedactedFailures().to_failure(raised.value, pydantic_data_converter.payload_converter, failure)
    assert SECRET not in str(failure)
    return failure


def raising(error: Exception) -> Callable[[], Awaitable[object]]:
    """Work that comes to this error by way of two others."""

    async def work() -> object:
        try:
            raise KeyError(SECRET)
        except KeyError:
            raise error from ValueError(SECRET)

    return work


class TestFailures:
    async def test_an_error_of_the_tree_is_its_message_and_its_detail_and_nothing_else(self) -> None:
        failure = await failure_of(raising(ServiceUnavailable(f"no answer to {SECRET}")))
        assert failure.message == f"no answer to {REDACTED}"
        assert not failure.HasField("cause")
        assert failure.stack_trace == ""
        told = failure.application_failure_info
        assert (told.type, told.non_retryable) == ("ServiceUnavailable", False)
        [detail] = pydantic_data_converter.payload_converter.from_payloads(told.details.payloads, [FailureDetail])
        assert detail == FailureDetail(attempt=1, status=ReceiptStatus.FAILED)

    async def test_a_mistake_in_code_keeps_its_kind_and_where_it_was_made(self) -> None:
        failure = await failure_of(raising(KeyError(SECRET)))
        assert failure.message == f"'{REDACTED}'"
        assert failure.application_failure_info.type == "KeyError"
        assert not failure.HasField("cause")
        assert "raise error from" in failure.stack_trace

    async def test_a_mistake_in_a_tool_shows_where_it_was_made(self) -> None:
        error = ReadCrashed("KeyError: 'word'")
        error.trace = 'File "tool.py", line 3'
        failure = await failure_of(raising(error))
        assert (failure.message, failure.stack_trace) == ("KeyError: 'word'", error.trace)

    async def test_an_error_that_is_Temporals_already_keeps_what_it_says(self) -> None:
        failure = await failure_of(
            raising(ApplicationError(f"no {SECRET}", {"sent": [SECRET]}, type="Mine", non_retryable=True))
        )
        told = failure.application_failure_info
        assert (failure.message, told.type, told.non_retryable) == (f"no {REDACTED}", "Mine", True)
        assert f'{{"sent":["{REDACTED}"]}}'.encode() in told.details.payloads[0].data
        assert failure.stack_trace == ""

    async def test_an_error_that_cannot_be_told_is_told_as_such(self) -> None:
        class Untold(Exception):
            def __str__(self) -> str:
                raise ValueError(SECRET)

        assert (await failure_of(raising(Untold()))).application_failure_info.type == "Untold"
        assert (await failure_of(raising(NotFound("\ud800 lone")))).message == "\N{REPLACEMENT CHARACTER} lone"
        assert (await failure_of(raising(ApplicationError("x", object(), SECRET.encode())))).message == "x"

    async def test_a_deep_stack_leaves_its_end(self) -> None:
        def deeper(levels: int) -> object:
            if levels == 0:
                raise ValueError("at the end")
            return deeper(levels - 1) if levels % 2 else [*map(deeper, [levels - 1])]

        async def work() -> object:
            return deeper(300)

        trace = (await failure_of(work)).stack_trace
        assert len(trace) <= LONGEST_TRACE
        assert 'raise ValueError("at the end")' in trace

    @pytest.mark.parametrize(
        "error",
        [ServiceUnavailable("😀" * 3000), ValueError("😀" * 3000), ApplicationError("\x01" * 9000), ValueError("x")],
    )
    async def test_however_much_there_is_to_say_Temporal_keeps_it(self, error: BaseException) -> None:
        async def work() -> object:
            return await asyncio.create_task(deeper(30))

        async def deeper(levels: int) -> object:
            if levels == 0:
                raise error
            return await (deeper(levels - 1) if levels % 2 else asyncio.create_task(deeper(levels - 1)))

        failure = await failure_of(work)
        assert failure.ByteSize() <= LARGEST_FAILURE
        assert failure.message.startswith(str(error)[:300])
        assert failure.message == str(error) or failure.message.endswith(SHORTENED)

    @pytest.mark.parametrize("error", [CancelledError("cancelled"), asyncio.CancelledError()])
    async def test_a_cancellation_passes_as_it_is(self, error: BaseException) -> None:
        async def work() -> None:
            raise error

        with pytest.raises(type(error)) as raised:
            await run(work)
        assert raised.value is error

    async def test_what_is_returned_is_redacted_too(self) -> None:
        async def work() -> object:
            return ToolResult(value=[SECRET, f"Bearer {SECRET}"], attempts=1)

        assert await run(work) == ToolResult(value=[REDACTED, f"Bearer {REDACTED}"], attempts=1)

    async def test_what_is_returned_can_be_read(self) -> None:
        async def work() -> object:
            return Decision(problem="You wrote: \ud800", usage=Usage(model_calls=1))

        told = Decision(problem="You wrote: \N{REPLACEMENT CHARACTER}", usage=Usage(model_calls=1))
        assert await run(work) == told


class TestConverter:
    def test_what_fails_elsewhere_is_redacted_with_all_that_is_behind_it(self) -> None:
        try:
            try:
                raise ValueError(SECRET)
            except ValueError as behind:
                raise ErrandError(f"before {SECRET}") from behind
        except ErrandError as error:
            failure = Failure()
            RedactedFailures().to_failure(error, pydantic_data_converter.payload_converter, failure)
        assert SECRET not in str(failure)
        assert failure.message == f"before {REDACTED}"
        assert failure.cause.message == REDACTED
        assert failure.stack_trace

    async def test_every_worker_has_it_whatever_its_client_has_unless_that_is_somebodys_own(self) -> None:
        plain = await Client.connect("127.0.0.1:1", lazy=True, data_converter=pydantic_data_converter)
        converter = redacting(plain).data_converter
        assert isinstance(converter.failure_converter, RedactedFailures)
        assert converter.payload_converter_class is pydantic_data_converter.payload_converter_class
        encoding = DataConverter(failure_converter_class=DefaultFailureConverterWithEncodedAttributes)
        told = redacting(await Client.connect("127.0.0.1:1", lazy=True, data_converter=encoding)).data_converter
        assert isinstance(told.failure_converter, EncodedFailures)
        own = DataConverter(failure_converter_class=Own)
        encrypting = await Client.connect("127.0.0.1:1", lazy=True, data_converter=own)
        assert redacting(encrypting).data_converter is own
