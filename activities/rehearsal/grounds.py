"""What the arguments of a planned write rest on: results of reads, or stand-ins of writes before it.

An argument whose value stands in what people said rests on nothing; one that stands in a result rests on that result.
What the model worded or chose itself may rest on anything that it had read, and so rests on every read before it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from activities.model.origins import Origin, Said, Source, sources
from activities.toolkit.function_names import FIND_TOOLS
from activities.toolkit.tool import Tool
from workflows.contract.conversation import AssistantEntry, Entry, ToolCallRecord, UserEntry
from workflows.contract.values import Arguments

OF_PEOPLE = ("request", "message", "answer", "person", "address book")


@dataclass(frozen=True)
class StandIn:
    """What was told of a planned write: its own arguments say nothing new."""

    position: str
    told: Said
    written: Said


@dataclass
class Grounds:
    """What had been said and found before a write."""

    address_book: tuple[str, ...]
    people: list[Said] = field(default_factory=list[Said])
    reads: list[Said] = field(default_factory=list[Said])
    stand_ins: list[StandIn] = field(default_factory=list[StandIn])

    @classmethod
    def of(cls, conversation: Iterable[Entry], tools: Mapping[str, Tool], address_book: Sequence[str]) -> "Grounds":
        grounds = cls(tuple(address_book))
        for entry in conversation:
            if isinstance(entry, UserEntry):
                grounds.people.append(Said(Origin(where="request"), (entry.text,)))
            elif isinstance(entry, AssistantEntry):
                for position, call in entry.positioned:
                    grounds._hear(position, call, tools.get(call.tool))
        return grounds

    def _hear(self, position: str, call: ToolCallRecord, tool: Tool | None) -> None:
        if call.told is None or call.told.failed or call.tool == FIND_TOOLS:
            return
        if tool is not None and tool.route.asks:
            self.people.append(Said.of(Origin(where="answer"), call.told.value))
        elif tool is not None and tool.route.effect == "write":
            if tool.preview:
                told = Said.of(Origin(where="tool", tool=call.tool, position=position), call.told.value)
                self.stand_ins.append(StandIn(position, told, Said.of(Origin(where="made up"), call.arguments)))
        else:
            where = "stranger" if call.told.untrusted else "tool"
            self.reads.append(Said.of(Origin(where=where, tool=call.tool, position=position), call.told.value))

    def reads_under(self, arguments: Arguments) -> tuple[str, ...]:
        """The positions of the reads that arguments rest on, in the order in which they were made."""
        found = {place for source in self._sources(arguments) if not source.piece for place in self._reads_of(source)}
        return tuple(place for place in _positions(self.reads) if place in found)

    def stand_ins_under(self, arguments: Arguments) -> tuple[str, ...]:
        """The positions of the writes of which only the stand-in has a value."""
        loose = [str(source.value) for source in self._sources(arguments) if not (_people(source) or _found(source))]
        return tuple(
            each.position
            for each in self.stand_ins
            if any(each.told.has(value) and not each.written.has(value) for value in loose)
        )

    def _sources(self, arguments: Arguments) -> tuple[Source, ...]:
        return sources(arguments, (*self.people, *self.reads), self.address_book)

    def _reads_of(self, source: Source) -> Iterator[str]:
        if _people(source):
            return
        yield from _found(source) or _positions(self.reads)


def _people(source: Source) -> bool:
    return any(origin.where in OF_PEOPLE for origin in source.origins)


def _found(source: Source) -> list[str]:
    """The positions of the reads that have the value."""
    return [origin.position for origin in source.origins if origin.where in ("tool", "stranger")]


def _positions(reads: Iterable[Said]) -> list[str]:
    return [said.origin.position for said in reads]
