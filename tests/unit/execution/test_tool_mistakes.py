"""Whatever a tool raises leaves it as an error of the tree, in text that Temporal keeps and anybody can read."""

import asyncio
from typing import NoReturn

import pytest
from hypothesis import given
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.error_text import LONGEST_MESSAGE, in_one_line, message_of, trace_of
from activities.errors import NotFound, ReadCrashed, ToolCrashed, to_application_error
from activities.execution.tool_activities import read_activity
from activities.execution.tool_mistakes import mistake, read_mistake
from activities.toolkit.tool import Tool, tool, tool_of
from tests.unit.execution.arbitrary import quick
from tests.unit.execution.strange import strange_errors
from workflows.contract.api import ReceiptStatus
from workflows.contract.internal import ToolCall
from workflows.receipts import detail_of

LOST = "\N{REPLACEMENT CHARACTER}"


async def left(error: BaseException) -> BaseException:
    """What the workflow gets of what a tool that reads has raised, after the journey through Temporal."""

    @tool()
    async def fetch() -> NoReturn:
        """Fetch."""
        raise error

    made = tool_of(fetch)
    assert isinstance(made, Tool)
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(read_activity(made, {}), ToolCall(key="r/1.1", tool="fetch", arguments={}))
    failure, converter = Failure(), pydantic_data_converter
    converter.failure_converter.to_failure(raised.value, converter.payload_converter, failure)
    sent = failure.SerializeToString()
    assert len(sent) < 20_000
    return converter.failure_converter.from_failure(Failure.FromString(sent), converter.payload_converter)


@quick
@given(strange_errors)
def test_whatever_a_tool_raises_the_workflow_can_read_and_knows_for_its_own(error: BaseException) -> None:
    arrived = asyncio.run(left(error))
    assert isinstance(arrived, ApplicationError)
    detail = detail_of(arrived)
    assert detail is not None
    assert detail.status in (ReceiptStatus.FAILED, ReceiptStatus.UNKNOWN)
    assert arrived.__cause__ is None
    assert len(arrived.message) <= LONGEST_MESSAGE


@quick
@given(strange_errors)
def test_a_mistake_is_told_in_one_line_that_can_be_encoded_and_its_trace_is_bounded(error: BaseException) -> None:
    line = in_one_line(error)
    assert len(line.splitlines()) == 1
    assert all(each.isprintable() for each in line if each.isascii())
    assert len(f"{line}{trace_of(error)}".encode()) < 50_000


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("not a number"), "ValueError: not a number"),
        (TimeoutError(), "TimeoutError"),
        (KeyError("word"), "KeyError: 'word'"),
        (SystemExit(3), "SystemExit: 3"),
        (ValueError("two\nlines \x1b[31mred\0 and \ud800"), f"ValueError: two lines {LOST}[31mred{LOST} and {LOST}"),
        (ApplicationError("closed", type="Closed"), "Closed: closed"),
        (ApplicationError("closed"), "closed"),
        (
            ExceptionGroup("both", [OSError("a"), ValueError()]),
            "ExceptionGroup: both (2 sub-exceptions): OSError: a; ValueError",
        ),
    ],
)
def test_it_says_what_it_is_and_what_it_says(error: BaseException, line: str) -> None:
    assert in_one_line(error) == line


def test_a_longer_message_says_that_it_was_shortened_and_a_shorter_one_stays_as_it_is() -> None:
    assert message_of(NotFound("x" * LONGEST_MESSAGE)) == "x" * LONGEST_MESSAGE
    short = message_of(NotFound("x" * 3_000_000))
    assert short.endswith("xxx… [shortened]")
    assert len(short) == LONGEST_MESSAGE
    assert message_of(NotFound(short)) == short


def test_the_trace_tells_where_it_was_raised_and_what_is_behind_it() -> None:
    try:
        try:
            raise KeyError("word")
        except KeyError as missing:
            raise ValueError("no entry") from missing
    except ValueError as error:
        behind, _, trace = trace_of(error).partition("\n\n")
    assert behind.endswith("KeyError: 'word'")
    assert "raise ValueError" in trace
    assert trace.endswith("ValueError: no entry")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("no"), ReadCrashed),
        (ApplicationError("no"), ReadCrashed),
        (ApplicationError("no", non_retryable=True), ToolCrashed),
    ],
)
def test_a_mistake_in_a_read_is_tried_again_unless_it_says_itself_that_this_is_of_no_use(
    error: BaseException, kind: type[ReadCrashed | ToolCrashed]
) -> None:
    found = read_mistake(error)
    assert type(found) is kind
    assert bool(found.trace) is isinstance(error, ValueError)
    assert to_application_error(found, attempt=1).non_retryable is (kind is ToolCrashed)


async def test_a_tool_that_is_being_cancelled_makes_no_mistake() -> None:
    async def cancelled() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as error:
            return mistake(error).line
        return ""

    running = asyncio.ensure_future(cancelled())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert mistake(asyncio.CancelledError()).line == "CancelledError"
