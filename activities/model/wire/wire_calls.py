"""The tool calls of a chat completion's message, as the model made them. Pure functions on parsed JSON.

The format: https://platform.openai.com/docs/api-reference/chat/object
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pydantic import JsonValue
from pydantic_core import to_json

from activities.errors import ModelReplyUnusable
from activities.lenient_json import Object, is_object
from activities.model.wire.call_arguments import read_arguments
from workflows.contract.values import Arguments

LONGEST_EXTRA = 16 * 1024
"""Bytes of JSON. What is longer is dropped: it stands in every later question."""

PARALLEL = frozenset({"multi_tool_use.parallel", "parallel"})
"""Made-up functions whose one argument, `tool_uses`, is a list of calls. OpenAI's models were trained on them."""

_CALL_FIELDS = frozenset({"id", "type", "function", "custom", "index"})
_NAMES_FOR_ARGUMENTS = ("arguments", "parameters", "input", "args", "kwargs")
_NO_FUNCTION = "a tool call must name a function and give its arguments"


@dataclass(frozen=True)
class RawCall:
    """A call as the model wrote it. With a `problem`, which is for the model to read, it must not be run.

    `tool` is the declared tool that the name means, if any, else the name itself. `arguments` are empty where they
    could not be read. `extra` is what the endpoint put on the call beside the standard fields, to be sent back as is.
    """

    tool: str
    arguments: Arguments
    problem: str | None = None
    extra: Object = field(default_factory=dict[str, JsonValue])


def read_calls(message: Object, schemas: Mapping[str, Object]) -> Iterator[RawCall]:
    """The calls of a message, in the order that the model made them.

    Args:
        message: `{"tool_calls": [{"function": {"name": …, "arguments": "{…}"}}, …]}`, or the older
            `{"function_call": {"name": …, "arguments": "{…}"}}`.
        schemas: the declared tools' JSON Schemas, by name.

    Raises:
        ModelReplyUnusable: the calls are no list.
    """
    made = message.get("tool_calls") or _old_style(message)
    if not isinstance(made, list):
        raise ModelReplyUnusable("the model's reply has tool calls that are no list")
    for each in _in_order(made):
        yield from _expanded(_call(each, schemas), schemas)


def read_function(function: Object, schemas: Mapping[str, Object], beside: Object | None = None) -> RawCall:
    """The call that `{"name": …, "arguments": …}` is.

    Without arguments it is a call without arguments, unless some are in another field of it, or of what is `beside` it.
    """
    name = function.get("name")
    if not isinstance(name, str) or not name.strip():
        return RawCall("", {}, _NO_FUNCTION)
    tool = declared(name, schemas)
    raw = function.get("arguments")
    if not raw and any(each.get(field) for each in (function, beside or {}) for field in _NAMES_FOR_ARGUMENTS):
        return RawCall(tool, {}, "the arguments must be in the field `arguments` of the call's function")
    arguments, problem = read_arguments(raw, schemas.get(tool, {}))
    return RawCall(tool, arguments, problem)


def declared(name: str, schemas: Mapping[str, Object]) -> str:
    """The declared tool that a name means: the very name, else the name without gpt-oss's `<|channel|>commentary` after
    it or `functions.` before it. A name that means none stays as it is."""
    cut = name.partition("<|")[0].strip()
    return next((each for each in (name, cut, cut.removeprefix("functions.")) if each in schemas), name)


def bounded(extra: Object) -> Object:
    return extra if len(to_json(extra)) <= LONGEST_EXTRA else {}


def _old_style(message: Object) -> list[JsonValue]:
    function = message.get("function_call")
    return [{"function": function}] if is_object(function) and function.get("name") else []


def _in_order(made: list[JsonValue]) -> list[JsonValue]:
    """By `index`, which is the place in the list, where every call has its own."""
    numbered = {at: each for each in made if is_object(each) and isinstance(at := each.get("index"), int)}
    return [numbered[at] for at in sorted(numbered)] if len(numbered) == len(made) else made


def _call(made: JsonValue, schemas: Mapping[str, Object]) -> RawCall:
    if not is_object(made):
        return RawCall("", {}, _NO_FUNCTION)
    if made.get("type") == "custom":
        return _custom(made.get("custom"))
    function = made.get("function")
    if not is_object(function):
        return RawCall("", {}, _NO_FUNCTION)
    extra: Object = {name: value for name, value in made.items() if name not in _CALL_FIELDS and value is not None}
    return replace(read_function(function, schemas, beside=made), extra=bounded(extra))


def _custom(custom: JsonValue) -> RawCall:
    """A call with free text instead of arguments; nothing of that kind was offered."""
    name = custom.get("name") if is_object(custom) else None
    problem = "this is a custom call with free text; call a function, with its arguments as a JSON object"
    return RawCall(name if isinstance(name, str) else "", {}, problem)


def _expanded(call: RawCall, schemas: Mapping[str, Object]) -> tuple[RawCall, ...]:
    """The calls inside of one that stands for several, if each is of a declared tool; else the call itself."""
    if call.tool not in PARALLEL or call.tool in schemas or call.arguments.keys() != {"tool_uses"}:
        return (call,)
    uses = call.arguments["tool_uses"]
    inner = [_use(each, schemas) for each in uses] if isinstance(uses, list) else []
    if not inner or not all(each.tool in schemas for each in inner):
        return (call,)
    return (replace(inner[0], extra=call.extra), *inner[1:])


def _use(use: JsonValue, schemas: Mapping[str, Object]) -> RawCall:
    """`{"recipient_name": "functions.get_weather", "parameters": {…}}`."""
    if not is_object(use) or not use.keys() <= {"recipient_name", "parameters"}:
        return RawCall("", {}, _NO_FUNCTION)
    return read_function({"name": use.get("recipient_name"), "arguments": use.get("parameters")}, schemas)
