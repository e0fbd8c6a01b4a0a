"""What has been said in a request: by its requester, by the model, and by the tools."""

import itertools
from collections.abc import Iterable

from workflows.budget import CONVERSATION_BYTES, Bounded, shorten_arguments, shorten_text, size
from workflows.contract import AssistantEntry, Decision, Entry, MadeCall, NoteEntry, ToolEntry, UserEntry

LEFT_OUT = NoteEntry(text="[What was said and done before this is left out, because it was too long.]")


def position(turn: int, index: int) -> str:
    """Where a call stands in its request: the part of its key behind the request id."""
    return f"{turn}.{index}"


class Conversation:
    """Entries in order, within 192 KiB: the oldest tool results and arguments are shortened first, and if that is not
    enough, what was said first is left out."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = Bounded[int, Entry](CONVERSATION_BYTES, size, _shortened)
        self._next = 0
        self._left_out = False
        self.add(entries)

    @property
    def entries(self) -> tuple[Entry, ...]:
        return (LEFT_OUT, *self._entries.values()) if self._left_out else self._entries.values()

    def add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry == LEFT_OUT:
                self._left_out = True
                continue
            self._entries.put(self._next, entry)
            self._next += 1
            while self._entries.is_over and self._drop_oldest():
                pass

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
        before = self._entries.total
        self._entries.shorten_to(before // 2)
        while self._entries.total > before // 2 and self._drop_oldest():
            pass
        return self._entries.total < before

    def _drop_oldest(self) -> bool:
        """Leave out what was said first: an entry, and with calls their results. What is asked now stays."""
        entries = self._entries.items()
        asked = max((key for key, entry in entries if isinstance(entry, UserEntry)), default=-1)
        latest = max((key for key, entry in entries if not isinstance(entry, ToolEntry)), default=-1)
        first = next((key for key, _ in entries if key not in (asked, latest)), None)
        if first is None or isinstance(dict(entries)[first], ToolEntry):
            return False
        following = itertools.takewhile(
            lambda item: isinstance(item[1], ToolEntry), ((key, entry) for key, entry in entries if key > first)
        )
        for key in [first, *(key for key, _ in following)]:
            self._entries.drop(key)
        self._left_out = True
        return True


def _shortened(entry: Entry) -> Entry:
    match entry:
        case UserEntry() | NoteEntry():
            return entry
        case ToolEntry():
            arguments = entry.arguments and shorten_arguments(entry.arguments)
            return entry.model_copy(update={"text": shorten_text(entry.text), "arguments": arguments})
        case AssistantEntry():
            calls = tuple(
                call.model_copy(update={"arguments": shorten_arguments(call.arguments), "extra": {}})
                for call in entry.calls
            )
            texts = {"text": shorten_text(entry.text), "reasoning": shorten_text(entry.reasoning)}
            return entry.model_copy(update={"calls": calls, "extra": {}, **texts})
