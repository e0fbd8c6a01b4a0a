"""A function's signature and docstring are what the model is offered and held to."""

import re
from collections.abc import Awaitable, Callable
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal, Optional, cast

import pytest
from pydantic import BaseModel, Field, JsonValue

from activities.errors import ConfigurationError, InvalidArguments
from activities.execution.act import Act
from activities.toolkit.tool import Tool, tool, tool_of
from workflows.contract.internal import Route, ToolCall
from workflows.contract.values import Arguments


class Place(BaseModel):
    city: str
    title: str = "home"


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class Clock:
    """Something that a worker gives."""


@tool(about="{city} for {days}", timeout=5, total_timeout=50, attempts=3)
async def forecast(
    city: Annotated[str, Field(min_length=1)],
    days: int = 3,
    scale: float = 1.0,
    unit: Literal["celsius", "fahrenheit"] = "celsius",
    tags: list[str] = [],  # noqa: B006  # pydantic copies it for each call
    place: Place | None = None,
    since: Optional[date] = None,  # noqa: UP045  # both spellings are meant to work
    stars: Literal[1, 2] = 1,
    indoors: bool = False,
    *,
    clock: Clock,
) -> dict[str, Any]:
    """Get the forecast for a city.

    Day by day.

    Args:
        city: Name of the city, for example "Paris".
        days: How many days.
        clock: Is not the model's business.

    Raises:
        NotFound: nor is this.
    """
    return {"city": city, "days": days, "tags": tags, "place": place, "since": since, "clock": clock}


def made(function: object) -> Tool:
    found = tool_of(function)
    assert found is not None
    return found


FORECAST = made(forecast)
CALL = ToolCall(key="r/1.1", tool="forecast", arguments={})


