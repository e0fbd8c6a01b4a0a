"""Where the right operation stands among those that are chosen, and how long the choosing takes."""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from activities.model.tool_choice import MOST_CHOSEN
from activities.toolkit.openapi.document import read_document
from activities.toolkit.openapi.importing import compile_document
from activities.toolkit.openapi.settings import OpenApiSettings
from activities.toolkit.schema_tools import tool_from_schema
from activities.toolkit.tool import Tool
from activities.toolkit.tool_index import ToolIndex
from workflows.contract.values import Arguments


@dataclass(frozen=True)
class Found:
    text: str
    wanted: str
    place: float
    """Of the right operation: 1 is the first; infinite, where it was not found."""
    milliseconds: float
    """Of CPU: what else the machine does is not counted."""

    @property
    def is_shown(self) -> bool:
        return self.place <= MOST_CHOSEN


async def nothing(arguments: Arguments) -> None:
    """Is not called."""


def tools_of(document: Path) -> Mapping[str, Tool]:
    """The operations of a document, by their ids."""
    read = read_document(document.read_bytes(), folder=document.parent)
    settings = OpenApiSettings(document=str(document), url="https://api.example.com")
    return {
        each.id: tool_from_schema(
            name=each.tool,
            description=each.description,
            parameters=each.arguments,
            function=nothing,
            effect="read" if each.method in ("GET", "HEAD") else "write",
        )
        for each in compile_document("api", settings, read).operations
    }


def measured(tools: Mapping[str, Tool], requests: Iterable[tuple[str, str]]) -> list[Found]:
    """Search for each request.

    Args:
        tools: by the ids of their operations.
        requests: texts, each with the id of the right operation.
    """
    index = ToolIndex({tool.name: tool for tool in tools.values()})
    index.search("anything", 1)  # makes the index
    return [_found(index, text, tools[wanted].name, wanted) for text, wanted in requests]


def _found(index: ToolIndex, text: str, name: str, wanted: str) -> Found:
    began = time.process_time()
    index.search(text, MOST_CHOSEN)
    spent = (time.process_time() - began) * 1000
    names = index.search(text, len(index.tools))
    return Found(text, wanted, names.index(name) + 1 if name in names else math.inf, spent)
