"""The tools of a worker are found, narrowed to what is configured, and run as activities."""

import dataclasses
import sys
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, JsonValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import weather
from activities.catalogue import RESULT_BYTES, Catalogue, as_activity, capped
from activities.errors import (
    ConfigurationError,
    ErrandError,
    InvalidArguments,
    ModelRefused,
    ModelReplyUnusable,
    ModelUnavailable,
    NotFound,
    OutcomeUnknown,
    ServiceRefused,
    ServiceUnavailable,
)
from activities.settings import Settings
from activities.tool import Tool, tool, tool_of
from workflows.contract import Arguments, FailureDetail, ToolCall, ToolResult


def made(function: object) -> Tool:
    found = tool_of(function)
    assert found is not None
    return found


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module that can be imported as `more_tools`."""
    new = ModuleType("more_tools")
    monkeypatch.setitem(sys.modules, "more_tools", new)
    return new


def settings(**values: Any) -> Settings:
    return Settings.model_validate({"smtp_url": None, "mail_from": None, "stocks_url": None, "policy": None} | values)


class TestLoading:
    def test_the_tools_beside_it_are_found(self) -> None:
        catalogue = Catalogue.load(settings())
        assert catalogue.tools["get_weather"] is made(weather.get_weather)

    def test_a_tool_without_its_settings_is_not_offered_and_says_which_are_missing(self) -> None:
        catalogue = Catalogue.load(settings(mail_from="errand@example.com"))
        assert "send_email" not in catalogue.tools
        assert catalogue.unconfigured["send_email"] == ("ERRAND_SMTP_URL",)

    def test_a_tool_with_its_settings_is_offered(self) -> None:
        catalogue = Catalogue.load(settings(smtp_url="smtp://mail.example.com", mail_from="errand@example.com"))
        assert "send_email" in catalogue.tools
        assert "send_email" not in catalogue.unconfigured

    def test_tools_come_from_named_modules_too(self, module: ModuleType) -> None:
        @tool()
        async def sing(song: str) -> None:
            """Sing."""

        vars(module).update(sing=sing, sing_again=sing, imported=weather.get_weather, other=len)
        catalogue = Catalogue.load(settings(tools=("more_tools", "more_tools")))
        assert catalogue.tools["sing"] is made(sing)
        assert catalogue.tools["get_weather"] is made(weather.get_weather)

    def test_two_tools_of_one_name_are_refused(self, module: ModuleType) -> None:
        @tool()
        async def get_weather(city: str) -> None:
            """Something else."""

        vars(module).update(get_weather=get_weather)
        with pytest.raises(ConfigurationError, match="ERRAND_TOOLS: there are two tools named get_weather"):
            Catalogue.load(settings(tools=("more_tools",)))

    def test_a_tool_cannot_take_the_name_of_the_models_activity(self, module: ModuleType) -> None:
        @tool()
        async def decide(what: str) -> None:
            """Decide."""

        vars(module).update(decide=decide)
        with pytest.raises(ConfigurationError, match=r"ERRAND_TOOLS: .*decide"):
            Catalogue.load(settings(tools=("more_tools",)))

    @pytest.mark.parametrize(
        "name", ["no_such_module", ".relative", "activities.no_such", "tests.unit.core.broken_tools"]
    )
    def test_a_module_that_cannot_be_imported_is_named(self, name: str) -> None:
        with pytest.raises(ConfigurationError, match=f"ERRAND_TOOLS: cannot import {name}: "):
            Catalogue.load(settings(tools=(name,)))


class Report(BaseModel):
    word: str
    pages: tuple[int, ...]


async def run(function: Any, arguments: Arguments, *, attempt: int = 1) -> ToolResult:
    """What the activity of a tool returns."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=attempt)
    found = made(function)
    return await environment.run(as_activity(found, {}), ToolCall(key="r/1.1", tool=found.name, arguments=arguments))


class TestActivity:
    def test_it_has_the_tools_name(self) -> None:
        @tool()
        async def sing(song: str) -> None:
            """Sing."""

        definition = vars(as_activity(made(sing), {}))["__temporal_activity_definition"]
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
        ("error", "retried", "nothing_happened"),
        [
            (ConfigurationError("x"), False, True),
            (InvalidArguments("x"), False, True),
            (NotFound("x"), False, True),
            (ServiceRefused("x"), False, True),
            (ServiceUnavailable("x"), True, True),
            (OutcomeUnknown("x"), False, False),
            (ModelUnavailable("x"), True, True),
            (ModelReplyUnusable("x"), True, True),
            (ModelRefused("x"), False, True),
        ],
        ids=lambda value: type(value).__name__,
    )
    async def test_an_error_of_the_tree_says_whether_to_retry_and_whether_anything_happened(
        self, error: ErrandError, retried: bool, nothing_happened: bool
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
        assert raised.value.details == (FailureDetail(attempt=4, nothing_happened=nothing_happened),)

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
