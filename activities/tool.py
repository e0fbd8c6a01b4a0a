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

import copy
import inspect
import string
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from pydantic import JsonValue

from activities.act import Act
from activities.errors import ConfigurationError, InvalidArguments
from activities.parameters import Parameters, Signature, ToolFunction, Valid, documentation, provided
from activities.schema.json_schema import Misfit
from workflows.contract import Arguments, Effect, Route, ToolCall

Bound = Callable[[Valid, Mapping[type, object]], Awaitable[object]]
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
    parameters: Parameters
    provided: Mapping[str, type]
    """The keyword-only parameters: what the worker must give, by type."""
    route: Route
    about: str
    needs: tuple[str, ...]
    grounded: tuple[str, ...]
    idempotent: bool
    claims: str
    confirmed: Mapping[str, str]

    def schema(self) -> dict[str, JsonValue]:
        """The JSON Schema of the arguments; the caller's own copy."""
        return copy.deepcopy({**self.parameters.schema.document})

    def validate(self, arguments: Arguments) -> Valid:
        """Hold arguments to the schema.

        Raises:
            InvalidArguments: they do not fit; the message says where and why, for the model to read.
        """
        try:
            return self.parameters.read(arguments)
        except Misfit as misfit:
            raise InvalidArguments(f"the arguments of {self.name} are not valid: {misfit}") from misfit

    def argument_names(self) -> list[str]:
        """As the schema names them, in its order."""
        return list(cast("dict[str, JsonValue]", self.parameters.schema.document.get("properties", {})))

    def describe(self, arguments: Arguments) -> str:
        """What a call is about, in a few words for people: "to ann@example.com"; by default, its first argument."""
        shown = _Shown(arguments)
        if not self.about:
            return "".join(shown[name] for name in self.argument_names()[:1])[:180]
        return string.Formatter().vformat(self.about, (), shown)[:180]

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

        def run(arguments: Valid, for_call: Mapping[type, object]) -> Awaitable[object]:
            differing = {name: for_call[kind] for name, kind in self.provided.items() if kind in PER_CALL}
            return self.function(*arguments.values, **given, **differing)

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
    confirmed: Mapping[str, str] | None = None,
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
        confirmed: where the action can be done in part, the field of the result that has the values of a grounded
            argument for which it was done: {"to": "accepted"}.
    """

    def mark(function: F) -> F:
        vars(function)["errand_tool"] = checked(
            Tool(
                name=function.__name__,
                description=(documentation(function).description or "").strip(),
                function=function,
                parameters=Signature(function),
                provided=provided(function),
                route=Route(
                    effect=effect,
                    start_to_close=timeout,
                    schedule_to_close=patience,
                    attempts=attempts,
                    untrusted=untrusted,
                ),
                about=about,
                needs=needs,
                grounded=grounded,
                idempotent=idempotent,
                claims=claims,
                confirmed=confirmed or {},
            )
        )
        return function

    return mark


def checked(made: Tool) -> Tool:
    """
    Raises:
        TypeError: its function cannot be run as that tool.
    """
    if not set(made.grounded) <= set(made.argument_names()):
        raise TypeError(f"tool {made.name}: grounded names arguments that it has not: {made.grounded}")
    if not made.confirmed.keys() <= set(made.grounded):
        raise TypeError(f"tool {made.name}: confirmed names arguments that are not grounded: {made.confirmed}")
    if not inspect.iscoroutinefunction(made.function):
        raise TypeError(f"tool {made.name} must be written with `async def`")
    if made.route.effect == "read" and made.asks_for(Act):
        raise TypeError(f"tool {made.name}: only a write has a point of no return")
    return made


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
