"""The table of all scenarios, each with its control, and the same as JSON."""

from collections.abc import Sequence

from pydantic import JsonValue
from rich.table import Table

from tests.chaos.scenarios.run import Result
from workflows.contract.api import ReceiptStatus


def row(result: Result) -> dict[str, JsonValue]:
    verdict = result.verdict
    counted = verdict.statuses
    return {
        "scenario": result.name,
        "workers": ", ".join(result.scenario.control) if result.is_control else "the service's",
        "requests": result.requests,
        "runs": result.runs,
        "done": counted[ReceiptStatus.DONE],
        "failed": counted[ReceiptStatus.FAILED],
        "unknown": counted[ReceiptStatus.UNKNOWN],
        "refused": counted[ReceiptStatus.REFUSED],
        "duplicates": len(verdict.duplicates),
        "done, not so": len(verdict.false_done),
        "failed, not so": len(verdict.false_failed),
        "no outcome": len(verdict.no_outcome),
        "other": len(verdict.other),
        "seconds": round(result.seconds),
    }


def as_table(results: Sequence[Result]) -> Table:
    """Two rows a scenario; the second is its control, which has to be caught."""
    table = Table(title="What people do to a request, a ledger and a clock")
    rows = [row(each) for each in sorted(results, key=lambda each: (each.name, each.is_control))]
    for index, name in enumerate(rows[0]):
        table.add_column(name, justify="right" if index > 1 else "left", overflow="fold")
    for each in rows:
        table.add_row(*map(str, each.values()))
    return table


def as_json(results: Sequence[Result]) -> list[JsonValue]:
    return [{**row(each), "violations": [*each.verdict.violations]} for each in results]


def wrong(results: Sequence[Result]) -> list[str]:
    """What is to be told of them, in words."""
    violations = [
        f"{each.name}: {words}" for each in results if not each.is_control for words in each.verdict.violations
    ]
    blind = [each.name for each in results if each.is_control and not each.is_well]
    return [*violations, *(f"{name}: its control was not caught: this harness would not notice." for name in blind)]
