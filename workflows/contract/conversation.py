"""The conversation with the model, as it is recorded."""

from typing import Literal, TypeAlias

from pydantic import JsonValue
from pydantic_core import to_json

from workflows.contract.messages import Message, omitted
from workflows.contract.values import Arguments, Extra, position


class UserEntry(Message):
    role: Literal["user"] = "user"
    text: str
    by: str = omitted("", description="who said it, of what was said to a request that is kept open")


class ToolMessage(Message):
    """What the model is told of a call."""

    value: JsonValue
    failed: bool = omitted(False, description="it is not the tool's own result")
    untrusted: bool = omitted(False, description="it is a stranger's text")
    arguments: Arguments | None = omitted(None, description="as a person edited them, where one did")

    @property
    def text(self) -> str:
        """In the words that the model is given."""
        return self.value if isinstance(self.value, str) else to_json(self.value).decode()


class ToolCallRecord(Message):
    """A call as the model made it, and what became of it."""

    tool: str
    arguments: Arguments
    extra: Extra = omitted({})
    told: ToolMessage | None = omitted(None, description="null until it has ended")


class AssistantEntry(Message):
    role: Literal["assistant"] = "assistant"
    turn: int = omitted(0, description="of its calls, where it has any")
    text: str = omitted("")
    calls: tuple[ToolCallRecord, ...] = omitted(())
    reasoning: str = omitted("")
    extra: Extra = omitted({})

    @property
    def positioned(self) -> list[tuple[str, ToolCallRecord]]:
        """The calls, each with its position."""
        return [(position(self.turn, index), call) for index, call in enumerate(self.calls, start=1)]


class NoteEntry(Message):
    """What Errand itself says to the model."""

    role: Literal["note"] = "note"
    text: str


Entry: TypeAlias = UserEntry | AssistantEntry | NoteEntry
