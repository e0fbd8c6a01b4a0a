"""Which tools the model is shown, where there are too many to show it all.

The choice is made by the request's first message, so that it stays the same from turn to turn and prompt caches hold.
It only grows, and at its end: by what `find_tools` found, and by what the model called without having been shown it.
All of this is read from the conversation, so it survives continue-as-new and is the same on every worker.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Self

from pydantic import JsonValue

from activities.model.tool_schemas import Offers
from activities.toolkit.find_tools import search_tool
from activities.toolkit.function_names import FIND_TOOLS
from activities.toolkit.tool import Tool
from activities.toolkit.tool_index import ToolIndex
from workflows.contract.conversation import AssistantEntry, Entry, UserEntry

MOST_CHOSEN = 20
MOST_REMEMBERED = 500
"""First messages. Every turn of a request has the same."""


class ToolChoice:
    """Chooses among the tools of a worker."""

    def __init__(self, index: ToolIndex, offers: Offers, most_bytes: int) -> None:
        self._index = index
        self._offers = offers
        self._most_bytes = most_bytes
        self._chosen = lru_cache(MOST_REMEMBERED)(self._choose)

    @classmethod
    def where_needed(cls, index: ToolIndex, at_most: int, most_bytes: int) -> Self | None:
        """None, where all tools can be shown.

        Args:
            index: of all tools.
            at_most: so many can.
            most_bytes: so much can be sent of their schemas.
        """
        offers = Offers(index.tools)
        if len(offers.names) <= at_most and sum(map(offers.size, offers.names)) <= most_bytes:
            return None
        return cls(index, offers, most_bytes)

    @property
    def tools(self) -> dict[str, Tool]:
        """All that may be shown, `find_tools` too."""
        return {**self._index.tools, FIND_TOOLS: search_tool()}

    def of(self, conversation: Iterable[Entry]) -> tuple[str, ...]:
        """The names of the tools to show, in their order."""
        entries = [*conversation]
        first = next((entry.text for entry in entries if isinstance(entry, UserEntry)), "")
        return tuple(dict.fromkeys([*self._chosen(first), *self._added(entries)]))

    def _choose(self, text: str) -> tuple[str, ...]:
        chosen: list[str] = []
        room = self._most_bytes
        for name in self._index.search(text, MOST_CHOSEN):
            size = self._offers.size(name)
            if size <= room:
                chosen.append(name)
                room -= size
        return (*self._offers.in_order(chosen), FIND_TOOLS)

    def _added(self, entries: Iterable[Entry]) -> Iterator[str]:
        for entry in entries:
            for call in entry.calls if isinstance(entry, AssistantEntry) else ():
                if call.tool == FIND_TOOLS and call.told and not call.told.failed:
                    yield from (name for name in _found(call.told.value) if name in self._index.tools)
                elif call.tool in self._index.tools:
                    yield call.tool


def _found(result: JsonValue) -> Iterator[str]:
    """The names in a result of `find_tools`; none in one that was shortened to a text."""
    functions = result.get("functions") if isinstance(result, Mapping) else None
    for each in functions if isinstance(functions, list) else ():
        name = each.get("name") if isinstance(each, Mapping) else None
        if isinstance(name, str):
            yield name
