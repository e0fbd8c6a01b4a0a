"""`find_tools`: where there are too many tools to show the model all of them, it looks for others by this one."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from activities.sayable import beginning
from activities.toolkit.tool import Tool, tool, tool_of
from activities.toolkit.tool_index import ToolIndex

MOST_FOUND = 10
LONGEST_ABOUT = 200
"""Bytes of a description. Its schema comes with the next question."""


class FoundTool(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    description: str


class FoundTools(BaseModel):
    """What fits, best first."""

    model_config = ConfigDict(frozen=True)

    functions: tuple[FoundTool, ...]
    note: str = Field(default="", exclude_if=lambda note: not note)


@tool(about="{query}", timeout=10)
async def find_tools(
    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)],
    *,
    index: ToolIndex,
) -> FoundTools:
    """Find functions that you were not shown. What it finds you can call from then on.

    Args:
        query: What is to be done, in a few English words, for example "rename a branch".
    """
    names = index.search(query, MOST_FOUND)
    found = tuple(
        FoundTool(name=name, description=beginning(index.tools[name].description, LONGEST_ABOUT)) for name in names
    )
    return FoundTools(functions=found, note="" if found else "Nothing fits these words; try others.")


def search_tool() -> Tool:
    """It is offered where there are too many tools, so it stands in no folder that is scanned."""
    found = tool_of(find_tools)
    assert found is not None
    return found
