"""A name, a description, a JSON Schema and a function make a tool."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from activities.errors import ConfigurationError, InvalidArguments
from activities.execution.act import Act
from activities.toolkit.function_names import LEGAL
from activities.toolkit.schema_tools import legal_names, tool_from_schema
from activities.toolkit.tool import Tool
from workflows.contract.internal import ToolCall
from workflows.contract.values import Arguments

CALL = ToolCall(key="r/1.1", tool="send", arguments={})
SEND: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "Content-Type": {"type": "string"},
        "_from": {"type": "string", "format": "email"},
        "from": {"type": "integer", "default": 1},
        "dict": {"type": "object"},
        "model_dump": {"type": "boolean", "default": "no"},
    },
    "required": ["Content-Type"],
}


class Clock:
    """Something that a worker gives."""


async def send(arguments: Arguments, *, clock: Clock, call: ToolCall) -> Any:
    return arguments, clock, call.key


async def nothing(arguments: Arguments) -> None:
    pass


def made(parameters: dict[str, JsonValue], **options: Any) -> Tool:
    given: dict[str, Any] = {"function": nothing, **options}
    return tool_from_schema(name="send", description=" Send. ", parameters=parameters, **given)


class TestCalling:
    async def test_the_function_gets_the_arguments_by_the_names_of_the_schema_and_what_the_worker_gives(self) -> None:
        tool, clock = made(SEND, function=send), Clock()
        given: Arguments = {"Content-Type": "x", "_from": "a", "from": 3.0, "dict": {"any": [1]}, "model_dump": True}
        assert await tool.bind({Clock: clock})(tool.validate(given), {ToolCall: CALL}) == (given, clock, "r/1.1")

    def test_a_whole_number_arrives_as_one(self) -> None:
        value = made(SEND).validate({"Content-Type": "x", "from": 3.0}).given["from"]
        assert (type(value), value) == (int, 3)

    def test_defaults_that_fit_count_as_used_and_are_not_sent(self) -> None:
        valid = made(SEND).validate({"Content-Type": "x"})
        assert valid.values == (valid.given,) == ({"Content-Type": "x"},)
        assert valid.used == {"Content-Type": "x", "from": 1}

    @pytest.mark.parametrize(
        ("arguments", "place"),
        [
            ({}, "Content-Type"),
            ({"Content-Type": 1}, "Content-Type"),
            ({"Content-Type": "x", "from": "3"}, "from"),
            ({"Content-Type": "x", "from": True}, "from"),
            ({"Content-Type": "x", "model_dump": 1}, "model_dump"),
            ({"Content-Type": "x", "To": "y"}, "To"),
        ],
    )
    def test_arguments_that_do_not_fit_are_refused_with_place_and_reason(
        self, arguments: Arguments, place: str
    ) -> None:
        with pytest.raises(InvalidArguments, match=f"the arguments of send are not valid: {place}: "):
            made(SEND).validate(arguments)

    def test_what_it_is_about_is_the_first_argument_whatever_its_name(self) -> None:
        assert made(SEND).describe({"Content-Type": "text"}) == "text"
        assert made(SEND).describe({"dict": {}}) == ""
        assert made({"properties": {"a.b[0]": {}}}).describe({"a.b[0]": "x"}) == "x"
        assert made({"type": "object"}).describe({}) == ""


class TestMaking:
    def test_it_is_offered_as_it_was_described_and_closed(self) -> None:
        tool = made(SEND)
        assert (tool.name, tool.description, tool.route.effect) == ("send", "Send.", "write")
        assert tool.schema() == {**SEND, "additionalProperties": False}

    def test_what_one_does_to_the_offered_schema_does_nothing_to_the_tool(self) -> None:
        tool = made(SEND)
        tool.schema().clear()
        assert tool.schema()["required"] == ["Content-Type"]

    @pytest.mark.parametrize(
        "parameters",
        [
            {"type": "dict"},
            {"type": "array"},
            {"type": ["object", "null"]},
            {"properties": {"a": {"$ref": "https://example.com/a.json"}}},
            {"properties": {"a": {"pattern": "("}}},
            {"properties": {"a": {"type": "strnig"}}},
            {"properties": 3},
        ],
    )
    def test_what_is_no_schema_of_arguments_is_refused_with_the_tools_name(
        self, parameters: dict[str, JsonValue]
    ) -> None:
        with pytest.raises(
            ConfigurationError, match=r"tool send \(tests/unit/toolkit/test_schema_tools.py:\d+\): its parameters"
        ):
            made(parameters)

    @pytest.mark.parametrize("name", ["", "a.b", "a b", "x" * 65, "ä"])
    def test_a_name_that_endpoints_refuse_is_refused(self, name: str) -> None:
        with pytest.raises(ConfigurationError, match="a name is"):
            tool_from_schema(name=name, description="", parameters={}, function=nothing)

    def test_a_read_has_no_point_of_no_return(self) -> None:
        async def act(arguments: Arguments, *, act: Act) -> None:
            pass

        made({}, function=act)
        with pytest.raises(ConfigurationError, match="point of no return"):
            made({}, function=act, effect="read")

    def test_what_is_grounded_must_be_an_argument(self) -> None:
        assert made(SEND, grounded=("_from",)).grounded == ("_from",)
        with pytest.raises(ConfigurationError, match="grounded names too"):
            made(SEND, grounded=("too",))

    async def test_the_dictionary_of_arguments_needs_no_type(self) -> None:
        names: dict[str, Any] = {"Clock": Clock}
        exec("async def run(arguments, *, clock: Clock): return arguments, clock", names)
        tool, clock = made(SEND, function=names["run"]), Clock()
        given: Arguments = {"Content-Type": "x"}
        assert await tool.bind({Clock: clock})(tool.validate(given), {ToolCall: CALL}) == (given, clock)

    @pytest.mark.parametrize(
        ("code", "problem"),
        [
            ("async def run(*, clock: str): ...", "its function takes the arguments as one dictionary"),
            ("async def run(to, body): ...", "its function takes the arguments as one dictionary"),
            ("async def run(**arguments): ...", "its function takes the arguments as one dictionary"),
            ("async def run(arguments, *, clock): ...", "parameter clock needs a type"),
            ("def run(arguments): ...", "its function must be written with `async def`"),
        ],
    )
    def test_a_function_that_cannot_be_called_that_way_is_told_by_the_tools_name(self, code: str, problem: str) -> None:
        names: dict[str, Any] = {}
        exec(code, names)
        with pytest.raises(ConfigurationError, match=rf"^tool send \(tests/.*test_schema_tools.py:\d+\): {problem}"):
            made(SEND, function=names["run"])

    def test_what_it_is_about_may_have_dots_in_its_name(self) -> None:
        tool = made({"properties": {"pet.kind": {"type": "string"}}}, about="a {pet.kind}")
        assert tool.describe({"pet.kind": "cat"}) == "a cat"


class TestNames:
    @pytest.mark.parametrize(
        ("names", "legal"),
        [
            (["get"], ["get"]),
            (["pets.find"], ["pets_find"]),
            (["x" * 70], ["x" * 64]),
            ([""], ["_"]),
            (["a.b", "a_b"], ["a_b_33d0b79f", "a_b"]),
        ],
    )
    def test_a_name_changes_as_little_as_need_be(self, names: list[str], legal: list[str]) -> None:
        found = legal_names(names)
        assert [found[name] for name in names][-1] == legal[-1]
        assert all(each.startswith(other[:3]) for each, other in zip(found.values(), legal, strict=True))

    def test_a_name_that_is_taken_is_not_given(self) -> None:
        assert legal_names(["decide"], taken=["decide"])["decide"].startswith("decide_")

    @given(st.lists(st.text("a._ ä", max_size=5) | st.text("ab.", min_size=63, max_size=70), unique=True), st.randoms())
    def test_all_are_legal_and_different_whatever_the_order(self, names: list[str], random: Any) -> None:
        found = legal_names(names)
        assert len(set(found.values())) == len(names)
        assert all(LEGAL.fullmatch(legal) for legal in found.values())
        random.shuffle(names)
        assert legal_names(names) == found
