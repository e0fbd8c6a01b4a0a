"""Calls that an endpoint left in the text, in the notation that the model was trained on. Pure functions.

Only for those who ask for it: a text can also be meant as text. So it must consist of calls of declared tools, in one
of these notations, and of nothing else:

    {"name": …, "arguments": {…}}       "parameters" instead of "arguments", {"function": {…}}, a list of these,
                                        or {"tool_calls": […]}
    <tool_call>{…}</tool_call> …        Hermes and Qwen
    [TOOL_CALLS][{…}, …]                Mistral
    <function=name>{…}</function> …     Llama
    <|python_tag|>{…}                   Llama
"""

import re
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from activities.lenient_json import Object, is_object, parse
from activities.model.wire.wire_calls import RawCall, read_function

_TOOL_CALL = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_FUNCTION = re.compile(r"<function=([^<>]+)>(.*?)(?:</function>|\Z)", re.DOTALL)
_BEFORE = ("[TOOL_CALLS]", "<|python_tag|>")
_AFTER = ("</s>", "<|eom_id|>", "<|eot_id|>")


def leaked(text: str, schemas: Mapping[str, Object]) -> tuple[RawCall, ...]:
    """The calls that a text consists of; none if it is anything else."""
    try:
        calls = tuple(read_function(each, schemas) for each in _functions(text.strip()))
    except ValueError:
        return ()
    return calls if all(each.tool in schemas for each in calls) else ()


def _functions(text: str) -> Iterator[Object]:
    """Each call as `{"name": …, "arguments": …}`.

    Raises:
        ValueError: something in it is no call.
    """
    if text.startswith("<tool_call>"):
        for (inside,) in _blocks(_TOOL_CALL, text):
            yield _function(parse(inside))
    elif text.startswith("<function="):
        for name, arguments in _blocks(_FUNCTION, text):
            yield {"name": name, "arguments": parse(arguments)}
    else:
        yield from _listed(parse(_without_markers(text)))


def _blocks(pattern: re.Pattern[str], text: str) -> list[tuple[str, ...]]:
    if pattern.sub("", text).strip():
        raise ValueError("there is text beside the calls")
    return [found.groups() for found in pattern.finditer(text)]


def _without_markers(text: str) -> str:
    for marker in _BEFORE:
        if text.startswith(marker):
            text = text.removeprefix(marker)
            for end in _AFTER:
                text = text.removesuffix(end)
            break
    return text


def _listed(value: JsonValue) -> list[Object]:
    if is_object(value) and value.keys() == {"tool_calls"}:
        value = value["tool_calls"]
    return [_function(each) for each in value] if isinstance(value, list) else [_function(value)]


def _function(value: JsonValue) -> Object:
    if is_object(value) and "function" in value and value.keys() <= {"id", "type", "index", "function"}:
        value = value["function"]
    fields = value.keys() - {"id", "type"} if is_object(value) else set[str]()
    if not is_object(value) or fields not in ({"name", "arguments"}, {"name", "parameters"}):
        raise ValueError("this is no call")
    return {"name": value["name"], "arguments": value.get("arguments", value.get("parameters"))}
