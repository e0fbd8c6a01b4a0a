"""What the calls of a tool bear out: whom it was done for, whom it may have been done for, and whom not.

Several tools that are told of by the same words are as one. A tool that can be done in part says which field of its
result names the values that it was done for: of a mail to two recipients the server may take one and refuse the other.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic import JsonValue
from pydantic_core import from_json

from activities.toolkit.tool import Tool
from workflows.contract.api import ReceiptStatus
from workflows.contract.conversation import AssistantEntry, Entry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import ModelInput
from workflows.contract.values import Arguments, texts

CUT = re.compile(r"(?:… |\n)\[shortened: [^\[\]]*\]$")
"""How a result ends that had to be shortened."""


@dataclass(frozen=True)
class Made:
    """A call that has ended, with the values that it is done for, casefolded."""

    tool: Tool
    status: str
    arguments: Arguments
    values: frozenset[str]
    done: frozenset[str]
    """Of the values those that it was done for."""
    beside: frozenset[str]
    """Values of other grounded arguments, which it is not done for: where replies go."""

    @property
    def is_done(self) -> bool:
        return self.status == ReceiptStatus.DONE

    @property
    def is_unknown(self) -> bool:
        return self.status == ReceiptStatus.UNKNOWN


@dataclass(frozen=True)
class Evidence:
    """Calls that were meant; one that is invalid went back to the model, which makes it anew."""

    calls: tuple[Made, ...]

    @property
    def any_done(self) -> bool:
        return any(call.is_done for call in self.calls)

    @property
    def any_unknown(self) -> bool:
        return any(call.is_unknown for call in self.calls)

    @cached_property
    def done(self) -> frozenset[str]:
        return frozenset[str]().union(*(call.done for call in self.calls))

    @cached_property
    def not_done(self) -> frozenset[str]:
        return frozenset[str]().union(*(call.values for call in self.calls)) - self.done

    @cached_property
    def unknown(self) -> frozenset[str]:
        return frozenset[str]().union(*(call.values for call in self.calls if call.is_unknown)) - self.done

    @cached_property
    def beside(self) -> frozenset[str]:
        """Values that were only beside the others, in every call."""
        every = frozenset[str]().union(*(call.beside for call in self.calls))
        return every.difference(*(call.values for call in self.calls))

    def left_undone(self, values: frozenset[str]) -> bool:
        """Whether a call, for one of these values if there are any, is not done, nor was it done another time."""
        done = [call.arguments for call in self.calls if call.is_done]
        about = (call for call in self.calls if not values or values & call.values)
        return any(call.arguments not in done for call in about)


def gathered(tools: Sequence[Tool], situation: ModelInput) -> tuple[Evidence, Evidence]:
    """Of the whole conversation, and of what was done since the last message; of the whole, where that is nothing."""
    entries = situation.conversation
    last = max((at for at, entry in enumerate(entries) if isinstance(entry, UserEntry)), default=0)
    every, recent = (Evidence(tuple(_meant(tools, part))) for part in (entries, entries[last:]))
    return every, recent if recent.calls else every


def status_of(told: ToolMessage) -> str:
    """As on the receipt."""
    if not told.failed:
        return ReceiptStatus.DONE
    match whole_fields(told.value):
        case {"status": str(status)}:
            return status
        case _:
            return ReceiptStatus.FAILED


def whole_fields(value: JsonValue) -> JsonValue:
    """A result, or an error, as it is; of one that was shortened to a text, the fields that are still whole."""
    if not isinstance(value, str):
        return value
    try:
        found: JsonValue = from_json(CUT.sub("", value), allow_partial="trailing-strings")
    except ValueError:
        return value
    if isinstance(found, dict) and found and CUT.search(value):
        found.popitem()
    return found


def calls_of(entries: Iterable[Entry]) -> Iterator[tuple[ToolCallRecord, ToolMessage]]:
    """The calls that have ended, each with what the model was told of it."""
    for entry in entries:
        if isinstance(entry, AssistantEntry):
            yield from ((call, call.told) for call in entry.calls if call.told)


def _meant(tools: Sequence[Tool], entries: Iterable[Entry]) -> Iterator[Made]:
    named = {tool.name: tool for tool in tools}
    made = (_made(named[call.tool], call, told) for call, told in calls_of(entries) if call.tool in named)
    return (each for each in made if each.status != ReceiptStatus.INVALID)


def _made(tool: Tool, call: ToolCallRecord, told: ToolMessage) -> Made:
    """With the arguments that it was made with: the model's, or what a person made of them."""
    arguments = call.arguments if told.arguments is None else told.arguments
    values = frozenset(_values(tool.done_for, arguments))
    beside = frozenset(_values(tool.grounded, arguments)) - values
    status = status_of(told)
    done = frozenset(_done(tool, arguments, told)) if status == ReceiptStatus.DONE else frozenset[str]()
    return Made(tool, status, arguments, values, done, beside)


def _values(names: Sequence[str], arguments: Arguments) -> Iterator[str]:
    return (text.casefold() for name in names for text in texts(arguments.get(name)))


def _done(tool: Tool, arguments: Arguments, told: ToolMessage) -> Iterator[str]:
    """As the result says it; where it says nothing, all that it was called with."""
    result = whole_fields(told.value)
    if told.arguments is not None and isinstance(result, dict):
        result = result.get("result")
    fields = result if isinstance(result, dict) else {}
    for name in tool.done_for:
        values = fields.get(tool.confirmed.get(name, ""), arguments.get(name))
        yield from (text.casefold() for text in texts(values))