class TestSchema:
    def test_the_description_is_the_docstring_without_its_sections(self) -> None:
        assert FORECAST.description == "Get the forecast for a city.\n\nDay by day."

    def test_parameters_have_types_descriptions_and_defaults(self) -> None:
        schema = cast(dict[str, Any], FORECAST.schema())
        properties = schema["properties"]
        assert properties["city"] == {
            "type": "string",
            "minLength": 1,
            "description": 'Name of the city, for example "Paris".',
        }
        assert properties["days"] == {"type": "integer", "default": 3, "description": "How many days."}
        assert properties["scale"] == {"type": "number", "default": 1.0}
        assert properties["unit"] == {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"}
        assert properties["tags"] == {"type": "array", "items": {"type": "string"}, "default": []}
        assert properties["place"] == {"anyOf": [{"$ref": "#/$defs/Place"}, {"type": "null"}], "default": None}
        assert schema["$defs"]["Place"] == {
            "type": "object",
            "properties": {"city": {"type": "string"}, "title": {"type": "string", "default": "home"}},
            "required": ["city"],
            "additionalProperties": False,
        }
        assert properties["since"]["anyOf"] == [{"type": "string", "format": "date"}, {"type": "null"}]

    def test_only_parameters_without_a_default_are_required(self) -> None:
        assert FORECAST.schema()["required"] == ["city"]

    def test_what_the_worker_gives_is_not_in_it(self) -> None:
        schema = cast(dict[str, Any], FORECAST.schema())
        assert "clock" not in schema["properties"]
        assert schema["additionalProperties"] is False

    def test_it_has_no_made_up_titles_and_keeps_an_argument_of_that_name(self) -> None:
        @tool()
        async def show(title: str) -> None:
            """Show."""

        assert made(show).schema() == {
            "type": "object",
            "properties": {"title": {"type": "string"}},
            "required": ["title"],
            "additionalProperties": False,
        }

    def test_a_tool_without_parameters_takes_an_empty_object(self) -> None:
        @tool()
        async def now() -> None:
            """Say what time it is."""

        assert made(now).schema()["properties"] == {}
        made(now).validate({})

    @pytest.mark.parametrize(
        "name",
        ["json", "copy", "schema", "self", "model_config", "model_dump", "model_fields", "_a", "__a", "argument_0"],
    )
    @pytest.mark.filterwarnings("error::UserWarning")
    def test_an_argument_may_have_a_name_that_pydantic_uses(self, name: str) -> None:
        code: dict[str, Any] = {"tool": tool}
        exec(f"@tool()\nasync def f({name}: str) -> str: return {name}", code)
        found = made(code["f"])
        assert found.validate({name: "x"}).given == {name: "x"}


class TestMarking:
    def test_the_route_is_what_was_said(self) -> None:
        assert FORECAST.route == Route(effect="read", start_to_close=5, schedule_to_close=50, attempts=3)

    def test_a_write_is_attempted_as_often_as_was_said(self) -> None:
        @tool(effect="write", attempts=7)
        async def pay(amount: float) -> None:
            """Pay."""

        assert made(pay).route.attempts == 7

    def test_an_idempotent_write_is_asked_again_only_as_it_was_asked(self) -> None:
        async def pay(amount: float) -> None:
            """Pay."""

        never = made(tool(effect="write", far_end="https://pay.example.com")(pay))
        here = made(tool(effect="write", idempotent=True)(pay))
        there = made(tool(effect="write", idempotent=True, far_end="https://pay.example.com")(pay))
        assert (never.repeated_as, len(here.repeated_as), len(there.repeated_as)) == ("", 16, 16)
        assert here.repeated_as != there.repeated_as

    def test_the_function_stays_what_it_was(self) -> None:
        assert forecast.__name__ == "forecast"
        assert callable(forecast)

    @pytest.mark.parametrize("thing", [None, 3, "tool", len, Clock])
    def test_what_was_not_marked_is_no_tool(self, thing: object) -> None:
        assert tool_of(thing) is None

    @pytest.mark.parametrize(
        "parameters", ["city", "city: str, /", "*cities: str", "**cities: str"], ids=lambda text: text
    )
    def test_a_parameter_that_no_model_could_fill_in_is_refused_at_once(self, parameters: str) -> None:
        with pytest.raises(ConfigurationError, match=r"tool f \(<string>:1\): parameter cit"):
            exec(f"@tool()\nasync def f({parameters}): ...", {"tool": tool})

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"grounded": ("too",)}, "grounded names too, which is no argument; its arguments are to, day"),
            ({"grounded": "to"}, 'grounded is a tuple: ("to",)'),
            ({"confirmed": {"to": "accepted"}}, "confirmed names arguments that are not grounded: to"),
            ({"needs": "smtp_url"}, 'needs is a tuple: ("smtp_url",)'),
            ({"claim_verbs": "sent"}, 'claim_verbs is a tuple: ("sent",)'),
            ({"effect": "writes"}, "effect: Input should be 'read' or 'write', not 'writes'"),
            (
                {"timeout": "soon"},
                "timeout: Input should be a valid number, unable to parse string as a number, not 'soon'",
            ),
            ({"timeout": 0}, "attempts is at least 1, timeout more than 0, and total_timeout no less than timeout"),
            (
                {"total_timeout": 3},
                "attempts is at least 1, timeout more than 0, and total_timeout no less than timeout",
            ),
            (
                {"efect": "write"},
                "there is no option efect; the options are effect, about, timeout, total_timeout, attempts, needs, "
                "grounded, untrusted, idempotent, far_end, claim_verbs, confirmed, same_as, preview, asks, "
                "self_evident, fill, replaces",
            ),
            ({"asks": "what"}, "asks names what, which is no argument; its arguments are to, day"),
            ({"asks": "to", "effect": "write"}, "a question is a read: nothing happens before its answer"),
            ({"attempts": 0}, "attempts is at least 1, timeout more than 0, and total_timeout no less than timeout"),
            ({"about": "to {cty}"}, "about names {cty}, which is no argument; its arguments are to, day"),
            ({"about": "{}"}, "about names {}, which is no argument; its arguments are to, day"),
            ({"about": "{0}"}, "about names {0}, which is no argument; its arguments are to, day"),
            ({"about": "{to.name}"}, "about names {to.name}, which is no argument; its arguments are to, day"),
            ({"about": "{to"}, "about '{to' cannot be filled in: expected '}' before end of string"),
            (
                {"about": "{day:.2f}"},
                "about '{day:.2f}' cannot be filled in: Unknown format code 'f' for object of type 'str'",
            ),
        ],
    )
    def test_a_mistake_in_an_option_is_one_line_that_names_the_tool_and_where_it_is(
        self, options: dict[str, Any], problem: str
    ) -> None:
        async def send(to: str, day: int) -> None:
            """Send."""

        line = send.__code__.co_firstlineno
        with pytest.raises(ConfigurationError) as raised:
            tool(**options)(send)
        assert str(raised.value) == f"tool send (tests/unit/toolkit/test_tool.py:{line}): {problem}"

    @pytest.mark.parametrize(
        ("code", "problem"),
        [
            ("def f(city: str): ...", "its function must be written with `async def`"),
            ("async def f(city: 'Nope'): ...", "NameError: name 'Nope' is not defined"),
            ("async def f(*, clock): ...", "parameter clock needs a type"),
            (
                "async def f(clock: Clock): ...",
                "parameter clock: a model cannot fill in a Clock; what the worker gives stands behind a *",
            ),
            (
                "async def f(): yield",
                "its function is a generator, as there is a `yield` in it; return the result whole, as a list for one",
            ),
            ("async def für(): ...", "a name is 1 to 64 of a-z A-Z 0-9 _ -"),
            ("async def f(*, act: Act): ...", "it asks for an Act, but only a write has a point of no return"),
        ],
    )
    def test_a_function_that_cannot_be_a_tool_is_told_why_on_one_line(self, code: str, problem: str) -> None:
        with pytest.raises(ConfigurationError) as raised:
            exec(f"@tool()\n{code}", {"tool": tool, "Clock": Clock, "Act": Act})
        name = "für" if "für" in code else "f"
        assert str(raised.value) == f"tool {name} (<string>:1): {problem}"

    @pytest.mark.parametrize("code", ["@tool\nasync def f(city: str): ...", "f = tool('f')"])
    def test_forgotten_brackets_are_told(self, code: str) -> None:
        with pytest.raises(ConfigurationError, match=r"tool '?f'? \(.*\): write @tool\(\) with its brackets"):
            exec(code, {"tool": tool})


