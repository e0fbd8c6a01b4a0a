"""What the model is asked, once, and what of it is sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import JsonValue
from pydantic_core import to_json

from activities.model.prices import estimated_tokens
from activities.model.profiles import Calling, Echo, Profile
from workflows.contract.conversation import AssistantEntry, Entry

LONG = 4000
"""Tokens, by the estimate. Contexts that are shorter than this are hardly in use any more, so that a shorter question
is not refused for its length."""


@dataclass(frozen=True)
class Question:
    """What is asked, as the endpoint's profile wants it."""

    messages: Sequence[ChatCompletionMessageParam]
    tools: Sequence[ChatCompletionToolParam] = ()
    response_format: dict[str, JsonValue] | None = None
    max_tokens: int | None = None
    """The most that may be answered, if that is less than the settings allow."""
    affordable: int | None = None
    """The most that can be paid for."""
    said: Sequence[Entry] = ()
    """The conversation that the messages are made of."""

    @property
    def format(self) -> Calling | None:
        """The rung of the ladder that its `response_format` is."""
        kind = self.response_format.get("type") if self.response_format else None
        return Calling(kind) if kind in (Calling.JSON_SCHEMA, Calling.JSON_OBJECT) else None

    @cached_property
    def tokens(self) -> int:
        """How long it is: an estimate (bytes / 3)."""
        return estimated_tokens(to_json([self.messages, self.tools, self.response_format]))

    @cached_property
    def extras(self) -> frozenset[str]:
        """The names of all that the endpoint has put on its messages and calls, also of what is inside of it."""
        entries = [entry for entry in self.said if isinstance(entry, AssistantEntry)]
        return frozenset(name for entry in entries for each in (entry, *entry.calls) for name in _names(each.extra))

    @property
    def is_long(self) -> bool:
        """It may be too long for a model, though not for every one."""
        return self.tokens >= LONG


def options_of(question: Question, profile: Profile, cap: int | None) -> dict[str, object]:
    """What is sent beside model and messages, by the API's names. What is not set is not sent."""
    options: dict[str, object] = {}
    if question.tools:
        options["tools"] = question.tools
        if profile.parallel is not None:
            options["parallel_tool_calls"] = profile.parallel
    if question.response_format is not None:
        options["response_format"] = question.response_format
    if cap is not None:
        options[profile.caps[0]] = cap
    return options


def sent_of(question: Question, options: Mapping[str, object], profile: Profile) -> list[str]:
    """What the endpoint may have objected to; what is easily done without comes first."""
    strict = any(tool["function"].get("strict") for tool in question.tools)
    echo = profile.echo is not Echo.NEVER
    fields = [*options]
    return [*(["strict"] if strict else []), *([profile.reasoning_field] if echo else []), *reversed(fields)]


def _names(value: JsonValue) -> Iterator[str]:
    match value:
        case dict():
            for name, each in value.items():
                yield name
                yield from _names(each)
        case list():
            for each in value:
                yield from _names(each)
        case _:
            pass
