"""From the bytes of a chat completion to text and tool calls, whatever the endpoint made of the format.

Pure functions. The format: https://platform.openai.com/docs/api-reference/chat/object
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn, TypeGuard, cast

from pydantic import JsonValue

from activities.errors import ModelRefused, ModelReplyUnusable, ModelUnavailable
from workflows.contract import Arguments, Usage

Object = dict[str, JsonValue]


@dataclass(frozen=True)
class RawCall:
    """A call as the model wrote it. With a `problem`, its arguments are not what the model meant."""

    tool: str
    arguments: Arguments
    problem: str | None = None


@dataclass(frozen=True)
class Reply:
    text: str
    calls: tuple[RawCall, ...]
    usage: Usage


def read(body: str) -> Reply:
    """Read the body of a reply with status 200.

    Raises:
        ModelReplyUnusable: it is no chat completion, or one with neither text nor calls.
        ModelUnavailable, ModelRefused: it is an error in disguise.
    """
    try:
        completion = parse(body)
    except ValueError as error:
        raise ModelReplyUnusable(f"the model's reply is not JSON: {body[:200]!r}") from error
    if not _is_object(completion):
        raise ModelReplyUnusable(f"the model's reply is not a chat completion: {body[:200]!r}")
    if completion.get("error"):
        _raise_disguised(completion["error"])
    choice = _first_choice(completion)
    message = choice.get("message")
    if not _is_object(message):
        raise ModelReplyUnusable("the model's reply has a choice without a message")
    calls = tuple(_calls(message, truncated=choice.get("finish_reason") == "length"))
    text = _text(message.get("content")) or _text(message.get("refusal"))
    if not calls and not text:
        raise ModelReplyUnusable("the model answered with neither text nor a tool call")
    return Reply(text, calls, _usage(completion.get("usage")))


def parse(text: str) -> JsonValue:
    """JSON as the standard has it: NaN, Infinity and a repeated name are errors.

    Raises:
        ValueError: it is not.
    """
    return cast(JsonValue, json.loads(text, parse_constant=_not_json, object_pairs_hook=_without_repetition))


def _first_choice(completion: Object) -> Object:
    choices = completion.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not _is_object(first):
        raise ModelReplyUnusable("the model's reply has no choices")
    return first


def _calls(message: Object, *, truncated: bool) -> Iterable[RawCall]:
    made = message.get("tool_calls")
    for each in made if isinstance(made, list) else []:
        function = each.get("function") if _is_object(each) else None
        if not _is_object(function):
            yield RawCall("", {}, "a tool call must name a function and give its arguments")
            continue
        name = function.get("name")
        arguments, problem = _arguments(function.get("arguments"))
        if truncated:
            problem = "the answer was cut off at its length limit, so none of its calls was run"
        yield RawCall(name if isinstance(name, str) else "", arguments, problem)


def _arguments(raw: JsonValue) -> tuple[Arguments, str | None]:
    """Arguments as an object: as JSON text, as JSON text within JSON text, as an object, or left out."""
    value: JsonValue = raw
    for _ in range(2):
        if not isinstance(value, str):
            break
        try:
            value = parse(value) if value.strip() else {}
        except ValueError as error:
            return {}, f"the arguments are not valid JSON ({error}): {raw if isinstance(raw, str) else ''}"
    if value is None:
        return {}, None
    if not _is_object(value):
        return {}, "the arguments must be a JSON object"
    return value, None


def _text(content: JsonValue) -> str:
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if _is_object(part))
    return content.strip() if isinstance(content, str) else ""


def _usage(usage: JsonValue) -> Usage:
    counts = usage if _is_object(usage) else {}
    spent, made = counts.get("prompt_tokens"), counts.get("completion_tokens")
    return Usage(
        model_calls=1,
        input_tokens=spent if isinstance(spent, int) else 0,
        output_tokens=made if isinstance(made, int) else 0,
    )


def _raise_disguised(error: JsonValue) -> NoReturn:
    details = error if _is_object(error) else {"message": str(error)}
    message = f"the model's endpoint answered with an error: {details.get('message')}"
    code = details.get("code") or details.get("status")
    refused = code == "insufficient_quota" or (isinstance(code, int) and 400 <= code < 500 and code not in (408, 429))
    raise ModelRefused(message) if refused else ModelUnavailable(message)


def _is_object(value: JsonValue) -> TypeGuard[Object]:
    return isinstance(value, dict)


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _without_repetition(pairs: list[tuple[str, JsonValue]]) -> Object:
    found: Object = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} is there twice")
        found[name] = value
    return found
