"""What has been said in a request: by its requester, by the model, and by the tools."""

from collections.abc import Iterable

from workflows.budget import CONVERSATION_BYTES, Bounded, shorten_arguments, shorten_text, size
from workflows.contract import AssistantEntry, Decision, Entry, MadeCall, NoteEntry, ToolEntry, UserEntry


def position(turn: int, index: int) -> str:
    """Where a call stands in its request: the part of its key behind the request id."""
    return f"{turn}.{index}"


class Conversation:
    """Entries in order, within 192 KiB: the oldest tool results and arguments are shortened first."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = Bounded[int, Entry](CONVERSATION_BYTES, size, _shortened)
        self.add(entries)

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self._entries.values()

    def add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._entries.put(len(self._entries), entry)

    def add_decision(self, turn: int, decision: Decision) -> None:
        calls = tuple(
            MadeCall(position=position(turn, index), tool=call.tool, arguments=call.arguments, extra=call.extra)
            for index, call in enumerate(decision.calls, start=1)
        )
        if calls or decision.text:
            entry = AssistantEntry(text=decision.text, calls=calls, reasoning=decision.reasoning, extra=decision.extra)
            self.add([entry])

    def shorten(self) -> bool:
        """Make it about half as long; False where that cannot be done."""
        return self._entries.shorten()


def _shortened(entry: Entry) -> Entry:
    match entry:
        case UserEntry() | NoteEntry():
            return entry
        case ToolEntry():
            return entry.model_copy(update={"text": shorten_text(entry.text)})
        case AssistantEntry():
            calls = tuple(
                call.model_copy(update={"arguments": shorten_arguments(call.arguments)}) for call in entry.calls
            )
            return entry.model_copy(
                update={"text": shorten_text(entry.text), "calls": calls, "reasoning": shorten_text(entry.reasoning)}
            )
