"""`@tool`: a function becomes something a model may call, and an activity of the same name.

    @tool(about="{city}")
    async def get_weather(city: str, *, http: httpx.AsyncClient) -> Weather:
        \"\"\"Get the current weather in a city.

        Args:
            city: Name of the city, for example "Paris".
        \"\"\"

The positional parameters are what the model fills in: names, types, descriptions and defaults become the JSON Schema,
and arguments are held to it strictly ("3" is not a number). Keyword-only parameters are what the worker gives, by type;
one of type `ToolCall` is the call itself, with its key.
"""

import inspect
import string
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

import docstring_parser
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, create_model
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import to_json

from activities.act import Act
from activities.errors import ConfigurationError, InvalidArguments
from workflows.contract import Arguments, Effect, Route, ToolCall

ToolFunction = Callable[..., Awaitable[object]]
Bound = Callable[[BaseModel, Mapping[type, object]], Awaitable[object]]
"""A tool's function that has its clients: arguments and what differs by call → result."""
F = TypeVar("F", bound=ToolFunction)

PER_CALL = (ToolCall, Act)
"""What a keyword-only parameter may ask for beside the worker's clients: the call, and a write's point of no return."""


@dataclass(frozen=True)
class Tool:
    """A function with what a model, a policy and Temporal must know about it."""

    name: str
    description: str
    function: ToolFunction
    arguments: type[BaseModel]
    provided: Mapping[str, type]
    """The keyword-only parameters: what the worker must give, by type."""
    route: Route
    about: str
    needs: tuple[str, ...]
    grounded: tuple[str, ...]
    idempotent: bool
    claims: str

    def schema(self) -> dict[str, JsonValue]:
        """The JSON Schema of the arguments."""
        schema = self.arguments.model_json_schema(schema_generator=_Untitled)
        return {name: part for name, part in schema.items() if name != "title"}

    def validate(self, arguments: Arguments) -> BaseModel:
        """Hold arguments to the schema.

        Raises:
            InvalidArguments: they do not fit; the message says where and why, for the model to read.
        """
        try:
            return self.arguments.model_validate_json(to_json(arguments), strict=True)
        except ValidationError as invalid:
            problems = "; ".join(
                f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in invalid.errors(include_url=False)[:5]
            )[:1000]
            raise InvalidArguments(f"the arguments of {self.name} are not valid: {problems}") from invalid

    def describe(self, arguments: Arguments) -> str:
        """What a call is about, in a few words for people: "to ann@example.com"."""
        return string.Formatter().vformat(self.about, (), _Shown(arguments))[:180]

    def asks_for(self, kind: type) -> bool:
        return kind in self.provided.values()

    def bind(self, provisions: Mapping[type, object]) -> Bound:
        """Give the function what it needs from the worker. What is left are the arguments, and what differs by call.

        Raises:
            ConfigurationError: the worker has nothing of a type that the function asks for.
        """
        lasting = {name: kind for name, kind in self.provided.items() if kind not in PER_CALL}
        missing = {name: kind for name, kind in lasting.items() if kind not in provisions}
        if missing:
            wanted = ", ".join(f"{name}: {getattr(kind, '__name__', kind)}" for name, kind in missing.items())
            known = ", ".join(sorted(kind.__name__ for kind in [*provisions, *PER_CALL]))
            raise ConfigurationError(f"tool {self.name} asks for {wanted}; a worker can give {known}")
        given = {name: provisions[kind] for name, kind in lasting.items()}

        def run(arguments: BaseModel, for_call: Mapping[type, object]) -> Awaitable[object]:
            values = {name: getattr(arguments, name) for name in type(arguments).model_fields}
            differing = {name: for_call[kind] for name, kind in self.provided.items() if kind in PER_CALL}
            return self.function(**values, **given, **differing)

        return run


def tool(
    *,
    effect: Effect = "read",
    about: str = "",
    timeout: float = 30,
    patience: float = 600,
    attempts: int = 5,
    needs: tuple[str, ...] = (),
    grounded: tuple[str, ...] = (),
    untrusted: bool = False,
    idempotent: bool = False,
    claims: str = "",
) -> Callable[[F], F]:
    """Mark a function as a tool.

    Args:
        effect: `read` may be repeated freely; `write` changes the world: it needs a yes, and the ledger keeps it from
            happening twice. A write that can do much before its point of no return asks for an `Act`.
        about: what a call is about, for people, with the arguments in braces: "to {to}".
        timeout: seconds for one attempt (start-to-close).
        patience: seconds for all attempts together (schedule-to-close).
        attempts: how often it is tried. A write is tried again only where nothing can have happened.
        needs: the settings without which the tool is not offered to the model: ("smtp_url", "mail_from").
        grounded: the arguments whose values somebody other than the model must have mentioned.
        untrusted: the result is a stranger's text, after which no policy allows a write without asking.
        idempotent: the far end knows the call's key (an `Idempotency-Key`) and does nothing twice, so that a write may
            be tried again even where its end is not known.
        claims: the words by which a summary tells of the action, as a regular expression: "sent|emailed|mailed".
    """

    def mark(function: F) -> F:
        arguments, provided = _signature(function)
        if not set(grounded) <= set(arguments.model_fields):
            raise TypeError(f"tool {function.__name__}: grounded names arguments that it has not: {grounded}")
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"tool {function.__name__} must be written with `async def`")
        if effect == "read" and Act in provided.values():
            raise TypeError(f"tool {function.__name__}: only a write has a point of no return")
        made = Tool(
            name=function.__name__,
            description=(_documentation(function).description or "").strip(),
            function=function,
            arguments=arguments,
            provided=provided,
            route=Route(
                effect=effect,
                start_to_close=timeout,
                schedule_to_close=patience,
                attempts=attempts,
                untrusted=untrusted,
            ),
            about=about or "".join(f"{{{name}}}" for name in list(arguments.model_fields)[:1]),
            needs=needs,
            grounded=grounded,
            idempotent=idempotent,
            claims=claims,
        )
        vars(function)["errand_tool"] = made
        return function

    return mark


class _Untitled(GenerateJsonSchema):
    """Without the titles that pydantic makes of names: they cost tokens and say nothing new."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class _Shown(dict[str, str]):
    """Arguments as people read them; one that the model left out is empty."""

    def __init__(self, arguments: Arguments) -> None:
        super().__init__(
            (name, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
            for name, value in arguments.items()
        )

    def __missing__(self, name: str) -> str:
        return ""


def tool_of(thing: object) -> Tool | None:
    """The tool that a function was marked as, if it was."""
    made = getattr(thing, "errand_tool", None)
    return made if isinstance(made, Tool) else None


def _signature(function: ToolFunction) -> tuple[type[BaseModel], dict[str, type]]:
    hints = get_type_hints(function, include_extras=True)
    described = {each.arg_name: each.description for each in _documentation(function).params}
    fields: dict[str, Any] = {}
    provided: dict[str, type] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name not in hints:
            raise TypeError(f"tool {function.__name__}: parameter {name} needs a type")
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            provided[name] = hints[name]
        elif parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
            raise TypeError(f"tool {function.__name__}: parameter {name} must be one that can be given by name")
        else:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[name] = (hints[name], Field(default=default, description=described.get(name)))
    model = create_model(function.__name__, __config__=ConfigDict(extra="forbid", frozen=True), **fields)
    return model, provided


def _documentation(function: ToolFunction) -> docstring_parser.Docstring:
    return docstring_parser.parse(inspect.getdoc(function) or "")
