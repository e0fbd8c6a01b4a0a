"""From the bytes of a chat completion to text and tool calls, whatever the endpoint made of the format.

Pure functions. The format: https://platform.openai.com/docs/api-reference/chat/object
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn, TypeGuard, cast

from pydantic import JsonValue

from activities.errors import ModelRefused, ModelReplyUnusable, ModelUnavailable
from workflows.contract import Arguments, Usage

Object = dict[str, JsonValue]

DEEPEST = 64
"""Levels of nesting. Arguments travel some levels down in other messages, and pydantic reads no more than 200."""

MOST_CALLS = 100
LONGEST_TEXT = 64 * 1024
"""Characters. A payload has its limit of 2 MB, and a reply that breaks it would never arrive."""


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
    if len(calls) > MOST_CALLS:
        raise ModelReplyUnusable(f"the model asked for {len(calls):,} calls at once; {MOST_CALLS} are the most")
    text = (_text(message.get("content")) or _text(message.get("refusal")))[:LONGEST_TEXT]
    if not calls and not text:
        raise ModelReplyUnusable("the model answered with neither text nor a tool call")
    return Reply(text, calls, _usage(completion.get("usage")))


def parse(text: str) -> JsonValue:
    """JSON that means one thing and can be passed on: a repeated name, NaN, a number past all floats, half a surrogate
    pair and endless nesting are errors.

    Raises:
        ValueError: it is something else.
    """
    try:
        value = cast(
            JsonValue,
            json.loads(text, parse_constant=_not_json, parse_float=_finite, object_pairs_hook=_without_repetition),
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _can_be_passed_on(value, DEEPEST)
    return value


def _first_choice(completion: Object) -> Object:
    choices = completion.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not _is_object(first):
        raise ModelReplyUnusable("the model's reply has no choices")
    return first


def _calls(message: Object, *, truncated: bool) -> Iterable[RawCall]:
    made = message.get("tool_calls") or []
    if not isinstance(made, list):
        raise ModelReplyUnusable("the model's reply has tool calls that are no list")
    for each in made:
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
            return {}, f"the arguments are not valid JSON ({error}): {str(raw)[:500]}"
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


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is too large")
    return value


def _can_be_passed_on(value: JsonValue, levels: int) -> None:
    if levels == 0:
        raise ValueError("it is nested too deeply")
    match value:
        case str():
            value.encode()
        case list():
            for each in value:
                _can_be_passed_on(each, levels - 1)
        case dict():
            for name, each in value.items():
                name.encode()
                _can_be_passed_on(each, levels - 1)
        case _:
            pass


def _without_repetition(pairs: list[tuple[str, JsonValue]]) -> Object:
    found: Object = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} is there twice")
        found[name] = value
    return found
