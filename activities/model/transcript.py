"""The conversation as an endpoint accepts it: `messages` of a chat completion, valid whatever the model has written.

The format: https://platform.openai.com/docs/api-reference/chat/create
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import cast

from openai.types.chat import (
    ChatCompletionAssistantMessageParam,
    ChatCompletionMessageFunctionToolCallParam,
    ChatCompletionMessageParam,
)
from pydantic_core import to_json

from activities.model.bare_json import bare
from activities.model.profiles import COMPATIBLE, Echo, Profile
from activities.toolkit.function_names import sendable
from workflows.contract.conversation import AssistantEntry, Entry, NoteEntry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.values import Extra, Schema

STANDARD = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "function_call", "refusal"})
"""What only this module writes into a message."""
NO_RESULT = "there is no result of this call: it was not run"


@dataclass(frozen=True)
class Offer:
    """A function that the model may call, under the name that it is sent under."""

    name: str
    description: str
    parameters: Schema
    self_evident: tuple[str, ...] = ()
    """The arguments that are clear by their names."""


def to_messages(
    system_prompt: str, conversation: Iterable[Entry], profile: Profile = COMPATIBLE
) -> list[ChatCompletionMessageParam]:
    """One system message; arguments that are valid JSON; directly behind a message with calls exactly one tool message
    for each, in order, under an id of nine letters and digits (what Mistral asks for); the rest as the profile says.
    """
    messages: list[ChatCompletionMessageParam] = []
    if system_prompt:
        messages.append({"role": "system", "content": system_prompt})
    spoken = filter(_says_something, conversation)
    for is_model, said in groupby(spoken, lambda entry: isinstance(entry, AssistantEntry)):
        if not is_model:
            texts = [entry.text for entry in said if isinstance(entry, UserEntry | NoteEntry)]
            messages += _user_messages(texts, profile, after=messages)
            continue
        for entry in said:
            if isinstance(entry, AssistantEntry):
                messages.append(_assistant_message(entry, profile))
                messages += (_tool_message(at, call, profile) for at, call in entry.positioned)
    return messages


def _says_something(entry: Entry) -> bool:
    return not isinstance(entry, AssistantEntry) or bool(entry.text or entry.calls)


def call_id(position: str) -> str:
    """Nine letters and digits, the same whenever they are made, and another for every position."""
    found = re.fullmatch(r"([1-9]\d{0,4})\.([1-9]\d{0,2})", position, re.ASCII)
    if found is None:
        return "x" + hashlib.sha256(position.encode()).hexdigest()[:8]
    return f"c{int(found[1]):05d}{int(found[2]):03d}"


def _user_messages(
    texts: list[str], profile: Profile, *, after: list[ChatCompletionMessageParam]
) -> Iterable[ChatCompletionMessageParam]:
    if after and after[-1]["role"] == "tool" and not profile.user_after_tool:
        yield {"role": "assistant", "content": "I stopped here."}
    for text in ["\n\n".join(texts)] if profile.merges_users else texts:
        yield {"role": "user", "content": text}


def _tool_message(at: str, call: ToolCallRecord, profile: Profile) -> ChatCompletionMessageParam:
    """What became of a call. `name` is not in the client's type, yet some endpoints need it."""
    told: dict[str, object] = {"role": "tool", "tool_call_id": call_id(at)}
    if profile.names_results or not profile.brief:
        told["name"] = sendable(call.tool)
    told["content"] = _result(call.told, profile) if call.told else NO_RESULT
    return cast("ChatCompletionMessageParam", cast(object, told))


def _result(told: ToolMessage, profile: Profile) -> str:
    return bare(told.value) if profile.brief and isinstance(told.value, dict | list) else told.text


def _assistant_message(entry: AssistantEntry, profile: Profile) -> ChatCompletionAssistantMessageParam:
    message: dict[str, object] = _extra(entry.extra, profile)
    message |= {"role": "assistant", "content": entry.text}
    if entry.calls:
        message["content"] = entry.text or (None if profile.null_content else "")
        message["tool_calls"] = [_call(at, call, profile) for at, call in entry.positioned]
    echoes = profile.echo is Echo.ALWAYS or (profile.echo is Echo.TOOL_TURNS and entry.calls)
    if echoes and (entry.reasoning or profile.echoes_nothing):
        message[profile.reasoning_field] = entry.reasoning
    return cast("ChatCompletionAssistantMessageParam", cast(object, message))


def _extra(extra: Extra, profile: Profile) -> dict[str, object]:
    return {name: value for name, value in extra.items() if name not in STANDARD} if profile.extras else {}


def _call(at: str, call: ToolCallRecord, profile: Profile) -> ChatCompletionMessageFunctionToolCallParam:
    made: Mapping[str, object] = {
        **_extra(call.extra, profile),
        "id": call_id(at),
        "type": "function",
        "function": {
            "name": sendable(call.tool),
            "arguments": to_json(call.arguments, inf_nan_mode="null").decode(),
        },
    }
    return cast("ChatCompletionMessageFunctionToolCallParam", cast(object, made))
