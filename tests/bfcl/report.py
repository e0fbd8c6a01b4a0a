"""What was measured, category by category: the table, and the same as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue
from rich.table import Table

from tests.bfcl.documents import Documents
from tests.bfcl.gold import Gold
from tests.bfcl.mutations import Mutations
from tests.bfcl.requests import Requests


@dataclass
class Row:
    """One category. Every mistake is one line, and none is what is wanted."""

    category: str
    cases: int = 0
    documents: int = 0
    judged: int = 0
    gold: int = 0
    accepted: int = 0
    exceptions: int = 0
    mutations: int = 0
    refused: int = 0
    requests: int = 0
    runs: int = 0
    seconds: float = 0
    mistakes: list[str] = field(default_factory=list[str])

    def take_documents(self, found: Documents) -> None:
        self.documents, self.judged = found.read, found.judged
        self.mistakes += found.differences

    def take_gold(self, found: Gold, excepted: Mapping[str, str], cases: Sequence[str]) -> None:
        """An exception that is not needed any more is a mistake too."""
        self.gold, self.accepted, self.exceptions = found.calls, found.accepted, len(found.refused)
        listed = {case for case in cases if case in excepted}
        self.mistakes += [f"{case}: refused: {found.refused[case][0]}" for case in found.refused.keys() - listed]
        self.mistakes += [
            f"{case}: it is accepted, and listed as an exception" for case in listed - found.refused.keys()
        ]

    def take_mutations(self, found: Mutations) -> None:
        self.mutations, self.refused = found.count, found.count - len(found.let_pass)
        self.mistakes += found.let_pass

    def take_requests(self, found: Requests) -> None:
        self.requests, self.runs = found.cases, found.calls
        self.mistakes += found.mistakes


COLUMNS: Mapping[str, str] = {
    "cases": "cases",
    "documents": "functions",
    "judged": "judged instances",
    "gold": "gold calls",
    "accepted": "accepted",
    "exceptions": "cases excepted",
    "mutations": "mutated calls",
    "refused": "refused",
    "requests": "requests",
    "runs": "calls run",
    "seconds": "seconds",
}


def total(rows: Sequence[Row]) -> dict[str, int]:
    return {title: round(sum(getattr(row, name) for row in rows)) for name, title in COLUMNS.items()}


def as_table(rows: Sequence[Row]) -> Table:
    """One row a category, and the sum."""
    table = Table(title="Berkeley Function-Calling Leaderboard")
    table.add_column("category")
    for title in (*COLUMNS.values(), "mistakes"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(row.category, *_cells(total([row])), str(len(row.mistakes)))
    table.add_section()
    table.add_row("all", *_cells(total(rows)), str(sum(len(row.mistakes) for row in rows)))
    return table


def _cells(counts: Mapping[str, int]) -> list[str]:
    return [f"{count:,}" if count else "" for count in counts.values()]


def as_json(rows: Sequence[Row]) -> dict[str, JsonValue]:
    mistakes: list[JsonValue] = [f"{row.category}: {words}" for row in rows for words in row.mistakes]
    categories: list[JsonValue] = [{"category": row.category, **total([row])} for row in rows]
    return {"well": not mistakes, "categories": categories, "all": {**total(rows)}, "mistakes": mistakes}