class TestStrictness:
    @pytest.mark.parametrize(
        ("arguments", "place"),
        [
            pytest.param({}, "city", id="a required one missing"),
            pytest.param({"city": "Paris", "town": "Rome"}, "town", id="one that there is not"),
            pytest.param({"city": "Paris", "clock": {}}, "clock", id="one that is the worker's"),
            pytest.param({"city": None}, "city", id="null"),
            pytest.param({"city": 7}, "city", id="a number for text"),
            pytest.param({"city": ["Paris"]}, "city", id="a list for text"),
            pytest.param({"city": ""}, "city", id="too short"),
            pytest.param({"city": "Paris", "days": "3"}, "days", id="text for an integer"),
            pytest.param({"city": "Paris", "days": True}, "days", id="true for an integer"),
            pytest.param({"city": "Paris", "days": 3.5}, "days", id="3.5 for an integer"),
            pytest.param({"city": "Paris", "days": None}, "days", id="null for an integer"),
            pytest.param({"city": "Paris", "scale": "1.5"}, "scale", id="text for a number"),
            pytest.param({"city": "Paris", "scale": True}, "scale", id="true for a number"),
            pytest.param({"city": "Paris", "unit": "kelvin"}, "unit", id="none of the values"),
            pytest.param({"city": "Paris", "tags": "sunny"}, "tags", id="text for a list"),
            pytest.param({"city": "Paris", "tags": '["sunny"]'}, "tags", id="a list as text"),
            pytest.param({"city": "Paris", "tags": ["sunny", 1]}, "tags.1", id="a wrong item"),
            pytest.param({"city": "Paris", "place": {}}, "place.city", id="a wrong field of an object"),
            pytest.param(
                {"city": "Paris", "place": {"city": "Rome", "zip": 1}}, "place.zip", id="an unknown field of one"
            ),
            pytest.param({"city": "Paris", "stars": True}, "stars", id="true for the literal 1"),
            pytest.param({"city": "Paris", "stars": 3}, "stars", id="none of the literals"),
            pytest.param({"city": "Paris", "indoors": 1}, "indoors", id="1 for true"),
            pytest.param({"city": "Paris", "indoors": "true"}, "indoors", id="text for true"),
            pytest.param({"city": "Paris", "place": '{"city": "Paris"}'}, "place", id="an object as text"),
            pytest.param({"city": "Paris", "since": "yesterday"}, "since", id="no date"),
        ],
    )
    def test_arguments_that_do_not_fit_are_refused_with_place_and_reason(
        self, arguments: Arguments, place: str
    ) -> None:
        with pytest.raises(InvalidArguments) as raised:
            FORECAST.validate(arguments)
        assert str(raised.value).startswith(f"the arguments of forecast are not valid: {place}: ")

    def test_every_mistake_is_named_at_once(self) -> None:
        with pytest.raises(InvalidArguments) as raised:
            FORECAST.validate({"days": "3"})
        assert "days: Input should be a valid integer" in str(raised.value)
        assert "city: Field required" in str(raised.value)

    def test_of_many_mistakes_a_few_are_named_and_no_value_is_repeated(self) -> None:
        with pytest.raises(InvalidArguments) as raised:
            FORECAST.validate(
                {"city": 7, "tags": cast(JsonValue, [{"secret": "x" * 50_000}] * 500), **dict.fromkeys("abcdef" * 9, 1)}
            )
        assert str(raised.value).count("; ") <= 10
        assert len(str(raised.value)) <= 1100
        assert "xxx" not in str(raised.value)

    @pytest.mark.parametrize(
        ("arguments", "values"),
        [
            ({"scale": 2}, {"scale": 2.0}),
            ({"days": 3.0}, {"days": 3}),
            ({"stars": 2.0}, {"stars": 2}),
            ({"indoors": True}, {"indoors": True}),
            ({"days": -1}, {"days": -1}),
            ({"unit": "fahrenheit"}, {"unit": "fahrenheit"}),
            ({"tags": ["a", "a"]}, {"tags": ["a", "a"]}),
            ({"place": None}, {"place": None}),
            ({"place": {"city": "Rome"}}, {"place": Place(city="Rome")}),
            ({"since": "2026-01-31"}, {"since": date(2026, 1, 31)}),
            ({}, {"days": 3, "scale": 1.0, "unit": "celsius", "tags": [], "place": None, "since": None}),
        ],
    )
    def test_arguments_that_fit_become_values(self, arguments: Arguments, values: dict[str, Any]) -> None:
        named = dict(
            zip(FORECAST.argument_names(), FORECAST.validate({"city": "Paris", **arguments}).values, strict=True)
        )
        assert {name: (type(named[name]), named[name]) for name in values} == {
            name: (type(value), value) for name, value in values.items()
        }

    def test_defaults_that_say_something_are_decided_with_what_was_given_and_empty_ones_only_used(self) -> None:
        valid = FORECAST.validate({"city": "Paris", "days": 4.0})
        telling = {"unit": "celsius", "scale": 1.0, "indoors": False, "stars": 1}
        assert valid.given == {"city": "Paris", "days": 4} | telling
        assert valid.used == valid.given | {"tags": [], "place": None, "since": None}

    @pytest.mark.parametrize(
        ("name", "value", "taken"),
        [
            ("city", "Rome", True),
            ("city", "", False),
            ("since", "2026-01-31", True),
            ("since", "x", False),
            ("x", 1, False),
        ],
    )
    def test_one_argument_can_be_judged_alone(self, name: str, value: JsonValue, taken: bool) -> None:
        assert FORECAST.parameters.takes(name, value) is taken

    def test_an_enumeration_takes_its_values(self) -> None:
        @tool()
        async def feel(mood: Mood) -> None:
            """Feel."""

        assert made(feel).validate({"mood": "good"}).values == (Mood.GOOD,)
        with pytest.raises(InvalidArguments):
            made(feel).validate({"mood": "GOOD"})


