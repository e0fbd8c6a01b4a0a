"""The table of all trials, the cells that were hit, and the same as JSON."""

from collections import Counter
from collections.abc import Sequence

from pydantic import JsonValue
from rich.table import Table

from tests.chaos.blows import ON_EVERYTHING, Blow
from tests.chaos.faults import EVERY_FAULT, Fault, Kind, Stage
from tests.chaos.trial import Result
from workflows.contract.api import ReceiptStatus

LEFT_UNDONE = (ReceiptStatus.REJECTED, ReceiptStatus.REFUSED, ReceiptStatus.INVALID)


def row(result: Result) -> dict[str, JsonValue]:
    """What one trial came to."""
    verdict, blows = result.verdict, result.blows
    counted = verdict.statuses
    return {
        "seed": result.name,
        "ledger": result.terrain.ledger,
        "mail": result.terrain.encryption,
        "sends": result.sends,
        "done": counted[ReceiptStatus.DONE],
        "in part": verdict.partly,
        "failed": counted[ReceiptStatus.FAILED],
        "unknown": counted[ReceiptStatus.UNKNOWN],
        "cancelled": counted[ReceiptStatus.CANCELLED],
        "rejected": sum(counted[status] for status in LEFT_UNDONE),
        "settled by hand": len(result.settled),
        "duplicates": len(verdict.duplicates),
        "sent but lost": len(verdict.lost),
        "not sent but delivered": len(verdict.ghosts),
        "stuck": len(verdict.stuck),
        "unexplained": len(verdict.unexplained),
        "other": len(verdict.other),
        "blows": sum(blows.values()),
        "seconds": round(result.seconds),
    }


ONLY_DUPLICATES = ("done", "in part", "failed", "unknown", "cancelled", "rejected", "settled by hand", "sent but lost")
NOT_OF_CONTROL = (*ONLY_DUPLICATES, "not sent but delivered", "ledger", "stuck", "unexplained", "other")


def as_table(trials: Sequence[Result], control: Result) -> Table:
    """One row a seed; the last is the negative control."""
    rows = [row(result) for result in trials]
    table = Table(title="The crash matrix")
    for index, name in enumerate(rows[0]):
        table.add_column(name, justify="right" if index else "left", overflow="fold")
    for each in rows:
        table.add_row(*map(str, each.values()))
    table.add_section()
    table.add_row(*("" if name in NOT_OF_CONTROL else str(value) for name, value in row(control).items()))
    return table


def cells(trials: Sequence[Result]) -> Counter[Fault]:
    """How often each fault happened, in all trials together."""
    return sum((result.struck for result in trials), Counter[Fault]())


def cells_table(trials: Sequence[Result]) -> Table:
    hit = cells(trials)
    missing = set(never_hit(trials))
    table = Table(title="How often a message met each fault")
    table.add_column("")
    for kind in Kind:
        table.add_column(kind, justify="right")
    for stage in Stage:
        faults = [Fault(stage, kind) for kind in Kind]
        table.add_row(stage, *(str(hit[each]) if hit[each] or each in missing else "" for each in faults))
    return table


def never_hit(trials: Sequence[Result]) -> list[Fault]:
    """Where no connection carries a second message, none can break between two."""
    hit = cells(trials)
    reused = any(result.faults.reused for result in trials)
    return [fault for fault in EVERY_FAULT if not hit[fault] and (reused or fault.stage is not Stage.RSET)]


def blows_in_words(trials: Sequence[Result]) -> str:
    struck = sum((result.blows for result in trials), Counter[Blow]())
    return ", ".join(f"{blow} {struck[blow]}" for blow in Blow)


def never_struck(trials: Sequence[Result]) -> list[Blow]:
    struck = sum((result.blows for result in trials), Counter[Blow]())
    return [blow for blow in Blow if blow in ON_EVERYTHING and not struck[blow]]


def as_json(trials: Sequence[Result], control: Result, *, well: bool) -> dict[str, JsonValue]:
    violations: list[JsonValue] = [words for result in trials for words in result.verdict.violations]
    rows: list[JsonValue] = [{**row(result), "blows": _by_kind(result)} for result in trials]
    hit = cells(trials)
    matrix: dict[str, JsonValue] = {
        stage: {fault.kind: hit[fault] for fault in EVERY_FAULT if fault.stage is stage} for stage in Stage
    }
    return {
        "well": well,
        "trials": rows,
        "control": row(control),
        "cells": matrix,
        "never hit": [f"{fault.stage}: {fault.kind}" for fault in never_hit(trials)],
        "violations": violations,
    }


def _by_kind(result: Result) -> dict[str, JsonValue]:
    return {blow: result.blows[blow] for blow in Blow}
