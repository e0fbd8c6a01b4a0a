"""The leaderboard's functions as tools."""

import json
from collections.abc import Iterable
from typing import Any

from activities.schema.dialect import mended
from activities.toolkit.argument_model import ToolFunction
from activities.toolkit.schema_tools import legal_names, tool_from_schema
from activities.toolkit.tool import Tool
from tests.bfcl.leaderboard import Object
from workflows.contract.values import Arguments, Effect

_known: dict[str, Tool] = {}


async def nothing(arguments: Arguments) -> None:
    pass


def imported(function: Object, name: str, run: ToolFunction = nothing, effect: Effect = "read") -> Tool:
    return tool_from_schema(
        name=name,
        description=function["description"],
        parameters=mended(function["parameters"]),
        function=run,
        effect=effect,
        timeout=20,
    )


def tools_of(functions: Iterable[Object]) -> dict[str, Tool]:
    """By the name that the leaderboard has for each. The same function twice is made into a tool once."""
    described = {each["name"]: each for each in functions}
    legal = legal_names(described)
    return {name: _once(each, legal[name]) for name, each in described.items()}


def _once(function: dict[str, Any], name: str) -> Tool:
    key = json.dumps([name, function], sort_keys=True)
    if key not in _known:
        _known[key] = imported(function, name)
    return _known[key]
