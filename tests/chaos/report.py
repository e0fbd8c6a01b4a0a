"""The table of all trials, and the same as JSON."""

from collections.abc import Sequence

from pydantic import JsonValue
from rich.table import Table

from tests.chaos.faults import EVERY_FAULT
from tests.chaos.nemesis import Blow
from tests.chaos.trial import Result
from workflows.contract import ReceiptStatus

LEFT_UNDONE = (ReceiptStatus.REJECTED, ReceiptStatus.REFUSED, ReceiptStatus.INVALID)


def row(result: Result) -> dict[str, JsonValue]:
    """What one trial came to."""
    verdict, blows = result.verdict, result.blows
    counted = verdict.statuses
    return {
        "seed": result.name,
        "sends": result.sends,
        "done": counted[ReceiptStatus.DONE],
        "failed": counted[ReceiptStatus.FAILED],
        "unknown": counted[ReceiptStatus.UNKNOWN],
        "cancelled": counted[ReceiptStatus.CANCELLED],
        "rejected": sum(counted[status] for status in LEFT_UNDONE),
        "duplicates": len(verdict.duplicates),
        "sent but lost": len(verdict.lost),
        "not sent but delivered": len(verdict.ghosts),
        "stuck": len(verdict.stuck),
        "unexplained": len(verdict.unexplained),
        "other": len(verdict.other),
        "kinds of fault": len(result.faults),
        "killed worker/server": f"{blows[Blow.KILL_WORKER]}/{blows[Blow.KILL_SERVER]}",
        "frozen/rolled": f"{blows[Blow.FREEZE]}/{blows[Blow.ROLL]}",
        "ledger locked/gone/full": f"{blows[Blow.LOCK]}/{blows[Blow.MOVE]}/{blows[Blow.FILL]}",
        "seconds": round(result.seconds),
    }


ONLY_DUPLICATES = ("done", "failed", "unknown", "cancelled", "rejected", "sent but lost", "not sent but delivered")
NOT_OF_CONTROL = (*ONLY_DUPLICATES, "stuck", "unexplained", "other")


def as_table(trials: Sequence[Result], control: Result) -> Table:
    """One row a seed; the last is the negative control."""
    rows = [row(result) for result in trials]
    table = Table(title=f"The crash matrix ({len(EVERY_FAULT)} kinds of SMTP fault)")
    for index, name in enumerate(rows[0]):
        table.add_column(name, justify="right" if index else "left", overflow="fold")
    for each in rows:
        table.add_row(*map(str, each.values()))
    table.add_section()
    table.add_row(*("" if name in NOT_OF_CONTROL else str(value) for name, value in row(control).items()))
    return table


def as_json(trials: Sequence[Result], control: Result, *, well: bool) -> dict[str, JsonValue]:
    violations: list[JsonValue] = [words for result in trials for words in result.verdict.violations]
    rows: list[JsonValue] = [row(result) for result in trials]
    return {"well": well, "trials": rows, "control": row(control), "violations": violations}
