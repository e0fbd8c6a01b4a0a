"""What may be said of a tool beside its parameters; the same for every kind of tool."""

from collections.abc import Callable, Mapping
from typing import TypedDict

from pydantic import ValidationError

from activities.toolkit.definitions import Unfit
from activities.toolkit.earlier_results import Fill
from workflows.contract.internal import Route
from workflows.contract.values import Arguments, Effect


class ToolOptions(TypedDict, total=False):
    """Options of `@tool` and `tool_from_schema`. What is left out has the default that is named here."""

    effect: Effect
    """`read` may be repeated freely; `write` changes the world: it needs a yes, and the ledger keeps it from happening
    twice. A write that can do much before its point of no return asks for an `Act`. By default `read` for `@tool`, and
    `write` for what comes from elsewhere."""
    about: str
    """What a call is about, for people, with the arguments in braces: "to {to}". By default, the first argument."""
    timeout: float
    """Seconds for one attempt (start-to-close): 30."""
    total_timeout: float
    """Seconds for all attempts together (schedule-to-close): 600."""
    attempts: int
    """How often it is tried: 5. A write is tried again only where nothing can have happened."""
    needs: tuple[str, ...]
    """The settings of the service without which the tool is not offered to the model: ("smtp_url", "mail_from"). For
    settings of its own, a tool asks for an instance of its own pydantic-settings class."""
    grounded: tuple[str, ...]
    """The arguments whose values somebody other than the model must have mentioned."""
    untrusted: bool
    """The result is a stranger's text, after which no policy allows a write without asking."""
    idempotent: bool
    """The far end knows the call's key (an `Idempotency-Key`) and does nothing twice, so that a write may be tried
    again even where its end is not known."""
    far_end: str
    """Of an idempotent tool, where and how it asks, in any words: the address, the header with the key. A worker whose
    tool says otherwise leaves a write that one with these words began `unknown`, instead of asking another far end."""
    claim_verbs: tuple[str, ...]
    """The words by which a summary tells of the action: ("sent", "emailed", "mailed")."""
    confirmed: Mapping[str, str]
    """Where the action can be done in part, the field of the result that has the values of a grounded argument for
    which it was done: {"to": "accepted"}. No field at all, where the argument says nothing of whom it is done for:
    {"reply_to": ""}."""
    same_as: str
    """The tool whose action this one may repeat, because it does the same in another way: a call to the same recipients
    counts as the same, whichever of the two it is of."""
    preview: Callable[[Arguments], object]
    """Of a write: what stands in for its result in a rehearsal, made of the arguments as they would be used. It is a
    function without effects. By default the model is told that the write is planned."""
    asks: str
    """The argument that is a question to people. The function is never run: what somebody says is the result, and where
    nobody does in time (`limits.approval_seconds`), that is."""
    self_evident: tuple[str, ...]
    """The arguments that are clear by their names and types, to a model that was trained on many functions. It is not
    told their descriptions and bounds; a call is held to them all the same."""
    fill: Fill
    """Puts the results of earlier calls into arguments that name them, before anything is decided about the call: what
    a person approves, and what the ledger knows, is what runs."""
    replaces: str
    """The tool that is not offered because this one is, under the same name or another."""


def route_of(options: ToolOptions, effect: Effect) -> Route:
    """The route of a tool's calls, from its options.

    Raises:
        Unfit: an option is none of its kind, or there is no such option.
    """
    known = ToolOptions.__annotations__
    if strangers := [name for name in options if name not in known]:
        raise Unfit(f"there is no option {strangers[0]}; the options are {', '.join(known)}")
    try:
        return Route(
            effect=options.get("effect", effect),
            start_to_close=options.get("timeout", 30),
            schedule_to_close=options.get("total_timeout", 600),
            attempts=options.get("attempts", 5),
            untrusted=options.get("untrusted", False),
            asks=options.get("asks", ""),
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = {"start_to_close": "timeout", "schedule_to_close": "total_timeout"}
        field = str(first["loc"][0])
        raise Unfit(f"{option.get(field, field)}: {first['msg']}, not {first['input']!r}") from error
