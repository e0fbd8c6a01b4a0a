"""Every function is imported and exported, and accepts and refuses what it did before."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from jsonschema import Draft202012Validator

from activities.errors import InvalidArguments
from activities.toolkit.function_names import LEGAL
from activities.toolkit.tool import Tool
from tests.bfcl.imported import tools_of
from tests.bfcl.judge import Object, fits, instances
from tests.bfcl.leaderboard import Case


@dataclass
class Documents:
    """What importing came to."""

    read: int = 0
    judged: int = 0
    differences: list[str] = field(default_factory=list[str])


_judged: set[str] = set()
"""Those that were judged already: the leaderboard has most of its functions more than once."""


def read_documents(cases: Iterable[Case]) -> Documents:
    found = Documents()
    for case in cases:
        tools = tools_of(case.functions)
        names = [tool.name for tool in tools.values()]
        if len(set(names)) < len(tools) or not all(LEGAL.fullmatch(name) for name in names):
            found.differences.append(f"{case.id}: names {sorted(names)}")
        for function in case.functions:
            found.read += 1
            _judge(case, function, tools[function["name"]], found)
    return found


def _judge(case: Case, function: Object, tool: Tool, found: Documents) -> None:
    key = json.dumps(function, sort_keys=True)
    if key in _judged:
        return
    _judged.add(key)
    exported = Draft202012Validator(json.loads(json.dumps(tool.schema())))
    seen: set[str] = set()
    for value in instances(function["parameters"]):
        text = json.dumps(value, sort_keys=True)
        if not isinstance(value, dict) or text in seen:
            continue
        seen.add(text)
        found.judged += 1
        judged = {"description": fits(function["parameters"], value), "tool": _takes(tool, cast("Object", value))}
        judged["export"] = exported.is_valid(cast("Object", value))  # pyright: ignore[reportUnknownMemberType]
        if len(set(judged.values())) > 1:
            found.differences.append(f"{case.id} {function['name']}: {text[:200]}: {judged}")


def _takes(tool: Tool, value: Object) -> bool:
    try:
        tool.validate(value)
    except InvalidArguments:
        return False
    return True
