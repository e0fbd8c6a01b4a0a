"""Tools run as activities: arguments are held to the schema, errors are translated, results are capped."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, JsonValue
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
    ServiceRefused,
    ServiceUnavailable,
    ToolBroke,
    Unreachable,
    Withdrawn,
)
from activities.execution import DEEPEST, RESULT_BYTES, capped, read_activity
from activities.tool import Tool, tool, tool_of
from workflows.contract import Arguments, FailureDetail, ReceiptStatus, ToolCall, ToolResult


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
            (ToolBroke("x"), False, ReceiptStatus.FAILED),
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

    async def test_another_error_is_nobodys_promise_and_passes_as_it_is(self) -> None:
        @tool()
        async def fail() -> None:
            """Fail."""
            raise KeyError("a mistake")

        with pytest.raises(KeyError):
            await run(fail, {})


class TestCapping:
    @pytest.mark.parametrize("value", [None, True, 3, "text", "ä" * (RESULT_BYTES // 2), [1, {"a": None}], {}])
    def test_a_result_that_fits_stays_as_it_is(self, value: JsonValue) -> None:
        assert capped(value) == value

    @pytest.mark.parametrize(
        ("value", "start"),
        [
            ("ä" * RESULT_BYTES, "äääää"),
            ("x" + "😀" * RESULT_BYTES, "x😀😀"),
            ([{"day": day} for day in range(10_000)], '[{"day":0},{"day":1},'),
        ],
    )
    def test_a_longer_one_becomes_the_beginning_of_its_text_and_says_so(self, value: JsonValue, start: str) -> None:
        short = capped(value)
        assert isinstance(short, str)
        assert short.startswith(start)
        assert short.endswith(" bytes]")
        assert len(short.encode()) < RESULT_BYTES + 100

    def test_one_of_many_levels_becomes_its_text(self) -> None:
        value: JsonValue = []
        for _ in range(DEEPEST):
            assert capped(value) == value
            value = [value]
        assert capped({"a": value}) == '{"a":' + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1) + "}"
