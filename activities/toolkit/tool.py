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
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar, Unpack, cast

from pydantic import JsonValue

from activities.error_text import trace_of
from activities.errors import ConfigurationError, InvalidArguments, ToolCrashed
from activities.execution.act import Act
from activities.schema.json_schema import SchemaMismatch
from activities.toolkit.about import check_about, described, in_words
from activities.toolkit.argument_model import ToolFunction, documentation
from activities.toolkit.definitions import Unfit, defined_at, naming
from activities.toolkit.earlier_results import Fill
from activities.toolkit.function_names import LEGAL, LONGEST_NAME
from activities.toolkit.lazy_results import awaited
from activities.toolkit.options import ToolOptions, route_of
from activities.toolkit.parameters import MistakenTypes, Parameters, Signature, Valid, provided
from activities.toolkit.written_arguments import change
from workflows.contract.internal import Route, ToolCall
from workflows.contract.values import Arguments, sha256

Bound = Callable[[Valid, Mapping[type, object]], Awaitable[object]]
"""A tool's function that has its clients: arguments and what differs by call → result."""
F = TypeVar("F", bound=ToolFunction)

PER_CALL = (ToolCall, Act)
"""What a keyword-only parameter may ask for beside the worker's clients: the call, and a write's point of no return."""


@dataclass(frozen=True, eq=False)
class Tool:
    """A function with what a model, a policy and Temporal must know about it."""

    name: str
    description: str
    defined_at: str
    """File and line, for people."""
    function: ToolFunction
    parameters: Parameters
    provided: Mapping[str, type]
    """The keyword-only parameters: what the worker must give, by type."""
    route: Route
    about: str
    needs: tuple[str, ...]
    grounded: tuple[str, ...]
    idempotent: bool
    far_end: str
    claim_verbs: tuple[str, ...]
    confirmed: Mapping[str, str]
    same_as: str
    replaces: str
    self_evident: tuple[str, ...]
    fill: Fill | None
    preview: Callable[[Arguments], object] | None = None

    def __str__(self) -> str:
        return f"tool {self.name} ({self.defined_at})"

    @property
    def repeated_as(self) -> str:
        """How a write is asked about again, in 16 characters: of attempts with the same, the far end knows that they
        are one. Empty where it must not be."""
        return sha256([self.name, self.far_end])[:16] if self.idempotent else ""

    def schema(self) -> dict[str, JsonValue]:
        """The JSON Schema of the arguments; the caller's own copy."""
        return copy.deepcopy({**self.parameters.schema.document})

    def validate(self, arguments: Arguments) -> Valid:
        """Hold arguments to the schema.

        Raises:
            InvalidArguments: they do not fit; the message says where and why, for the model to read.
            ToolCrashed: the tool's types break on them, or do not keep them as they are.
        """
        try:
            return self.parameters.read(arguments)
        except SchemaMismatch as misfit:
            raise InvalidArguments(f"the arguments of {self.name} are not valid: {misfit}") from misfit
        except MistakenTypes as mistaken:
            crashed = ToolCrashed(f"a mistake in {self.name}: {mistaken}")
            crashed.trace = trace_of(mistaken)
            raise crashed from mistaken

    def as_decided(self, arguments: Arguments) -> Valid:
        """Read the arguments of a call that is to be run now. They were written down when it was decided, perhaps by a
        worker of another build, whose types were others.

        Raises:
            InvalidArguments: they do not fit, or would not be used as they were decided.
            ToolCrashed: as `validate`.
        """
        valid = self.validate(arguments)
        if valid.given != arguments:
            read = change(arguments, valid.given)
            raise InvalidArguments(
                f"{self.name} would not use its arguments as they were decided ({read}): its types have changed since, "
                "and the call has to be made anew"
            )
        return valid

    def beyond_defaults(self, arguments: Arguments) -> Arguments:
        """Without those arguments that are as the tool's own code has them by default: nobody made these up."""
        defaults = self.parameters.defaults
        return {name: value for name, value in arguments.items() if name not in defaults or value != defaults[name]}

    def argument_names(self) -> list[str]:
        """As the schema names them, in its order."""
        return list(cast("dict[str, JsonValue]", self.parameters.schema.document.get("properties", {})))

    def describe(self, arguments: Arguments) -> str:
        """What a call is about, in a few words for people: "to ann@example.com"; by default, its first argument."""
        return described(self.about, arguments, self.argument_names())

    @property
    def done_for(self) -> tuple[str, ...]:
        """The grounded arguments whose values the action is done for."""
        return tuple(name for name in self.grounded if self.confirmed.get(name) != "")

    def asks_for(self, kind: type) -> bool:
        return kind in self.provided.values()

    def check_provided(self, kinds: Collection[type]) -> None:
        """Refuse a tool that asks for something that a worker does not have.

        Raises:
            ConfigurationError: the function asks for something that is of none of these kinds.
        """
        known = (*kinds, *PER_CALL)
        missing = {name: kind for name, kind in self.provided.items() if kind not in known}
        if missing:
            wanted = ", ".join(f"{name}: {getattr(kind, '__name__', kind)}" for name, kind in missing.items())
            raise ConfigurationError(
                f"{self} asks for {wanted}; a worker can give {', '.join(sorted(kind.__name__ for kind in known))}"
            )

    def bind(self, provisions: Mapping[type, object]) -> Bound:
        """Give the function what it needs from the worker. What is left are the arguments, and what differs by call.

        Raises:
            ConfigurationError: the worker has nothing of a type that the function asks for.
        """
        self.check_provided(provisions)
        lasting = {name: kind for name, kind in self.provided.items() if kind not in PER_CALL}
        given = {name: provisions[kind] for name, kind in lasting.items()}

        def run(arguments: Valid, for_call: Mapping[type, object]) -> Awaitable[object]:
            differing = {name: for_call[kind] for name, kind in self.provided.items() if kind in PER_CALL}
            return awaited(self.function(*arguments.values, **given, **differing))

        return run


