"""What every message is: plain JSON, frozen; and a field that says nothing is not written."""

from typing import Annotated, Any, TypeAlias, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    Strict,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError

from workflows.contract.values import is_blank

T = TypeVar("T")


def _no_text(given: object) -> object:
    """A strict integer would refuse 3.0 too, which in JSON is the same number as 3."""
    if isinstance(given, bool | str):
        raise PydanticKnownError("int_type")
    return given


def _seen(given: str) -> str:
    if is_blank(given):
        raise PydanticKnownError("string_pattern_mismatch", {"pattern": r"\S"})
    return given


Seen: TypeAlias = Annotated[str, Field(pattern=r"\S"), AfterValidator(_seen)]
"""A text of which a person sees something."""
Flag: TypeAlias = Annotated[bool, Strict()]
Number: TypeAlias = Annotated[float, Strict()]
Count: TypeAlias = Annotated[int, Field(ge=1), BeforeValidator(_no_text)]
"""What callers write is what the published JSON Schemas say: no text that looks like a number, no 1 for a yes."""


def omitted(default: T, description: str | None = None, **rules: Any) -> T:
    """A field that is not written where it has its default: histories stay small."""
    return Field(default=default, exclude_if=lambda value: value == default, description=description, **rules)


class Message(BaseModel):
    """A frozen value; fields that a newer sender knows and this reader does not are ignored."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Of what is written: all fields but those that are left out where they say nothing."""
        document = handler(schema)
        always = [name for name, field in cls.model_fields.items() if field.exclude_if is None]
        handler.resolve_ref_schema(document)["required"] = always
        return document


class Input(BaseModel):
    """What a caller writes: frozen. A misspelt field is an error instead of being ignored, and null is unset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _null_is_unset(cls, given: object) -> object:
        """Java, Go and .NET write null for what their caller has left out."""
        if not isinstance(given, dict):
            return given
        fields = cast("dict[str, object]", given)
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {name: value for name, value in fields.items() if value is not None or name not in optional}
