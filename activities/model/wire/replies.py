"""From the bytes of a chat completion to text and tool calls, whatever the endpoint made of the format.

Pure functions. The format: https://platform.openai.com/docs/api-reference/chat/object
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import JsonValue
from pydantic_core import to_json

from activities.errors import ModelError, ModelRefused, ModelReplyUnusable, ModelUnavailable
from activities.lenient_json import Object, is_object
from activities.model.prices import MOST_TOKENS, estimated_tokens
from activities.model.wire.event_stream import BROKEN_OFF, read_body
from activities.model.wire.leaked_calls import leaked
from activities.model.wire.reply_errors import raise_error_in
from activities.model.wire.wire_calls import RawCall, bounded, read_calls
from workflows.contract.api import Usage

MOST_CALLS = 100
LONGEST_TEXT = 64 * 1024
"""Characters. A payload has its limit of 2 MB, and a reply that breaks it would never arrive."""

LONGEST_CALLS = 512 * 1024
"""Bytes of JSON, for all calls of a reply together."""

LONGEST_QUOTE = 120
"""Characters of a reply that is of no use. What went wrong has to fit into one line."""

CUT_OFF = "the answer was cut off at its length limit, so none of its calls was run"
ONLY_REASONING = (
    "the reply held reasoning and nothing else, and nothing was run; "
    "after the reasoning, call a function with a tool call of its own, or answer in plain text"
)

_CUT_OFF = frozenset({"length", "max_tokens", "model_length"})
_INTERRUPTED = frozenset({"error", "abort", "insufficient_system_resource", BROKEN_OFF})
_NOT_SENT_BACK = frozenset(
    {"role", "content", "refusal", "tool_calls", "function_call", "reasoning", "reasoning_content"}
    | {"annotations", "audio", "name", "parsed"}
)
"""What a message holds that is read here, or that endpoints write and do not accept."""

_NOT_SAID = ("refusal", "thinking", "reasoning")
_THOUGHT = re.compile(r"^[ \t]*<(think|thinking)>(.*?)(?:</\1>|\Z)", re.DOTALL | re.MULTILINE)
_END_OF_THOUGHT = "</think>"


@dataclass(frozen=True)
class Reply:
    """What the model said.

    `calls` are to be run, or their `problem` told. `text` is what stands beside them, or the answer. `extra` is what
    the endpoint put on the message beside the standard fields and the reasoning, to be sent back as it is.
    """

    text: str
    calls: tuple[RawCall, ...]
    usage: Usage
    reasoning: str = ""
    extra: Object = field(default_factory=dict[str, JsonValue])
    refused: bool = False
    """`text` says that, or why, the model will not do it."""
    cut_off: bool = False
    """`text` is the beginning of an answer that reached its length limit; it may be empty."""
    problem: str | None = None
    """There is neither text nor a call; the model is to be told this, and asked again."""


@dataclass(frozen=True)
class _Said:
    text: str
    reasoning: str
    refusal: str


def read(
    body: str, *, schemas: Mapping[str, Object] | None = None, recover: bool = False, max_tokens: int | None = None
) -> Reply:
    """Read the body of a reply with status 200.

    Its usage is the endpoint's count. Where that is missing, zero or absurd, the tokens that were written are estimated
    (bytes / 3), and those that were read are 0: the reply does not show them.

    Args:
        body: as it came.
        schemas: the offered tools' JSON Schemas, by name.
        recover: take calls that make up the whole text for calls.
        max_tokens: the limit that was asked for. A reply that has reached it counts as cut off.

    Raises:
        ModelReplyUnusable: it is no chat completion, or one with neither text nor calls.
        ModelUnavailable, ModelRefused: it is an error in disguise, or was interrupted or withheld.
            These errors carry what it has used, unless nobody knows that or it has used nothing.
    """
    completion = _completion(body)
    counted = _usage(completion.get("usage"))
    spent = max_tokens is not None and counted.output_tokens >= max_tokens
    usage = counted if counted.output_tokens else counted.model_copy(update={"output_tokens": _estimated(completion)})
    try:
        choice = _first_choice(completion, body)
        message = choice.get("message")
        if not is_object(message):
            raise ModelReplyUnusable("the model's reply has a choice without a message")
        cut_off = spent or _finish(choice) in _CUT_OFF
        return _reply(message, usage, schemas or {}, recover=recover, cut_off=cut_off)
    except ModelReplyUnusable as error:
        error.usage = counted if counted.output_tokens else None
        raise
    except ModelError as error:
        error.usage = usage
        raise


def _completion(body: str) -> Object:
    try:
        completion = read_body(body)
    except ValueError as error:
        raise ModelReplyUnusable(f"the model's reply cannot be read as JSON ({error}): {_beginning(body)}") from error
    try:
        raise_error_in(completion)
    except ModelUnavailable as error:  # as one with status 5xx: the question was taken
        error.usage = Usage(model_calls=1)
        raise
    if not is_object(completion):
        raise ModelReplyUnusable(f"the model's reply is not a chat completion: {_beginning(body)}")
    return completion


def _beginning(body: str) -> str:
    """On one line."""
    return repr(body[:LONGEST_QUOTE]) if body else "it is empty"


def _first_choice(completion: Object, body: str) -> Object:
    """The first choice of a reply, which is complete.

    Raises:
        ModelReplyUnusable: there is none.
        ModelUnavailable: it was interrupted, so more may have been meant than is there.
        ModelRefused: the endpoint withheld it.
    """
    choices = completion.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not is_object(first):
        raise ModelReplyUnusable(f"the model's reply has no choices: {_beginning(body)}")
    raise_error_in(first)
    finish = _finish(first)
    if finish in _INTERRUPTED:
        raise ModelUnavailable(f"the model's endpoint broke off its reply (finish_reason {finish!r})")
    if finish == "content_filter":
        raise ModelRefused("the endpoint's content filter withheld the reply; the request has to be put differently")
    return first


def _reply(message: Object, usage: Usage, schemas: Mapping[str, Object], *, recover: bool, cut_off: bool) -> Reply:
    said = _said(message)
    reply = Reply(said.text[:LONGEST_TEXT], (), usage, said.reasoning[:LONGEST_TEXT], _extra(message))
    if said.refusal:
        return replace(reply, text=said.refusal[:LONGEST_TEXT], refused=True)
    return _with_calls(reply, message, said.text, schemas, recover=recover, cut_off=cut_off)


def _with_calls(
    reply: Reply, message: Object, text: str, schemas: Mapping[str, Object], *, recover: bool, cut_off: bool
) -> Reply:
    """The reply with its calls; without any it must have something else to say."""
    made = message.get("tool_calls")
    _limit_number(made if isinstance(made, list) else ())  # before so many are read
    calls = tuple(read_calls(message, schemas))
    if not calls and recover and (calls := leaked(text, schemas)):
        reply = replace(reply, text="")
    _limit_number(calls)
    _limit_size(calls)
    if calls:
        return replace(reply, calls=tuple(replace(each, problem=CUT_OFF) for each in calls) if cut_off else calls)
    if reply.text or cut_off:
        return replace(reply, cut_off=cut_off)
    if reply.reasoning:
        return replace(reply, problem=ONLY_REASONING)
    raise ModelReplyUnusable("the model answered with neither text nor a tool call")


def _limit_number(calls: Sequence[object]) -> None:
    if len(calls) > MOST_CALLS:
        raise ModelReplyUnusable(f"the model asked for {len(calls):,} calls at once; {MOST_CALLS} are the most")


def _limit_size(calls: Sequence[RawCall]) -> None:
    if sum(len(to_json(each.arguments)) + len(to_json(each.extra)) for each in calls) > LONGEST_CALLS:
        raise ModelReplyUnusable(f"the model's calls are longer than {LONGEST_CALLS:,} bytes")


def _extra(message: Object) -> Object:
    unknown = ((name, value) for name, value in message.items() if name not in _NOT_SENT_BACK)
    return bounded({name: value for name, value in unknown if value not in (None, "", [], {})})


def _finish(choice: Object) -> str:
    return str(choice.get("finish_reason")).casefold()


def _said(message: Object) -> _Said:
    content = message.get("content")
    text, thoughts = _without_thoughts(_text(content).strip())
    refusal = _text(message.get("refusal")) or _parts(content, "refusal")
    separate = _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
    reasoning = (separate, _parts(content, "thinking"), _parts(content, "reasoning"), thoughts)
    return _Said(text, "\n".join(each.strip() for each in reasoning if each.strip()), refusal.strip())


def _text(content: JsonValue) -> str:
    """Content as text, or as a list of parts: `[{"type": "text", "text": …}, …]`."""
    if isinstance(content, list):
        return "".join(_text(each) for each in content)
    if is_object(content):
        return _text(content.get("text")) if content.get("type") not in _NOT_SAID else ""
    return content if isinstance(content, str) else ""


def _parts(content: JsonValue, kind: str) -> str:
    """What the parts of a kind say: `{"type": "refusal", "refusal": …}`, `{"type": "thinking", "thinking": […]}`."""
    parts = content if isinstance(content, list) else []
    return "".join(
        _text(each.get(kind) or each.get("text")) for each in parts if is_object(each) and each.get("type") == kind
    )


def _without_thoughts(text: str) -> tuple[str, str]:
    """Text without the `<think>…</think>` in it, and what these say. The last may lack its end, and the first its
    beginning, which several models' templates write into the question."""
    before, end, after = text.partition(_END_OF_THOUGHT)
    started = bool(end) and "<think>" not in before
    rest, unstarted = (after, before) if started else (text, "")
    thoughts = [unstarted, *(found[2] for found in _THOUGHT.finditer(rest))]
    return _THOUGHT.sub("", rest).strip(), "\n".join(each.strip() for each in thoughts if each.strip())


def _usage(usage: JsonValue) -> Usage:
    counts = usage if is_object(usage) else {}
    return Usage(
        model_calls=1,
        input_tokens=_count(counts.get("prompt_tokens")),
        output_tokens=_count(counts.get("completion_tokens")),
    )


def _count(value: JsonValue) -> int:
    """Tokens; what cannot be a number of tokens is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 <= value <= MOST_TOKENS else 0


def _estimated(completion: Object) -> int:
    """How many tokens the model has written, by the bytes of its text, its reasoning and its calls."""
    choices = completion.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if is_object(choice) else None
    if not is_object(message):
        return 0
    said = _said(message)
    calls = message.get("tool_calls") or message.get("function_call")
    return estimated_tokens(said.text, said.reasoning, said.refusal, to_json(calls) if calls else "")