class TestDescribing:
    @pytest.mark.parametrize(
        ("about", "arguments", "text"),
        [
            ("{city} for {days}", {"city": "Paris", "days": 3}, "Paris for 3"),
            ("{city} for {days}", {"city": "Paris"}, "Paris for"),
            ("{city} {days}, {to}", {"city": "New\n  York", "to": ""}, "New York ,"),
            ("to {to}", {"to": ["ann@example.com", "bob@example.com"]}, "to ann@example.com, bob@example.com"),
            ("to {to}", {"to": "{city} {0} {"}, "to {city} {0} {"),
            ("to {to}", {"to": {"name": "Zoë", "vip": True}}, 'to {"name": "Zoë", "vip": true}'),
            ("to {to}", {"to": [{"id": 7}, None]}, 'to {"id": 7},'),
            ("the world", {}, "the world"),
        ],
    )
    def test_a_call_is_about_its_arguments(self, about: str, arguments: Arguments, text: str) -> None:
        @tool(about=about)
        async def act(city: str = "", days: JsonValue = 0, to: JsonValue = "") -> None:
            """Act."""

        assert made(act).describe(arguments) == text

    def test_by_default_it_is_about_the_first_argument(self) -> None:
        @tool()
        async def look_up(word: str, page: int) -> None:
            """Look up."""

        assert made(look_up).describe({"word": "tree", "page": 3}) == "tree"

    def test_it_is_a_few_words_however_long_the_arguments_are(self) -> None:
        assert len(FORECAST.describe({"city": "x" * 10_000})) == 180


