"""The leaderboard's cases: what is asked, which functions there are, and which calls are right."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

PYTHON = (
    *("simple_python", "multiple", "parallel", "parallel_multiple"),
    *("live_simple", "live_multiple", "live_parallel", "live_parallel_multiple"),
)
"""Their right calls are written as JSON values; those of Java and JavaScript as source text."""
PARALLEL = ("parallel", "parallel_multiple", "live_parallel", "live_parallel_multiple")
IRRELEVANT = ("irrelevance", "live_irrelevance")
CATEGORIES = (*PYTHON, "simple_java", "simple_javascript", *IRRELEVANT, "live_relevance")

Object = dict[str, Any]


@dataclass(frozen=True)
class GoldCall:
    """A right call: the function's name, and of each argument the values that are right; "" says it may be left out."""

    function: str
    choices: dict[str, list[Any]]


@dataclass(frozen=True)
class Case:
    id: str
    question: str
    functions: tuple[Object, ...]
    gold: tuple[GoldCall, ...]


@cache
def cases(category: str) -> tuple[Case, ...]:
    gold = {row["id"]: row["ground_truth"] for row in _rows("possible_answer", category)} if category in PYTHON else {}
    return tuple(_case(row, gold.get(row["id"], [])) for row in _rows("", category))


def sample(category: str, step: int) -> tuple[Case, ...]:
    """Every n-th case."""
    return cases(category)[::step]


def _case(row: Object, gold: list[dict[str, dict[str, list[Any]]]]) -> Case:
    return Case(
        id=row["id"],
        question=row["question"][0][-1]["content"],
        functions=tuple(row["function"]),
        gold=tuple(GoldCall(name, choices) for each in gold for name, choices in each.items()),
    )


def _rows(folder: str, category: str) -> Iterator[Object]:
    path = files("bfcl_eval").joinpath("data", *filter(None, [folder]), f"BFCL_v4_{category}.json")
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)
