"""What was approved of a call is what its function gets; where its types do not allow that, it is refused."""

import itertools
import sys
import typing
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
import typing_extensions
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    JsonValue,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    WithJsonSchema,
    computed_field,
    field_validator,
)

from activities.errors import ConfigurationError, InvalidArguments, ToolCrashed
from activities.toolkit.tool import Tool, tool, tool_of
from workflows.contract.values import Arguments

IN_SIGNATURES = (Iterable, Decimal, SecretStr, date, Json, Annotated)
"""What the parameters below are written with, as text."""


class Doubled(BaseModel):
    amount: int

    @field_validator("amount")
    @classmethod
    def _twice(cls, amount: int) -> int:
        return amount * 2


class Named(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sender: str = Field(alias="from")
    count: int = Field(default=1, validation_alias="nn")
    kind: str = Field(default="", validation_alias=AliasChoices("sort", "type"), serialization_alias="out")
    inner: "list[Named]" = Field(default=[], validation_alias="parts")

    @computed_field
    @property
    def shown(self) -> str:
        return f"{self.sender} {self.count}"


class Letter(BaseModel):
    word: str = ""
    to: str = "ann"
    copies: list[str] = []
    stamp: float = Field(default_factory=lambda: next(Counter))


class Hidden(BaseModel):
    text: str = ""
    note: str = Field(default="", exclude=True)


@dataclass
class Point:
    x: int
    marks: list[int] = field(default_factory=lambda: [1, 2])


class Mute:
    """Says nothing that is JSON."""


class Column:
    """Compares each of its numbers, as arrays do."""

    def __init__(self, numbers: Iterable[object]) -> None:
        self.numbers = [float(str(number)) for number in numbers]

    def __eq__(self, other: object) -> bool:
        raise ValueError("the truth value of a column is ambiguous")

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # as arrays have none


def _broken(value: int) -> int:
    if value == 13:
        raise RuntimeError("crash in a validator")
    return value


def _refused(value: int) -> int:
    if value == 13:
        raise InvalidArguments("13 is sold out")
    if value < 0:
        raise ValueError("nobody orders so few")
    return value


Shouted = Annotated[str, AfterValidator(lambda text: text + "!")]
Counter = itertools.count()
Odd = Annotated[str, AfterValidator(lambda _: str(next(Counter)))]
Broken = Annotated[int, AfterValidator(_broken)]
Refused = Annotated[int, AfterValidator(_refused)]
Shrunk = Annotated[str, Field(min_length=4), AfterValidator(lambda text: text[:3])]
Renamed = Annotated[str, Field(alias="from")]
Columnar = Annotated[
    Column,
    PlainValidator(Column),
    PlainSerializer(lambda column: column.numbers),
    WithJsonSchema({"type": "array"}),
]


class OldDict(typing.TypedDict):
    a: int


class NewDict(typing_extensions.TypedDict):
    a: int


CHANGE = "change what they are given each time they are read"
LEAVE_ALONE = "a validator must leave alone what it has made"


def with_parameters(parameters: str) -> Tool:
    names = globals() | {"tool": tool}
    exec(f"@tool()\nasync def f({parameters}): ...", names)
    found = tool_of(names["f"])
    assert found is not None
    return found


def refusal(parameters: str) -> str:
    with pytest.raises(ConfigurationError) as raised:
        with_parameters(parameters)
    return str(raised.value).removeprefix("tool f (<string>:1): ")


class TestWhatIsApproved:
    @pytest.mark.parametrize(
        ("parameters", "arguments", "said"),
        [
            (
                "a: Doubled",
                {"a": {"amount": 5}},
                "change what they are given each time they are read (a.amount: 10 → 20)",
            ),
            (
                "a: list[Shouted]",
                {"a": ["x"]},
                'change what they are given each time they are read (a.0: "x!" → "x!!")',
            ),
            ("a: Odd", {"a": "x"}, "change what they are given each time they are read (a: "),
            ("a: Shrunk", {"a": "house"}, "make of what they are given what they do not take: a: "),
        ],
    )
    def test_a_type_that_changes_what_it_has_made_is_the_tools_mistake_before_anybody_is_asked(
        self, parameters: str, arguments: Arguments, said: str
    ) -> None:
        with pytest.raises(ToolCrashed) as raised:
            with_parameters(parameters).validate(arguments)
        assert str(raised.value).startswith(f"a mistake in f: its types {said}")

    @pytest.mark.parametrize(
        ("parameters", "arguments"),
        [("a: SecretStr", {"a": "hush"}), ("a: Hidden", {"a": {"text": "x", "note": "y"}})],
    )
    def test_so_is_one_that_loses_what_it_was_given_when_it_is_written_down(
        self, parameters: str, arguments: Arguments
    ) -> None:
        with pytest.raises(ToolCrashed) as raised:
            with_parameters(parameters).validate(arguments)
        assert str(raised.value) == "a mistake in f: argument a is not the same once it was written down as JSON"

    @pytest.mark.parametrize(
        ("parameters", "arguments", "given"),
        [
            ("a: Annotated[str, AfterValidator(str.strip)]", {"a": " x "}, {"a": "x"}),
            ("a: Decimal", {"a": 1.5}, {"a": "1.5"}),
            ("a: Point", {"a": {"x": 1.0}}, {"a": {"x": 1, "marks": [1, 2]}}),
            ("a: dict[int, str]", {"a": {"1": "x"}}, {"a": {"1": "x"}}),
            ("a: Json[list[int]]", {"a": "[1,  2]"}, {"a": "[1,2]"}),
            ("a: NewDict | None", {"a": {"a": 1.0}}, {"a": {"a": 1}}),
            ("a: object", {"a": {"b": [1.0, None]}}, {"a": {"b": [1, None]}}),
        ],
    )
    def test_what_is_read_alike_once_it_is_written_down_is_what_the_function_gets(
        self, parameters: str, arguments: Arguments, given: Arguments
    ) -> None:
        found = with_parameters(parameters)
        valid = found.validate(arguments)
        assert valid.given == given
        assert found.as_decided(given) == valid

    def test_where_two_values_cannot_be_compared_what_is_written_down_counts(self) -> None:
        assert with_parameters("a: Columnar").validate({"a": ["1", 2]}).given == {"a": [1, 2]}

    def test_a_set_is_written_down_in_one_order(self) -> None:
        found = with_parameters("a: set[str]")
        assert found.validate({"a": ["pear", "fig", "apple"]}).given == {"a": ["apple", "fig", "pear"]}

    def test_a_worker_that_would_use_other_arguments_than_were_decided_does_not_run_the_call(self) -> None:
        decided = with_parameters("a: int").validate({"a": 10}).given
        with pytest.raises(InvalidArguments) as raised:
            with_parameters("a: Annotated[int, AfterValidator(lambda a: min(a, 5))]").as_decided(decided)
        assert str(raised.value) == (
            "f would not use its arguments as they were decided (a: 10 → 5): its types have changed since, "
            "and the call has to be made anew"
        )


class TestTypesThatBreak:
    def test_another_error_than_that_a_value_does_not_fit_is_told_with_its_argument(self) -> None:
        with pytest.raises(ToolCrashed) as raised:
            with_parameters("b: str, a: Broken").validate({"b": "x", "a": 13})
        assert str(raised.value) == "a mistake in f: its types broke on argument a: RuntimeError: crash in a validator"
        assert "_broken" in raised.value.trace

    def test_a_validator_may_say_itself_that_a_value_is_not_taken(self) -> None:
        with pytest.raises(InvalidArguments, match=r"^13 is sold out$"):
            with_parameters("a: Refused").validate({"a": 13})

    def test_a_validators_own_words_are_told_without_the_name_of_its_error(self) -> None:
        with pytest.raises(InvalidArguments, match=r": a: nobody orders so few$"):
            with_parameters("a: Refused").validate({"a": -1})

    def test_a_value_that_is_no_json_is_told_with_its_argument(self) -> None:
        found = with_parameters("b: str, a: Annotated[object, AfterValidator(lambda _: Mute())]")
        with pytest.raises(ToolCrashed, match=r"^a mistake in f: argument a cannot be written as JSON: Pydantic"):
            found.validate({"b": "x", "a": 1})

    def test_nobody_is_offered_a_value_on_which_the_types_break(self) -> None:
        parameters = with_parameters("a: Broken").parameters
        assert (parameters.takes("a", 12), parameters.takes("a", 13)) == (True, False)


class TestNames:
    def test_the_fields_of_an_object_are_called_what_the_schema_calls_them(self) -> None:
        found = with_parameters("a: Named")
        given: Arguments = {"a": {"from": "ann", "nn": 2, "sort": "x", "parts": [{"from": "bob", "nn": 3}]}}
        schema: Any = found.schema()
        valid = found.validate(given)
        assert [*schema["$defs"]["Named"]["properties"]] == ["from", "nn", "sort", "parts"]
        assert valid.given == given
        assert found.as_decided(valid.given).values == valid.values
        assert valid.used["a"] == {
            **typing.cast("dict[str, JsonValue]", given["a"]),
            "parts": [{"from": "bob", "nn": 3, "sort": "", "parts": []}],
        }

    def test_so_is_a_parameter(self) -> None:
        found = with_parameters("frm: Renamed, to: str = 'x'")
        assert found.argument_names() == ["from", "to"]
        assert found.validate({"from": "ann"}).used == {"from": "ann", "to": "x"}
        assert found.parameters.takes("from", "ann")
        with pytest.raises(InvalidArguments, match="from: Field required"):
            found.validate({"frm": "ann"})

    async def test_every_parameter_gets_its_own_value_whatever_it_is_called(self) -> None:
        @tool()
        async def act(model_config: str, schema: str, self: str, _a: str, argument_0: str = "z") -> list[str]:
            """Act."""
            return [model_config, schema, self, _a, argument_0]

        made = tool_of(act)
        assert made is not None
        valid = made.validate({"self": "3", "_a": "4", "model_config": "1", "schema": "2"})
        assert await made.bind({})(valid, {}) == ["1", "2", "3", "4", "z"]

    def test_two_parameters_of_one_name_are_told(self) -> None:
        assert refusal("frm: Renamed, other: Renamed") == "two of its parameters are called from"


class TestDefaults:
    @pytest.mark.parametrize(
        "default",
        ["a: int = 'x'", "a: int = '3'", "a: list[int] = ['x']", "a: date = '2026-01-01'", "a: Point = {'x': 'y'}"],
    )
    def test_one_that_is_not_of_its_type_is_told_at_the_start(self, default: str) -> None:
        assert refusal(default).startswith("parameter a: its default does not fit its type: ")

    @pytest.mark.parametrize(
        "default",
        [
            "a: float = 3",
            "a: list[int] = ()",
            "a: set[int] = frozenset()",
            "a: Decimal = 1",
            "a: Point = Point(1)",
            "a: Named | None = None",
            "a: str = None",
            "a: Annotated[str, Field(min_length=3)] = ''",
            "a: Broken = 13",
            "a: Doubled = Doubled(amount=2)",
            "a: date = date(2026, 1, 1)",
        ],
    )
    def test_one_that_will_do_is_taken(self, default: str) -> None:
        with_parameters(default).validate({})

    @pytest.mark.parametrize(
        ("parameters", "given", "decided"),
        [
            ("a: str, to: str = 'ann'", {"a": "x"}, {"a": "x", "to": "ann"}),
            ("a: str, to: str = 'ann'", {"a": "x", "to": "bob"}, {"a": "x", "to": "bob"}),
            ("a: bool = False, b: int = 0", {}, {"a": False, "b": 0}),
            ("a: Decimal = 1", {}, {"a": "1"}),
            ("a: date = date(2026, 1, 1)", {}, {"a": "2026-01-01"}),
            ("a: list[str] = ('ann',)", {}, {"a": ["ann"]}),
            ("to: Renamed = 'ann'", {}, {"from": "ann"}),
            ("a: Letter", {"a": {"word": "x"}}, {"a": {"word": "x", "to": "ann"}}),
            ("a: Letter = Letter()", {}, {"a": {"to": "ann"}}),
            ("a: list[Letter]", {"a": [{"word": "x"}]}, {"a": [{"word": "x", "to": "ann"}]}),
            ("a: str = '', b: list[int] = (), c: int | None = None", {}, {}),
            ("a: Shrunk = 'house', b: Broken = 13, c: Doubled = Doubled(amount=2), d: str = 'x'", {}, {"d": "x"}),
        ],
    )
    def test_one_that_says_something_is_decided_as_if_it_had_been_given(
        self, parameters: str, given: Arguments, decided: Arguments
    ) -> None:
        found = with_parameters(parameters)
        assert found.validate(given).given == decided
        assert found.as_decided(decided).given == decided

    def test_one_that_was_decided_is_used_where_a_later_build_has_another(self) -> None:
        decided = with_parameters("a: str, to: str = 'ann'").validate({"a": "x"}).given
        assert with_parameters("a: str, to: str = 'mallory'").as_decided(decided).values == ("x", "ann")

    @pytest.mark.parametrize("before", ["to: str = None", "to: str = ''"])
    def test_one_that_was_none_when_it_was_decided_is_not_filled_in_later(self, before: str) -> None:
        decided = with_parameters(f"a: str, {before}").validate({"a": "x"}).given
        with pytest.raises(InvalidArguments) as raised:
            with_parameters("a: str, to: str = 'mallory'").as_decided(decided)
        assert str(raised.value) == (
            'f would not use its arguments as they were decided (to: nothing → "mallory"): its types have changed '
            "since, and the call has to be made anew"
        )

    def test_one_that_is_no_json_is_told_at_the_start(self) -> None:
        assert refusal("a: object = object()") == "parameter a: its default cannot be written as JSON"

    def test_one_that_is_none_at_all_is_told_how_it_is_meant(self) -> None:
        told = "parameter a: a default is a value; write a: Annotated[…, Field(…)]"
        assert refusal("a: str = Field(alias='from')") == told


class TestTypes:
    @pytest.mark.skipif(sys.version_info >= (3, 12), reason="from then on pydantic takes both")
    def test_a_typed_dict_of_typing_is_told_which_one_is_meant(self) -> None:
        told = "parameter a: before Python 3.12 a TypedDict must be that of typing_extensions, not of typing"
        assert refusal("a: OldDict | None = None") == told

    @pytest.mark.parametrize("kind", ["Iterable[int]", "list[Iterable[int]] | None"])
    def test_what_can_be_read_only_once_is_told(self, kind: str) -> None:
        told = "parameter a: an Iterable can be read only once; write list[…] or Sequence[…]"
        assert refusal(f"a: {kind}") == told