def tool(*misplaced: object, **options: Unpack[ToolOptions]) -> Callable[[F], F]:
    """Mark a function as a tool; `ToolOptions` says what the options mean.

    Args:
        misplaced: nothing; what stands here shows that the brackets were forgotten.
        options: such as `effect="write"`.

    Raises:
        ConfigurationError: the function cannot be run as that tool. The message names the tool, its file and its line.
    """
    if misplaced:
        name = getattr(misplaced[0], "__name__", repr(misplaced[0]))
        raise ConfigurationError(f"tool {name} ({defined_at(misplaced[0])}): write @tool() with its brackets")

    def mark(function: F) -> F:
        where = defined_at(function)
        with naming(function.__name__, where):
            description = documentation(function).description or ""
            route = route_of(options, "read")
            made = made_of(function.__name__, description, where, function, Signature(function), route, options)
            vars(function)["errand_tool"] = made
        return function

    return mark


def made_of(
    name: str,
    description: str,
    where: str,
    function: ToolFunction,
    parameters: Parameters,
    route: Route,
    options: ToolOptions,
) -> Tool:
    """Put a tool together from its parts.

    Raises:
        Unfit: its function cannot be run as that tool, or an option does not fit it.
    """
    return _checked(
        Tool(
            name=name,
            description=description.strip(),
            defined_at=where,
            function=function,
            parameters=parameters,
            provided=provided(function),
            route=route,
            about=options.get("about", ""),
            needs=options.get("needs", ()),
            grounded=options.get("grounded", ()),
            idempotent=options.get("idempotent", False),
            far_end=options.get("far_end", ""),
            claim_verbs=options.get("claim_verbs", ()),
            confirmed=options.get("confirmed", {}),
            same_as=options.get("same_as", ""),
            replaces=options.get("replaces", ""),
            self_evident=options.get("self_evident", ()),
            fill=options.get("fill"),
            preview=options.get("preview"),
        )
    )


def _checked(made: Tool) -> Tool:
    if not LEGAL.fullmatch(made.name):
        raise Unfit(f"a name is 1 to {LONGEST_NAME} of a-z A-Z 0-9 _ -")
    for option in ("needs", "grounded", "claim_verbs", "self_evident"):
        if isinstance(value := getattr(made, option), str):
            raise Unfit(f'{option} is a tuple: ("{value}",)')
    if strangers := made.confirmed.keys() - set(made.grounded):
        raise Unfit(f"confirmed names arguments that are not grounded: {', '.join(sorted(strangers))}")
    if inspect.isasyncgenfunction(made.function):
        raise Unfit(
            "its function is a generator, as there is a `yield` in it; return the result whole, as a list for one"
        )
    if not inspect.iscoroutinefunction(made.function):
        raise Unfit("its function must be written with `async def`")
    arguments = made.argument_names()
    for option, names in (("grounded", made.grounded), ("self_evident", made.self_evident)):
        if unknown := [name for name in names if name not in arguments]:
            raise Unfit(f"{option} names {unknown[0]}, which is no argument; {in_words(arguments)}")
    if made.route.asks and made.route.asks not in arguments:
        raise Unfit(f"asks names {made.route.asks}, which is no argument; {in_words(arguments)}")
    if made.route.asks and made.route.effect != "read":
        raise Unfit("a question is a read: nothing happens before its answer")
    if made.route.effect == "read" and made.asks_for(Act):
        raise Unfit("it asks for an Act, but only a write has a point of no return")
    if made.route.effect == "read" and made.preview:
        raise Unfit("it has a preview, but a read runs in a rehearsal too")
    if made.route.attempts < 1 or not 0 < made.route.start_to_close <= made.route.schedule_to_close:
        raise Unfit("attempts is at least 1, timeout more than 0, and total_timeout no less than timeout")
    check_about(made.about, arguments)
    return made


def tool_of(thing: object) -> Tool | None:
    """The tool that a function was marked as, if it was."""
    made = getattr(thing, "errand_tool", None)
    return made if isinstance(made, Tool) else None
