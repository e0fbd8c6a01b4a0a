"""What has been said in a request: by its requester, by the model, and by the tools."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import JsonValue
from pydantic_core import to_json

from workflows.contract.conversation import AssistantEntry, Entry, NoteEntry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import Decision
from workflows.contract.values import texts
from workflows.size_limits import CONVERSATION_BYTES, Bounded, shorten, shorten_arguments, shorten_text, size

LEFT_OUT = NoteEntry(text="[What was said and done before this is left out, because it was too long.]")
NO_ROOM = "[left out: there was no room for it]"
CALL_BYTES = 96
"""What the format of a question adds to a call and its result: ids, roles, and the tool's name once more."""


class Conversation:
    """Entries in order, within 192 KiB as they are sent: the oldest tool results and arguments are shortened first, and
    if that is not enough, what was said first is left out."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = Bounded[int, Entry](CONVERSATION_BYTES, _sent_size, _shortened)
        self._next = 0
        self._left_out = False
        self.add(entries)

    @property
    def entries(self) -> tuple[Entry, ...]:
        return (LEFT_OUT, *self._entries.values()) if self._left_out else self._entries.values()

    @property
    def speakers(self) -> set[str]:
        """Who has said something since the request began, of what is kept."""
        return {entry.by for entry in self._entries.values() if isinstance(entry, UserEntry) and entry.by}

    def add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry == LEFT_OUT:
                self._left_out = True
                continue
            self._put(self._next, entry)
            self._next += 1

    def add_decision(self, turn: int, decision: Decision) -> None:
        calls = tuple(
            ToolCallRecord(tool=call.tool, arguments=call.as_made, extra=call.extra) for call in decision.calls
        )
        if calls or decision.text:
            entry = AssistantEntry(
                turn=turn if calls else 0,
                text=decision.text,
                calls=calls,
                reasoning=decision.reasoning,
                extra=decision.extra,
            )
            self.add([entry])

    def add_results(self, turn: int, told: Iterable[ToolMessage]) -> None:
        """What became of the calls of a turn, in their order."""
        for key, entry in self._entries.items():
            if isinstance(entry, AssistantEntry) and entry.calls and entry.turn == turn:
                ended = zip(entry.calls, told, strict=True)
                calls = tuple(call.model_copy(update={"told": result}) for call, result in ended)
                self._put(key, entry.model_copy(update={"calls": calls}))

    def mentioning(self, arguments: Mapping[str, JsonValue]) -> tuple[Entry, ...]:
        """As much of what was said and found as has one of the values in these arguments."""
        values = [text for value in arguments.values() for text in texts(value)]
        wanted = list(dict.fromkeys(value.strip().casefold() for value in values if value.strip()))
        return tuple(filter(None, (_as_far_as_it_has(entry, wanted) for entry in self._entries.values())))

    def shorten(self) -> bool:
        """Make it about half as long; False where that cannot be done."""
        before = self._entries.total
        self._entries.shorten_to(before // 2)
        while self._entries.total > before // 2 and self._drop_oldest():
            pass
        return self._entries.total < before

    def _put(self, key: int, entry: Entry) -> None:
        self._entries.put(key, entry)
        while self._entries.is_over and self._drop_oldest():
            pass
        at, last = self._entries.items()[-1]
        if self._entries.is_over and isinstance(last, AssistantEntry):
            self._entries.put(at, last.model_copy(update={"calls": tuple(map(_emptied, last.calls))}))

    def _drop_oldest(self) -> bool:
        """Leave out what was said first, a turn with its results. What is asked now stays, and what came last."""
        entries = self._entries.items()
        asked = max((key for key, entry in entries if isinstance(entry, UserEntry)), default=-1)
        first = next((key for key, _ in entries[:-1] if key != asked), None)
        if first is None:
            return False
        self._entries.drop(first)
        self._left_out = True
        return True


def _as_far_as_it_has(entry: Entry, wanted: Sequence[str]) -> Entry | None:
    if isinstance(entry, AssistantEntry):
        told = (call for call in entry.calls if call.told and _has(call.told.value, wanted))
        calls = tuple(call.model_copy(update={"arguments": {}, "extra": {}}) for call in told)
        return AssistantEntry(turn=entry.turn, calls=calls) if calls else None
    return entry if isinstance(entry, UserEntry) and _has(entry.text, wanted) else None


def _has(value: JsonValue, wanted: Sequence[str]) -> bool:
    found = [text.casefold() for text in texts(value)]
    return any(each in text for text in found for each in wanted)


def _sent_size(entry: Entry) -> int:
    """The bytes of an entry in the form of a question in which it takes the most. What Temporal records is less."""
    if not isinstance(entry, AssistantEntry):
        return size(entry)
    return _size_within(entry) + sum(CALL_BYTES + size(call.tool) for call in entry.calls)


def _size_within(value: object) -> int:
    """The bytes of a value as JSON within JSON: so calls are sent, results, and where a model has no function calling
    of its own, what it said."""
    return size(to_json(value).decode())


def _shortened(entry: Entry, by: int) -> Entry:
    """With less of what the model said, and of its calls with their results: the first give way, until it is enough."""
    if not isinstance(entry, AssistantEntry):
        return entry
    calls = list(entry.calls)
    for index, call in enumerate(calls):
        if by <= 0:
            break
        calls[index] = _shortened_call(call)
        by -= _size_within(call) - _size_within(calls[index])
    texts = {"text": shorten_text(entry.text), "reasoning": shorten_text(entry.reasoning)}
    return entry.model_copy(update={"calls": tuple(calls), "extra": {}, **texts})


def _shortened_call(call: ToolCallRecord) -> ToolCallRecord:
    told = call.told and call.told.model_copy(
        update={
            "value": shorten(call.told.value),
            "arguments": call.told.arguments and shorten_arguments(call.told.arguments),
        }
    )
    return call.model_copy(update={"arguments": shorten_arguments(call.arguments), "extra": {}, "told": told})


def _emptied(call: ToolCallRecord) -> ToolCallRecord:
    """Of so many calls at once that not even their beginnings fit."""
    told = call.told and call.told.model_copy(update={"value": NO_ROOM, "arguments": None})
    return call.model_copy(update={"arguments": {"shortened": NO_ROOM} if call.arguments else {}, "told": told})
