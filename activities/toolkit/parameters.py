"""What a model fills in when it calls a tool, and what becomes of it.

`Signature` takes it from a Python function; `schema_tools` from a JSON Schema.
"""

import copy
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter
from typing import Any, Protocol, get_type_hints

import docstring_parser
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PydanticUserError,
    TypeAdapter,
    ValidationError,
    create_model,
)
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import to_json

from activities.schema.additional_properties import closed
from activities.schema.json_schema import JsonSchema, SchemaMismatch, whole
from activities.schema.problems import in_words, placed
from activities.toolkit.definitions import Unfit
from workflows.contract.values import Arguments

ToolFunction = Callable[..., Awaitable[object]]


@dataclass(frozen=True)
class Valid:
    """Arguments that fit."""

    values: tuple[object, ...]
    """What the tool's function is called with."""
    dump: Callable[[bool], Arguments]
    """Whether with the defaults → the arguments as JSON, as they will be used."""

    @property
    def given(self) -> Arguments:
        """What was given, as it will be used."""
        return self.dump(False)

    @property
    def used(self) -> Arguments:
        """What will be used: what was given, and the defaults of the rest."""
        return self.dump(True)


class Parameters(Protocol):
    """What arguments must be."""

    @property
    def schema(self) -> JsonSchema: ...

    def read(self, arguments: Arguments) -> Valid:
        """Read the arguments of a call as the function takes them.

        Raises:
            SchemaMismatch: they do not fit.
        """
        ...

    def takes(self, name: str, value: JsonValue) -> bool:
        """Whether the argument could have this value, whatever the others are."""
        ...


class Signature:
    """The positional parameters of a function: held to their JSON Schema, and then to their types."""

    def __init__(self, function: ToolFunction) -> None:
        """Read the parameters of a function from its signature.

        Raises:
            Unfit: a parameter has no type or one without a JSON Schema, or cannot be given by name.
        """
        try:
            self.model = _model(function)
            document = self.model.model_json_schema(schema_generator=_Untitled)
        except PydanticUserError as error:
            raise Unfit(_no_schema(function)) from error
        self.schema = JsonSchema(closed(_untitled(document)))

    def read(self, arguments: Arguments) -> Valid:
        self.schema.require(arguments)
        try:
            found = self.model.model_validate_json(to_json(whole(arguments)), strict=True)
        except ValidationError as invalid:
            errors = invalid.errors(include_url=False, include_input=False)
            raise SchemaMismatch(in_words(placed(each["loc"], each["msg"]) for each in errors)) from invalid
        values = tuple(getattr(found, name) for name in self.model.model_fields)
        return Valid(values, lambda defaults: found.model_dump(mode="json", exclude_unset=not defaults))

    def takes(self, name: str, value: JsonValue) -> bool:
        if not self.schema.takes(name, value):
            return False
        try:
            self.model.model_validate_json(to_json(whole({name: value})), strict=True)
        except ValidationError as invalid:
            return all(each["loc"][0] != name for each in invalid.errors(include_url=False))
        return True


class FromSchema:
    """A JSON Schema of an object. The function gets the arguments as they were given, as one dictionary.

    A default in the schema is what the far end takes where it is given nothing; so it counts as used, and is not sent.
    """

    def __init__(self, schema: JsonSchema) -> None:
        self.schema = schema
        named: Mapping[str, Any] = schema.document.get("properties") or {}  # pyright: ignore[reportAssignmentType]
        defaults = {name: part["default"] for name, part in named.items() if "default" in (part or ())}
        self._defaults = {name: value for name, value in defaults.items() if schema.takes(name, value)}

    def read(self, arguments: Arguments) -> Valid:
        self.schema.require(arguments)
        given: Arguments = whole(arguments)
        return Valid((given,), lambda defaults: copy.deepcopy(self._defaults) | given if defaults else given)

    def takes(self, name: str, value: JsonValue) -> bool:
        return self.schema.takes(name, value)


class _Untitled(GenerateJsonSchema):
    """Without the titles that pydantic makes of names: they cost tokens and say nothing new."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _untitled(document: dict[str, Any]) -> dict[str, Any]:
    """Without the titles that are names of classes."""
    shared = {name: _without_title(part) for name, part in document.get("$defs", {}).items()}
    return _without_title(document) | ({"$defs": shared} if shared else {})


def _without_title(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in schema.items() if name != "title"}


def provided(function: ToolFunction) -> dict[str, type]:
    """The keyword-only parameters of a function: what the worker must give, by type.

    Raises:
        Unfit: one has no type.
    """
    names = [each.name for each in _parameters(function) if each.kind is Parameter.KEYWORD_ONLY]
    return _types(function, names)


def check_takes_a_dictionary(function: ToolFunction) -> None:
    """Refuse a function that does not take its arguments as one dictionary.

    Raises:
        Unfit: the function cannot be called with the arguments as one dictionary.
    """
    positional = [each for each in _parameters(function) if each.kind is not Parameter.KEYWORD_ONLY]
    needed = [each.name for each in positional if each.default is Parameter.empty]
    if not positional or positional[0].kind is Parameter.VAR_KEYWORD or len(needed) > 1:
        raise Unfit("its function takes the arguments as one dictionary: async def run(arguments, *, …)")


def documentation(function: ToolFunction) -> docstring_parser.Docstring:
    return docstring_parser.parse(inspect.getdoc(function) or "")


def _model(function: ToolFunction) -> type[BaseModel]:
    filled_in = [each for each in _parameters(function) if each.kind is not Parameter.KEYWORD_ONLY]
    types = _types(function, [each.name for each in filled_in])
    described = {each.arg_name: each.description for each in documentation(function).params}
    fields: dict[str, Any] = {}
    for each in filled_in:
        if each.kind is not Parameter.POSITIONAL_OR_KEYWORD:
            raise Unfit(f"parameter {each.name} must be one that can be given by name")
        default = ... if each.default is Parameter.empty else each.default
        fields[each.name] = (types[each.name], Field(default=default, description=described.get(each.name)))
    return create_model(function.__name__, __config__=ConfigDict(extra="forbid", frozen=True), **fields)


def _no_schema(function: ToolFunction) -> str:
    """Which parameter it is that pydantic makes no JSON Schema of."""
    for name, kind in get_type_hints(function, include_extras=True).items():
        try:
            TypeAdapter(kind).json_schema()
        except PydanticUserError:
            shown = getattr(kind, "__name__", kind)
            return f"parameter {name}: a model cannot fill in a {shown}; what the worker gives stands behind a *"
    return "no JSON Schema can be made of its parameters"


def _parameters(function: ToolFunction) -> Sequence[Parameter]:
    return [*inspect.signature(function).parameters.values()]


def _types(function: ToolFunction, names: Iterable[str]) -> dict[str, Any]:
    types = get_type_hints(function, include_extras=True)
    if untyped := [name for name in names if name not in types]:
        raise Unfit(f"parameter {untyped[0]} needs a type")
    return {name: types[name] for name in names}
