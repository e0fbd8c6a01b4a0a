"""Tools run as activities: arguments are held to the schema, errors are translated, results are capped."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.errors import (
    ConfigurationError,
    ErrandError,
    InvalidArguments,
    KeyTaken,
    ModelRefused,
    ModelReplyUnusable,
    ModelUnavailable,
    NotFound,
    NotOpen,
    OutcomeUnknown,
    ReadCrashed,
    ServiceRefused,
    ServiceUnavailable,
    ToolCrashed,
    Unreachable,
    Withdrawn,
)
from activities.execution.tool_activities import read_activity
from activities.failures import ActivityFailed
from activities.toolkit.tool import Tool, tool, tool_of
from workflows.contract.api import ReceiptStatus
from workflows.contract.internal import FailureDetail, ToolCall, ToolResult
from workflows.contract.values import Arguments


def made(function: object) -> Tool:
    found = tool_of(function)
    assert found is not None
    return found


class Report(BaseModel):
    word: str
    pages: tuple[int, ...]


async def run(function: Any, arguments: Arguments, *, attempt: int = 1) -> ToolResult:
    """What the activity of a tool returns."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=attempt)
    found = made(function)
    return await environment.run(read_activity(found, {}), ToolCall(key="r/1.1", tool=found.name, arguments=arguments))


class TestActivity:
    def test_it_has_the_tools_name(self) -> None:
        @tool()
        async def sing(song: str) -> None:
            """Sing."""

        definition = vars(read_activity(made(sing), {}))["__temporal_activity_definition"]
        assert definition.name == "sing"

    async def test_a_result_is_plain_JSON_with_the_number_of_attempts(self) -> None:
        @tool()
        async def look_up(word: str) -> Report:
            """Look up."""
            return Report(word=word, pages=(3, 7))

        result = await run(look_up, {"word": "tree"}, attempt=2)
        assert result == ToolResult(value={"word": "tree", "pages": [3, 7]}, attempts=2)

    async def test_arguments_are_held_to_the_schema_once_more(self) -> None:
        @tool()
        async def look_up(word: str) -> str:
            """Look up."""
            raise AssertionError

        with pytest.raises(ApplicationError, match=r"look_up are not valid: word: ") as raised:
            await run(look_up, {"word": 3})
        assert raised.value.type == "InvalidArguments"
        assert raised.value.non_retryable

    @pytest.mark.parametrize(
        ("error", "retried", "status"),
        [
            (ConfigurationError("x"), False, ReceiptStatus.FAILED),
            (NotOpen("x"), False, ReceiptStatus.FAILED),
            (Unreachable("x"), False, ReceiptStatus.FAILED),
            (InvalidArguments("x"), False, ReceiptStatus.FAILED),
            (NotFound("x"), False, ReceiptStatus.FAILED),
            (ServiceRefused("x"), False, ReceiptStatus.FAILED),
            (ServiceUnavailable("x"), True, ReceiptStatus.FAILED),
            (ToolCrashed("x"), False, ReceiptStatus.FAILED),
            (ReadCrashed("x"), True, ReceiptStatus.FAILED),
            (Withdrawn("x"), False, ReceiptStatus.CANCELLED),
            (KeyTaken("x"), False, ReceiptStatus.REFUSED),
            (OutcomeUnknown("x"), False, ReceiptStatus.UNKNOWN),
            (ModelUnavailable("x"), True, ReceiptStatus.FAILED),
            (ModelReplyUnusable("x"), True, ReceiptStatus.FAILED),
            (ModelRefused("x"), False, ReceiptStatus.FAILED),
        ],
        ids=lambda value: type(value).__name__,
    )
    async def test_an_error_of_the_tree_says_whether_to_retry_and_what_the_receipt_says(
        self, error: ErrandError, retried: bool, status: ReceiptStatus
    ) -> None:
        @tool()
        async def fail() -> None:
            """Fail."""
            raise error

        with pytest.raises(ApplicationError) as raised:
            await run(fail, {}, attempt=4)
        assert raised.value.type == type(error).__name__
        assert raised.value.message == "x"
        assert raised.value.non_retryable is not retried
        assert raised.value.details == (FailureDetail(attempt=4, status=status),)

    async def test_the_pause_that_a_service_asks_for_is_kept(self) -> None:
        @tool()
        async def fail() -> None:
            """Fail."""
            raise ServiceUnavailable("busy", retry_after=timedelta(seconds=7))

        with pytest.raises(ApplicationError) as raised:
            await run(fail, {})
        assert raised.value.next_retry_delay == timedelta(seconds=7)

    async def test_the_cause_of_an_error_stays_out_of_history(self) -> None:
        @tool()
        async def fail() -> None:
            """Fail."""
            try:
                raise ValueError("Bearer hush")
            except ValueError as secret:
                raise ServiceRefused("no") from secret

        with pytest.raises(ApplicationError) as raised:
            await run(fail, {})
        assert raised.value.__cause__ is None

    async def test_a_mistake_in_a_read_is_told_in_one_line_and_tried_again(self) -> None:
        @tool()
        async def fail() -> None:
            """Fail."""
            raise KeyError("a mistake")

        with pytest.raises(ApplicationError) as raised:
            await run(fail, {}, attempt=4)
        assert (raised.value.type, raised.value.message) == ("ReadCrashed", "KeyError: 'a mistake'")
        assert not raised.value.non_retryable
        assert raised.value.details == (FailureDetail(attempt=4, status=ReceiptStatus.FAILED),)
        assert isinstance(raised.value, ActivityFailed)
        assert 'raise KeyError("a mistake")' in raised.value.stack_trace

    @pytest.mark.parametrize(
        ("asked", "kept"),
        [(timedelta.max, timedelta(days=1)), (timedelta.min, timedelta()), (timedelta(7), timedelta(1))],
    )
    async def test_a_pause_that_cannot_be_meant_is_kept_within_bounds(self, asked: timedelta, kept: timedelta) -> None:
        @tool()
        async def fail() -> None:
            """Fail."""
            raise ServiceUnavailable("busy", retry_after=asked)

        with pytest.raises(ApplicationError) as raised:
            await run(fail, {})
        assert raised.value.next_retry_delay == kept

    async def test_an_error_of_the_tree_that_a_tool_has_made_its_own_is_still_one(self) -> None:
        class Closed(ServiceRefused):
            def __init__(self) -> None:
                """Without what the tree's own errors begin with."""

            def __str__(self) -> str:
                raise OSError("no words")

        @tool()
        async def fail() -> None:
            """Fail."""
            raise Closed

        with pytest.raises(ApplicationError) as raised:
            await run(fail, {})
        assert (raised.value.type, raised.value.message) == ("Closed", "(what it says cannot be had)")
        assert raised.value.non_retryable
