"""What the model is asked, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import JsonValue
from pydantic_core import to_json

from activities.model.prices import estimated_tokens
from activities.model.profiles import Calling

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

    @property
    def format(self) -> Calling | None:
        """The rung of the ladder that its `response_format` is."""
        kind = self.response_format.get("type") if self.response_format else None
        return Calling(kind) if kind in (Calling.JSON_SCHEMA, Calling.JSON_OBJECT) else None

    @cached_property
    def tokens(self) -> int:
        """How long it is: an estimate (bytes / 3)."""
        return estimated_tokens(to_json([self.messages, self.tools, self.response_format]))

    @property
    def is_long(self) -> bool:
        """It may be too long for a model, though not for every one."""
        return self.tokens >= LONG
