"""The output of a request comes in the form that its schema asks for, or the model is told why not."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.model.answer import LARGEST_SCHEMA, Answers, ask_for, check_schema, on_the_wire, read_output
from activities.model.endpoint import Endpoint
from activities.model.profiles import COMPATIBLE, PROFILES, Calling, Profile
from activities.model.wire.replies import Reply, read
from activities.settings.model import ModelSettings
from tests.completions import call, calling, completion
from tests.scripted_model import Answer as Scripted
from tests.scripted_model import Raw, ScriptedModel, calls, say
from tests.scripted_model import call as scripted_call
from workflows.contract.api import Usage
from workflows.contract.conversation import AssistantEntry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import Answer, ModelInput
from workflows.contract.values import Schema

CITY: Schema = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "temperature": {"type": "number"}},
    "required": ["city", "temperature"],
    "additionalProperties": False,
}
CONVERSATION = (
    UserEntry(text="The weather in Rome?"),
    AssistantEntry(
        turn=1,
        calls=(
            ToolCallRecord(tool="get_weather", arguments={"city": "Rome"}, told=ToolMessage(value={"temperature": 21})),
        ),
    ),
    AssistantEntry(text="It is 21 °C."),
)


def reply(text: str, finish: str = "stop") -> Reply:
    return read(completion({"role": "assistant", "content": text}, finish))


class TestQuestion:
    def ask(self, profile: Profile = COMPATIBLE, schema: Schema = CITY) -> Any:
        return ask_for(schema, "Be kind.", ModelInput(conversation=CONVERSATION, output_tokens=99), profile)

    def test_it_is_the_conversation_as_the_model_knows_it_and_one_instruction(self) -> None:
        asked = self.ask()
        assert [each["role"] for each in asked.messages] == ["system", "user", "assistant", "tool", "assistant", "user"]
        assert asked.messages[-1]["content"].endswith(json.dumps(CITY, separators=(",", ":")))
        assert (asked.tools, asked.max_tokens) == ((), 99)

    def test_a_model_without_function_calling_sees_no_calls_and_no_tool_messages(self) -> None:
        asked = self.ask(COMPATIBLE.with_calling(Calling.JSON_OBJECT))
        assert [each["role"] for each in asked.messages] == ["system", "user", "assistant", "user", "assistant", "user"]
        assert "tool_calls" not in asked.messages[2]

    def test_the_endpoint_holds_the_model_to_what_it_can(self) -> None:
        form = self.ask().response_format
        assert form == {"type": "json_schema", "json_schema": {"name": "output", "schema": CITY}}
        assert self.ask(COMPATIBLE.with_calling(Calling.JSON_OBJECT)).response_format == {"type": "json_object"}
        assert self.ask(COMPATIBLE.with_calling(Calling.PROMPT)).response_format is None

    def test_strict_is_asked_for_where_the_schema_is_fit_for_it_as_it_is(self) -> None:
        openai = PROFILES["openai"]
        assert self.ask(openai).response_format["json_schema"] == {"name": "output", "strict": True, "schema": CITY}
        loose: Schema = {**CITY, "required": ["city"]}
        assert self.ask(openai, loose).response_format["json_schema"] == {"name": "output", "schema": loose}

    @pytest.mark.parametrize(
        "schema", [{"type": "array", "items": CITY}, {"type": "string"}, {}, {"anyOf": [CITY]}, {"enum": [1, 2]}]
    )
    def test_what_is_no_object_is_asked_for_in_one(self, schema: Schema) -> None:
        assert on_the_wire(schema) == {
            "type": "object",
            "properties": {"output": schema},
            "required": ["output"],
            "additionalProperties": False,
        }


class TestReading:
    @pytest.mark.parametrize(
        "text",
        [
            '{"city": "Rome", "temperature": 21}',
            '```json\n{"city": "Rome", "temperature": 21}\n```',
            '<think>{"city": 1}</think>Here it is: {"city": "Rome", "temperature": 21}.',
        ],
    )
    def test_the_output_is_found_in_the_reply(self, text: str) -> None:
        assert read_output(reply(text), CITY) == {"city": "Rome", "temperature": 21}

    @pytest.mark.parametrize(
        ("schema", "text", "output"),
        [
            ({"type": "array", "items": {"type": "integer"}}, '{"output": [1, 2]}', [1, 2]),
            ({"type": "array", "items": {"type": "integer"}}, "[1, 2]", [1, 2]),
            ({"type": "string"}, '{"output": "Rome"}', "Rome"),
            ({"type": "string"}, '"Rome"', "Rome"),
            ({"enum": [1, None]}, '{"output": null}', None),
            ({**CITY, "properties": {"output": {}}, "required": []}, '{"output": 1}', {"output": 1}),
        ],
    )
    def test_what_is_no_object_is_unwrapped(self, schema: Schema, text: str, output: object) -> None:
        assert read_output(reply(text), schema) == output

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("It is 21 °C in Rome.", "no JSON"),
            ('{"city": "Rome", "temperature": ', "not valid JSON"),
            ('{"city": "Rome"}', "temperature: "),
            ('{"city": "Rome", "temperature": "21"}', "temperature: "),
            ('{"city": "Rome", "temperature": 21, "wind": 3}', "wind: "),
            ('{"city": "Rome", "temperature": NaN}', "temperature: "),
        ],
    )
    def test_what_does_not_fit_is_told(self, text: str, told: str) -> None:
        with pytest.raises(ValueError, match=told):
            read_output(reply(text), CITY)

    def test_what_is_told_is_short_and_names_five_problems_at_most(self) -> None:
        schema: Schema = {"type": "array", "items": {"type": "integer"}}
        with pytest.raises(ValueError) as raised:  # noqa: PT011
            read_output(reply(json.dumps(["x" * 1000] * 50)), schema)
        assert "4: " in str(raised.value)
        assert "5: " not in str(raised.value)
        assert "xxx" not in str(raised.value)

    def test_an_answer_that_was_cut_off_is_none(self) -> None:
        with pytest.raises(ValueError, match="cut off"):
            read_output(reply('{"city": "Rome", "temperature": 21}', "length"), CITY)

    def test_a_call_is_none(self) -> None:
        with pytest.raises(ValueError, match="no function"):
            read_output(read(calling(call("{}"))), CITY)


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(default=9, ge=1, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    good: bool


class Node(BaseModel):
    name: str
    children: list["Node"] = []


class Report(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, description="in a few words")]
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    note: Optional[str] = None  # noqa: UP045
    tree: Node
    counts: dict[str, int] = {}
    pair: tuple[int, str]
    price: Decimal
    at: datetime
    id: UUID | None = None
    tags: set[str] = set()


REPORT: Mapping[str, Any] = {
    "title": "Pets",
    "pet": {"kind": "dog", "good": True},
    "tree": {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}]},
    "counts": {"a": 1},
    "pair": [1, "x"],
    "price": "1.50",
    "at": "2026-11-22T09:30:00Z",
}
Pets = RootModel[list[Annotated[Cat | Dog, Field(discriminator="kind")]]]


class TestPydanticModels:
    """`Model.model_json_schema()` is an `output_schema`, whatever is in the model."""

    @pytest.mark.parametrize(
        ("model", "value"),
        [
            pytest.param(Report, REPORT, id="nested, optional, union, recursive"),
            pytest.param(
                Report, {**REPORT, "pet": {"kind": "cat"}, "note": None, "tags": ["a"]}, id="the other branch"
            ),
            pytest.param(Node, {"name": "a", "children": [{"name": "b"}]}, id="recursive at its root"),
            pytest.param(Pets, [{"kind": "cat"}, {"kind": "dog", "good": False}], id="a list at its root"),
            pytest.param(RootModel[int], 3, id="a number at its root"),
        ],
    )
    async def test_what_fits_the_model_comes_back_as_it_is(self, model: type[BaseModel], value: Any) -> None:
        schema = model.model_json_schema()
        await ActivityEnvironment().run(check_schema, schema)
        sent = value if on_the_wire(schema) is schema else {"output": value}
        assert read_output(reply(json.dumps(sent)), schema) == value
        model.model_validate(value)

    @pytest.mark.parametrize(
        ("change", "where"),
        [
            ({"title": ""}, "title: "),
            ({"pet": {"kind": "dog"}}, "pet"),
            ({"pet": {"kind": "cow"}}, "pet"),
            ({"pet": {"kind": "cat", "lives": 10}}, "pet"),
            ({"tree": {"name": "a", "children": [{"name": 3}]}}, "tree.children.0.name: "),
            ({"counts": {"a": "1"}}, "counts.a: "),
            ({"pair": [1]}, "pair: "),
            ({"note": 3}, "note"),
            ({"other": 1}, "other: "),
        ],
    )
    def test_what_does_not_fit_is_told_where(self, change: dict[str, Any], where: str) -> None:
        with pytest.raises(ValueError, match=where):
            read_output(reply(json.dumps({**REPORT, **change})), Report.model_json_schema())


class TestCheckSchema:
    @pytest.mark.parametrize("schema", [CITY, {}, {"type": "array"}, {"$ref": "#/$defs/A", "$defs": {"A": CITY}}])
    async def test_a_schema_that_can_be_held_to_passes(self, schema: Schema) -> None:
        await ActivityEnvironment().run(check_schema, schema)

    @pytest.mark.parametrize(
        ("schema", "told"),
        [
            ({"type": "strin"}, "type"),
            ({"properties": {"a": {"type": "object", "required": "b"}}}, "properties.a.required"),
            ({"$ref": "https://example.com/city.json"}, "outside"),
            ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "outside"),
            ({"$ref": "#/$defs/Missing"}, "nothing"),
            ({"pattern": "("}, "regular expression"),
            ({"enum": ["x" * LARGEST_SCHEMA]}, "bytes"),
        ],
    )
    async def test_any_other_is_refused_for_good_and_says_why(self, schema: Schema, told: str) -> None:
        with pytest.raises(ApplicationError, match=f"output_schema: .*{told}") as raised:
            await ActivityEnvironment().run(check_schema, schema)
        assert raised.value.type == "ConfigurationError"
        assert raised.value.non_retryable

    async def test_while_a_schema_is_judged_the_worker_goes_on(self) -> None:
        """Else its heartbeats, and those of all others, would stop."""
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        going_on = asyncio.create_task(others())
        await ActivityEnvironment().run(check_schema, {"allOf": [*[CITY] * 100]})
        going_on.cancel()
        assert turns > 20


async def answered(model: ScriptedModel, scripted: Scripted, **more: Any) -> Answer:
    """What `answer` makes of a reply of the model."""
    model.scripts["The weather in Rome?"] = [scripted] * 3
    settings = ModelSettings.model_validate({"openai_model": "tiny", "openai_base_url": model.url})
    endpoint = Endpoint.from_settings(settings)
    situation = ModelInput(conversation=CONVERSATION, output_schema=CITY, **more)
    try:
        return await ActivityEnvironment().run(Answers(endpoint, "Be kind.").answer, situation)
    finally:
        await endpoint.aclose()


class TestAnswer:
    async def test_it_holds_the_output_and_what_it_used(self, model: ScriptedModel) -> None:
        answer = await answered(model, say('{"city": "Rome", "temperature": 21}'))
        assert answer == Answer(
            text='{"city": "Rome", "temperature": 21}',
            output={"city": "Rome", "temperature": 21},
            usage=Usage(model_calls=1, input_tokens=100, output_tokens=10),
        )
        assert "tools" not in model.asked[0]

    async def test_what_does_not_fit_is_a_problem_for_the_model_to_read(self, model: ScriptedModel) -> None:
        answer = await answered(model, say('{"city": "Rome"}'))
        assert (answer.text, answer.output) == ('{"city": "Rome"}', None)
        assert "temperature: " in str(answer.problem)

    async def test_calls_are_not_the_output(self, model: ScriptedModel) -> None:
        assert "no function" in str((await answered(model, calls(scripted_call("get_weather", city="Rome")))).problem)

    async def test_what_the_endpoint_does_not_take_is_said_and_done_without(self, model: ScriptedModel) -> None:
        refused = Raw(
            400, json.dumps({"error": {"message": "response_format is not supported", "param": "response_format"}})
        )
        model.trouble.append(refused)
        with pytest.raises(ApplicationError) as raised:
            await answered(model, say("{}"))
        assert raised.value.type == "ParameterUnsupported"
        assert not raised.value.non_retryable
        steps = ("calling: json_schema → json_object (tiny answered 400: no)",)
        answer = await answered(model, say('{"city": "Rome", "temperature": 21}'), demoted=steps)
        assert answer.demoted == steps
        assert model.asked[-1]["response_format"] == {"type": "json_object"}

    async def test_a_refusal_ends_it(self, model: ScriptedModel) -> None:
        with pytest.raises(ApplicationError, match="No thanks") as raised:
            await answered(model, {"role": "assistant", "content": None, "refusal": "No thanks."})
        assert raised.value.type == "ModelRefused"
        assert raised.value.non_retryable
