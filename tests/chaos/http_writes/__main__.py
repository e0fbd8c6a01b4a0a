"""python -m tests.chaos.http_writes [--writes 250] [--seed N]

Exits with 1 where a promise was broken, or where the control was not caught.
"""

import argparse
import asyncio
import sys
import time

from rich.console import Console
from rich.table import Table

from tests.chaos.http_writes.trial import Verdict, control, trial

COLUMNS = ("done", "failed", "unknown")


def _row(table: Table, name: str, verdict: Verdict) -> None:
    counted = [str(verdict.ended[each]) for each in COLUMNS]
    wrong = (verdict.duplicates, verdict.done_not_so, verdict.failed_not_so, verdict.stuck)
    table.add_row(name, str(verdict.ended.total()), *counted, *(str(len(each)) for each in wrong))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.http_writes")
    parser.add_argument("--writes", type=int, default=250, help="by each of the two tools")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    result = asyncio.run(trial(options.seed, options.writes))
    plain = asyncio.run(control(options.seed, max(options.writes // 4, 20)))
    table = Table(title=f"writes over HTTP: {result.killed} workers killed, {time.monotonic() - began:.0f} s")
    for column in ("", "writes", *COLUMNS, "duplicates", "done, not so", "failed, not so", "stuck"):
        table.add_column(column)
    for name, verdict in result.verdicts.items():
        _row(table, name, verdict)
    _row(table, "control: httpx.post, three tries", plain)
    Console(width=140).print(table, dict(sorted(result.met.items())))
    for each in result.violations:
        sys.stderr.write(f"VIOLATION: {each}\n")
    if not plain.duplicates:
        sys.stderr.write("the control was not caught: this harness would not notice\n")
    return 1 if result.violations or not plain.duplicates else 0


if __name__ == "__main__":
    sys.exit(main())
