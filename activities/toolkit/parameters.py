"""What a model fills in when it calls a tool, and what becomes of it.

`Signature` takes it from a Python function; `schema_tools` from a JSON Schema.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import Any, Protocol

from pydantic import BaseModel, JsonValue, PydanticUserError, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import to_json

from activities.error_text import in_one_line, said_by
from activities.errors import InvalidArguments
from activities.schema.additional_properties import closed
from activities.schema.json_schema import JsonSchema, SchemaMismatch, whole
from activities.schema.problems import in_words, placed
from activities.toolkit.argument_model import ToolFunction, argument_model, parameters_of, types_of
from activities.toolkit.definitions import Unfit
from activities.toolkit.written_arguments import NOTHING, Defaults, can_be_written, change, same, written
from workflows.contract.values import Arguments


class MistakenTypes(Exception):
    """The types of a tool break on arguments, or do not keep them as they are. What is said has the tool for its
    subject: "its types …"."""


@dataclass(frozen=True)
class Valid:
    """Arguments that fit."""

    values: tuple[object, ...]
    """What the tool's function is called with."""
    given: Arguments
    """What is decided: what was given, as it will be used, and the defaults that say something, in JSON."""
    used: Arguments
    """What will be used: what was given, and the defaults of the rest."""


class Parameters(Protocol):
    """What arguments must be."""

    @property
    def schema(self) -> JsonSchema: ...

    @property
    def defaults(self) -> Arguments:
        """What the tool's own code has for arguments that are left out, where that says something."""
        ...

    def read(self, arguments: Arguments) -> Valid:
        """Read the arguments of a call as the function takes them.

        Raises:
            SchemaMismatch: they do not fit.
            MistakenTypes: it cannot be said whether they do, or they would not be used as they are written down.
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
            self.model = argument_model(function)
            document = self.model.model_json_schema(schema_generator=_Untitled)
        except PydanticUserError as error:
            raise Unfit("no JSON Schema can be made of its parameters") from error
        self.schema = JsonSchema(closed(_untitled(document)))
        self.defaults: Arguments = written(self.model.model_construct(), "telling")

    def read(self, arguments: Arguments) -> Valid:
        """What is written down of them is what is approved, and it is read again before the function runs. So it is
        read again here, unless it is what was given."""
        found, valid = self._read(arguments)
        if valid.given != arguments:
            self._require_lasting(found, valid.given)
        return self._with_defaults(valid, self._written(found, "telling"))

    def _with_defaults(self, valid: Valid, telling: Arguments) -> Valid:
        """With the defaults that say something: who decides sees them, and a later build may have others."""
        defaults = {name: value for name, value in telling.items() if valid.given.get(name, NOTHING) != value}
        if not defaults:
            return valid
        if together := self._with(valid, defaults):
            return together
        for name, value in defaults.items():
            valid = self._with(valid, {name: value}) or valid
        return valid

    def _with(self, valid: Valid, defaults: Arguments) -> Valid | None:
        """None, where its type does not take a default, or would change it: then it is used as it stands."""
        try:
            _, once = self._read({**valid.given, **defaults})
            _, again = self._read(once.given)
            as_they_are = all(once.given[name] == value for name, value in defaults.items())
            # 1 for a Decimal is read as "1".
            lasts = again.given == once.given and (as_they_are or once.values == valid.values)
        except Exception:  # types of others may raise anything
            return None
        return again if lasts else None

    def _require_lasting(self, found: BaseModel, given: Arguments) -> None:
        try:
            again, valid = self._read(given)
        except SchemaMismatch as misfit:
            raise MistakenTypes(f"its types make of what they are given what they do not take: {misfit}") from misfit
        if valid.given != given:
            what = f"change what they are given each time they are read ({change(given, valid.given)})"
            raise MistakenTypes(f"its types {what}; a validator must leave alone what it has made")
        for name, field in self.model.model_fields.items():
            if not same(getattr(found, name), getattr(again, name)):
                raise MistakenTypes(f"argument {field.alias} is not the same once it was written down as JSON")

    def _read(self, arguments: Arguments) -> tuple[BaseModel, Valid]:
        self.schema.require(arguments)
        try:
            found = self._validated(arguments)
        except ValidationError as invalid:
            errors = invalid.errors(include_url=False, include_input=False)
            raise SchemaMismatch(in_words(placed(each["loc"], said_by(each)) for each in errors)) from invalid
        except InvalidArguments:  # a validator's own word
            raise
        except Exception as error:
            broken = next((f" on argument {name}" for name in arguments if self._breaks_on(name, arguments[name])), "")
            raise MistakenTypes(f"its types broke{broken}: {in_one_line(error)}") from error
        values = tuple(getattr(found, name) for name in self.model.model_fields)
        return found, Valid(values, self._written(found, "none"), self._written(found, "all"))

    def _validated(self, arguments: Arguments) -> BaseModel:
        return self.model.model_validate_json(to_json(whole(arguments)), strict=True)

    def _breaks_on(self, name: str, value: JsonValue) -> bool:
        """Whether it is this argument for which another error is raised than that it does not fit."""
        try:
            self._validated({name: value})
        except ValidationError:
            return False
        except Exception:
            return True
        return False

    def _written(self, found: BaseModel, defaults: Defaults) -> Arguments:
        try:
            return written(found, defaults)
        except Exception as error:
            names = [
                str(field.alias) for own, field in self.model.model_fields.items() if not can_be_written(found, own)
            ]
            which = ", ".join(names) or "all together"
            raise MistakenTypes(f"argument {which} cannot be written as JSON: {in_one_line(error)}") from error

    def takes(self, name: str, value: JsonValue) -> bool:
        if not self.schema.takes(name, value):
            return False
        try:
            self._validated({name: value})
        except ValidationError as invalid:
            return all(each["loc"][0] != name for each in invalid.errors(include_url=False))
        except Exception:  # told where it is called
            return False
        return True


class FromSchema:
    """A JSON Schema of an object. The function gets the arguments as they were given, as one dictionary.

    A default in the schema is what the far end takes where it is given nothing; so it counts as used, and is not sent.
    """

    def __init__(self, schema: JsonSchema) -> None:
        self.schema = schema
        self.defaults: Arguments = {}  # the far end's word, which is no ground for anything
        named: Mapping[str, Any] = schema.document.get("properties") or {}  # pyright: ignore[reportAssignmentType]
        found = {name: part["default"] for name, part in named.items() if "default" in (part or ())}
        self._filled_in = {name: value for name, value in found.items() if schema.takes(name, value)}

    def read(self, arguments: Arguments) -> Valid:
        self.schema.require(arguments)
        given: Arguments = whole(arguments)
        return Valid((given,), given, copy.deepcopy(self._filled_in) | given)

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
    names = [each.name for each in parameters_of(function) if each.kind is Parameter.KEYWORD_ONLY]
    return types_of(function, names)


def check_takes_a_dictionary(function: ToolFunction) -> None:
    """Refuse a function that does not take its arguments as one dictionary.

    Raises:
        Unfit: the function cannot be called with the arguments as one dictionary.
    """
    positional = [each for each in parameters_of(function) if each.kind is not Parameter.KEYWORD_ONLY]
    needed = [each.name for each in positional if each.default is Parameter.empty]
    if not positional or positional[0].kind is Parameter.VAR_KEYWORD or len(needed) > 1:
        raise Unfit("its function takes the arguments as one dictionary: async def run(arguments, *, …)")
