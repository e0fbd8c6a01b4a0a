"""The pydantic model of what a function is called with: a field for each parameter that a language model fills in.

The fields have names of our own, and the parameters' names for aliases: so a parameter may have any name, also one that
pydantic keeps for itself (`model_config`, `schema`, `_a`).
"""

import inspect
import warnings
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from inspect import Parameter
from typing import Any, cast, get_type_hints

import docstring_parser
from pydantic import BaseModel, ConfigDict, Field, PydanticUserError, TypeAdapter, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic.warnings import UnsupportedFieldAttributeWarning

from activities.toolkit.definitions import Unfit

ToolFunction = Callable[..., Awaitable[object]]


def argument_model(function: ToolFunction) -> type[BaseModel]:
    """The fields stand in the order of the parameters.

    Raises:
        Unfit: a model cannot fill in a parameter, or a default does not fit.
        PydanticUserError: no such model can be made.
    """
    filled_in = [each for each in parameters_of(function) if each.kind is not Parameter.KEYWORD_ONLY]
    types = types_of(function, [each.name for each in filled_in])
    bare = get_type_hints(function)
    described = {each.arg_name: each.description for each in documentation(function).params}
    fields: dict[str, Any] = {}
    named = list[str]()
    for place, each in enumerate(filled_in):
        kind = types[each.name]
        _check(each, kind, bare[each.name])
        named.append(_name_in_schema(each, kind))
        default = ... if each.default is Parameter.empty else each.default
        field = Field(default=default, alias=named[-1], description=described.get(each.name))
        fields[f"argument_{place}"] = (kind, field)
    if twice := [name for name in named if named.count(name) > 1]:
        raise Unfit(f"two of its parameters are called {twice[0]}")
    return create_model(function.__name__, __config__=ConfigDict(extra="forbid", frozen=True), **fields)


def documentation(function: ToolFunction) -> docstring_parser.Docstring:
    return docstring_parser.parse(inspect.getdoc(function) or "")


def parameters_of(function: ToolFunction) -> Sequence[Parameter]:
    return [*inspect.signature(function).parameters.values()]


def types_of(function: ToolFunction, names: Iterable[str]) -> dict[str, Any]:
    """The types of parameters.

    Raises:
        Unfit: one has none.
    """
    types = get_type_hints(function, include_extras=True)
    if untyped := [name for name in names if name not in types]:
        raise Unfit(f"parameter {untyped[0]} needs a type")
    return {name: types[name] for name in names}


def _name_in_schema(parameter: Parameter, kind: Any) -> str:
    """The parameter's own, unless its type says another: `Annotated[str, Field(alias="from")]`."""
    alias = FieldInfo.from_annotation(kind).validation_alias
    return alias if isinstance(alias, str) else parameter.name


def _check(parameter: Parameter, kind: Any, bare: Any) -> None:
    name = parameter.name
    if parameter.kind is not Parameter.POSITIONAL_OR_KEYWORD:
        raise Unfit(f"parameter {name} must be one that can be given by name")
    try:
        with warnings.catch_warnings():
            # Of an alias, which is the model's business.
            warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
            adapter = TypeAdapter[object](kind)
            adapter.json_schema()
    except PydanticUserError as error:
        raise Unfit(f"parameter {name}: {_why_no_schema(kind, error)}") from error
    if _is_read_once(adapter.core_schema):
        raise Unfit(f"parameter {name}: an Iterable can be read only once; write list[…] or Sequence[…]")
    if parameter.default is not Parameter.empty:
        _check_default(name, parameter.default, adapter, bare)


def _why_no_schema(kind: Any, error: PydanticUserError) -> str:
    if error.code == "typed-dict-version":
        return "before Python 3.12 a TypedDict must be that of typing_extensions, not of typing"
    return f"a model cannot fill in a {getattr(kind, '__name__', kind)}; what the worker gives stands behind a *"


def _is_read_once(schema: object) -> bool:
    """Whether there is a generator in a type: writing it down for the approval would use it up."""
    match schema:
        case dict():
            known = cast("Mapping[str, object]", schema)
            return known.get("type") == "generator" or any(map(_is_read_once, known.values()))
        case list() | tuple():
            return any(map(_is_read_once, cast("Sequence[object]", schema)))
        case _:
            return False


def _check_default(name: str, default: object, adapter: TypeAdapter[object], bare: Any) -> None:
    if isinstance(default, FieldInfo):
        raise Unfit(f"parameter {name}: a default is a value; write {name}: Annotated[…, Field(…)]")
    try:
        adapter.dump_json(default, warnings=False)
    except Exception as error:  # serializers of others may raise anything
        raise Unfit(f"parameter {name}: its default cannot be written as JSON") from error
    # None is what many write for "left out", whatever the type.
    if default is not None and not _fits(default, bare):
        raise Unfit(f"parameter {name}: its default does not fit its type: {default!r:.100}")


def _fits(default: object, bare: Any) -> bool:
    """Whether a default is of its type. What is annotated does not count: "" may stand for none where a text that is
    given must not be empty."""
    try:
        adapter = TypeAdapter[object](bare)
        written = adapter.dump_json(default, warnings=False)
    except Exception:  # a type that is nothing without what is annotated
        return True
    try:
        adapter.validate_python(default, strict=True)
    except ValidationError:
        # () for a list and 1 for a Decimal will do; a text in the place of a date will not.
        return not isinstance(default, str | bytes) and _is_read(adapter, written)
    except Exception:  # a validator's own mistake is told where it is called
        return True
    return True


def _is_read(adapter: TypeAdapter[object], written: bytes) -> bool:
    try:
        adapter.validate_json(written, strict=True)
    except ValidationError:
        return False
    return True
