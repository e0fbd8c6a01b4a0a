"""The right calls, in every variant that the leaderboard accepts."""

import json
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from activities.errors import InvalidArguments
from activities.toolkit.tool import Tool
from tests.bfcl.imported import tools_of
from tests.bfcl.leaderboard import Case, GoldCall
from workflows.contract.values import Arguments

EXCEPTIONS = Path(__file__).with_name("gold_exceptions.toml")
LEFT_OUT = ""
"""Among the values that are right, it says that the argument may be left out."""


@dataclass
class Gold:
    """What validating the right calls came to."""

    calls: int = 0
    variants: int = 0
    accepted: int = 0
    refused: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """By case, why: of calls of which some variant is refused."""


def exceptions() -> dict[str, str]:
    """The cases whose right calls contradict their own description: case → how."""
    return tomllib.loads(EXCEPTIONS.read_text(encoding="utf-8"))


def check_gold(cases: Iterable[Case]) -> Gold:
    found = Gold()
    for case in cases:
        tools = tools_of(case.functions)
        for call in case.gold:
            tool = tools[call.function]
            found.calls += 1
            reasons = [why for variant in variants(call, tool) if (why := _refusal(tool, variant, found))]
            found.accepted += not reasons
            if reasons:
                found.refused.setdefault(case.id, []).extend(dict.fromkeys(reasons))
    return found


def _refusal(tool: Tool, arguments: Arguments, found: Gold) -> str:
    found.variants += 1
    try:
        tool.validate(arguments)
    except InvalidArguments as error:
        return str(error)
    return ""


def variants(call: GoldCall, tool: Tool) -> Iterator[Arguments]:
    """The call with the first right value of everything, with as little as may be, and with each other value."""
    base = first(call, tool)
    seen: set[str] = set()
    for variant in (base, _least(call, tool), *_others(call, base, tool)):
        text = json.dumps(variant, sort_keys=True)
        if text not in seen:
            seen.add(text)
            yield variant


def first(call: GoldCall, tool: Tool) -> Arguments:
    """The call with the first right value of everything that has one."""
    required = _required(tool)
    return {
        name: _value(values[0])
        for name, choices in call.choices.items()
        if (values := _right(choices, required=name in required))
    }


def _least(call: GoldCall, tool: Tool) -> Arguments:
    required = _required(tool)
    return {
        name: _value(values[0], least=True)
        for name, choices in call.choices.items()
        if (name in required or LEFT_OUT not in choices) and (values := _right(choices, required=True))
    }


def _others(call: GoldCall, base: Arguments, tool: Tool) -> Iterator[Arguments]:
    required = _required(tool)
    for name, choices in call.choices.items():
        for choice in _right(choices, required=name in required):
            yield from ({**base, name: value} for value in _values(choice))


def _right(choices: list[Any], *, required: bool) -> list[Any]:
    """The values that are right; of a required argument, an empty text is one where there is no other."""
    values = [value for value in choices if value != LEFT_OUT]
    return values or (choices if required else [])


def _value(choice: Any, *, least: bool = False) -> Any:
    """A value with the first right value of everything within: objects have choices for each field."""
    if isinstance(choice, dict):
        fields = {name: _choices(each) for name, each in cast("dict[str, Any]", choice).items()}
        return {
            name: _value(_right(each, required=True)[0], least=least)
            for name, each in fields.items()
            if not (LEFT_OUT in each and (least or each == [LEFT_OUT]))
        }
    if isinstance(choice, list):
        return [_value(each, least=least) for each in cast("list[Any]", choice)]
    return choice


def _values(choice: Any) -> Iterator[Any]:
    base = _value(choice)
    yield base
    if isinstance(choice, dict):
        for name, each in cast("dict[str, Any]", choice).items():
            for other in _right(_choices(each), required=False):
                yield from ({**base, name: value} for value in _values(other))


def _choices(each: Any) -> list[Any]:
    """Of a field; some are written as the one value that is right."""
    return cast("list[Any]", each) if isinstance(each, list) else [each]


def _required(tool: Tool) -> list[str]:
    return cast("list[str]", tool.schema().get("required", []))