class TestBinding:
    async def test_the_function_gets_the_values_and_what_it_asks_for_by_type(self) -> None:
        clock = Clock()
        run = FORECAST.bind({Clock: clock, str: "unused"})
        arguments = FORECAST.validate({"city": "Paris", "place": {"city": "Rome"}})
        result = cast(dict[str, Any], await run(arguments, {ToolCall: CALL}))
        assert result == {
            "city": "Paris",
            "days": 3,
            "tags": [],
            "place": Place(city="Rome"),
            "since": None,
            "clock": clock,
        }

    async def test_it_gets_the_call_itself_where_it_asks_for_it(self) -> None:
        @tool()
        async def act(*, me: ToolCall) -> str:
            """Act."""
            return me.key

        assert await made(act).bind({})(made(act).validate({}), {ToolCall: CALL}) == "r/1.1"

    def test_what_nobody_gives_is_named_with_what_can_be_given(self) -> None:
        with pytest.raises(ConfigurationError) as raised:
            FORECAST.bind({int: 1, str: "x"})
        assert str(raised.value) == f"{FORECAST} asks for clock: Clock; a worker can give Act, ToolCall, int, str"
        assert re.fullmatch(r"tool forecast \(tests/unit/toolkit/test_tool.py:\d+\)", str(FORECAST))

    @pytest.mark.parametrize("kind", [Clock | None, list[Clock], Annotated[Clock, "mine"]])
    def test_a_type_that_has_no_name_is_named_too(self, kind: Any) -> None:
        async def act(*, clock: object) -> None:
            """Act."""

        act.__annotations__["clock"] = kind
        marked: Callable[..., Awaitable[object]] = tool()(act)
        with pytest.raises(ConfigurationError, match=r"tool act .* asks for clock: .*Clock"):
            made(marked).bind({Clock: Clock()})
