"""The tables, and the same as JSON."""

import dataclasses
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import JsonValue
from rich.table import Table

from tests.bench.rounds import Column, Costs, Rounds
from tests.bench.sizes import Sizes, Turns, Waiting
from tests.bench.targets import Target, ratio, targets


@dataclass(frozen=True)
class Measured:
    rounds: Rounds
    sizes: Sizes
    load: tuple[float, float]
    """The machine's load average before and after; both contenders count in the latter."""
    seconds: float

    @property
    def wrong(self) -> list[str]:
        return [*self.rounds.wrong, *self.sizes.wrong]

    @property
    def targets(self) -> list[Target]:
        return targets(self.rounds.costs, self.sizes)


def as_json(measured: Measured) -> dict[str, JsonValue]:
    columns: dict[str, JsonValue] = {column: _column(measured, column) for column in Column}
    return {
        "rounds": len(measured.rounds.costs["floor"]),
        "seconds": round(measured.seconds, 1),
        "load_average": {"before": measured.load[0], "after": measured.load[1]},
        "columns": columns,
        "turns": [dataclasses.asdict(each) for each in measured.sizes.turns],
        "waiting": [dataclasses.asdict(each) for each in measured.sizes.waiting],
        "targets": [_target(each) for each in measured.targets],
        "wrong": list(measured.wrong),
    }


def _target(target: Target) -> JsonValue:
    return {**dataclasses.asdict(target), "value": round(target.value, 4), "met": target.met}


def _column(measured: Measured, column: Column) -> JsonValue:
    costs = measured.rounds.costs
    spread: dict[str, JsonValue] = {name: _spread(each, column) for name, each in costs.items()}
    return {**spread, "ratio": round(ratio(column, costs["floor"], costs["service"]), 4)}


def _spread(costs: Sequence[Costs], column: Column) -> JsonValue:
    values = [each[column] for each in costs]
    return {
        "median": round(statistics.median(values), 4),
        "lowest": round(min(values), 4),
        "highest": round(max(values), 4),
    }


def as_tables(measured: Measured) -> Iterable[Table]:
    yield _of_rounds(measured)
    yield _of_turns(measured.sizes.turns)
    yield _of_waiting(measured.sizes.waiting)
    yield _of_targets(measured.targets)


def _of_rounds(measured: Measured) -> Table:
    costs = measured.rounds.costs
    before, after = measured.load
    table = _table(
        f"One job: 6 activities. Medians of {len(costs['floor'])} rounds (lowest–highest); "
        f"load average {before:.1f} before, {after:.1f} after",
        ("", *costs, "ratio"),
    )
    for column in Column:
        by_hand, mine = costs["floor"], costs["service"]
        cells = (_cell([each[column] for each in several]) for several in costs.values())
        table.add_row(column, *cells, f"{ratio(column, by_hand, mine):.2f}")
    return table


def _of_turns(rows: Sequence[Turns]) -> Table:
    table = _table(
        "One request by its turns, each with 20 KB of results",
        ("turns", "events", "bytes", "in the longest run", "", "continued as new", "CPU ms/turn"),
    )
    for row in rows:
        counts = (row.turns, row.events, row.bytes, row.longest_events, row.longest_bytes, row.continued_as_new)
        table.add_row(*(f"{count:,}" for count in counts), f"{row.cpu_ms_per_turn:.1f}")
    return table


def _of_waiting(rows: Sequence[Waiting]) -> Table:
    table = _table("Requests that wait for approval, on one worker", ("requests", "RSS MiB", "CPU while idle, %"))
    for row in rows:
        table.add_row(f"{row.requests:,}", f"{row.rss_mib:.0f}", f"{row.idle_cpu_percent:.2f}")
    return table


def _of_targets(rows: Sequence[Target]) -> Table:
    table = _table("Targets", ("", "measured", "target", ""))
    for row in rows:
        table.add_row(row.what, _number(row.value), row.demand, "met" if row.met else "missed")
    return table


def _table(title: str, columns: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for index, name in enumerate(columns):
        table.add_column(name, justify="right" if index else "left")
    return table


def _cell(values: Sequence[float]) -> str:
    return f"{_number(statistics.median(values))} ({_number(min(values))}–{_number(max(values))})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 10 else f"{value:.1f}"
