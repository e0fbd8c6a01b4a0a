"""Right calls made wrong, each in one way that no strict reader may let pass."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from activities.errors import InvalidArguments
from activities.toolkit.tool import Tool
from tests.bfcl.gold import first
from tests.bfcl.imported import tools_of
from tests.bfcl.leaderboard import Case
from workflows.contract.values import Arguments

WRONG: dict[str, tuple[Any, ...]] = {
    "string": (7, True, ["text"], {"text": "text"}),
    "integer": ("text", 2.5, [1], {"value": 1}),
    "number": ("text", [1.5], {"value": 1.5}),
    "boolean": ("text", [True], {"value": True}),
    "array": ("text", 7, {"0": "text"}, True),
    "object": ("text", 7, [], True),
}


@dataclass
class Mutations:
    """What came of them: kind → how many there were."""

    made: dict[str, int] = field(default_factory=dict[str, int])
    let_pass: list[str] = field(default_factory=list[str])

    @property
    def count(self) -> int:
        return sum(self.made.values())


def mutate(cases: Iterable[Case]) -> Mutations:
    """Every right call that is accepted, made wrong in every way."""
    found = Mutations()
    for case in cases:
        tools = tools_of(case.functions)
        for call in case.gold:
            tool = tools[call.function]
            arguments = first(call, tool)
            if not _takes(tool, arguments):
                continue
            for kind, wrong in mutations(tool, arguments):
                found.made[kind] = found.made.get(kind, 0) + 1
                if _takes(tool, wrong):
                    found.let_pass.append(f"{case.id} {call.function} {kind}: {wrong}")
    return found


def mutations(tool: Tool, arguments: Arguments) -> Iterator[tuple[str, Arguments]]:
    """Kind and arguments."""
    schema: dict[str, Any] = tool.schema()
    yield "unknown key", {**arguments, "unheard-of": 1}
    for name in schema.get("required", ()):
        yield "required dropped", {other: value for other, value in arguments.items() if other != name}
    for name, value in arguments.items():
        for kind, wrong in _wrong(schema["properties"][name], value):
            yield kind, {**arguments, name: wrong}


def _wrong(schema: dict[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    kinds = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
    for kind in (each for each in kinds if each != "null"):
        yield from (("wrong type", wrong) for wrong in WRONG[kind])
        if kind in ("integer", "number"):
            yield "numeric text", str(value)
            yield "boolean for a number", True
        elif kind == "boolean":
            yield "text for a boolean", "true"
            yield "1 for a boolean", 1
        elif kind == "array":
            yield from (("wrong item", [wrong]) for wrong in _wrong_items(schema.get("items", {})))
    if kinds and "null" not in kinds:
        yield "wrong type", None
    if "enum" in schema:
        yield "not in the enumeration", "no such value"


def _wrong_items(items: dict[str, Any]) -> Iterator[Any]:
    kind = items.get("type")
    if isinstance(kind, str):
        yield from WRONG[kind][:2]
    if "enum" in items:
        yield "no such value"


def _takes(tool: Tool, arguments: Arguments) -> bool:
    try:
        tool.validate(arguments)
    except InvalidArguments:
        return False
    return True
