"""python -m tests.bench [--json] [--check] [--quick] [--encryption] [--rounds 5]

Exits with 1 if anything ended wrong, or, with --check, if a target was missed.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from tests.bench.contenders import Floor, Service
from tests.bench.report import Measured, as_json, as_tables
from tests.bench.rounds import Effort, in_turn
from tests.bench.scene import Scene, staged
from tests.bench.sizes import by_size


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    rounds: int
    effort: Effort
    turns: tuple[int, ...]
    turns_at_least: int
    requests: tuple[int, ...]
    idle_seconds: float


WHOLE = Extent(5, Effort(), turns=(1, 10, 50, 100), turns_at_least=20, requests=(1, 10, 100, 1000), idle_seconds=10)
QUICK = Extent(1, Effort(1, 2, 4), turns=(1, 2), turns_at_least=2, requests=(1, 2), idle_seconds=0.5)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="What the service costs.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a target is missed")
    parser.add_argument("--quick", action="store_true", help="a little of everything, to see that it works")
    parser.add_argument("--encryption", action="store_true", help="the service with encrypted payloads and ledger")
    parser.add_argument("--rounds", type=int, help=f"{WHOLE.rounds}, or {QUICK.rounds} with --quick")
    return parser.parse_args()


async def measure(extent: Extent, *, encrypted: bool = False) -> Measured:
    with tempfile.TemporaryDirectory(prefix="errand-bench-") as folder:
        async with staged(Path(folder), encrypted=encrypted) as scene:
            return await measured_in(scene, extent)


async def measured_in(scene: Scene, extent: Extent) -> Measured:
    began, load_before = time.monotonic(), os.getloadavg()[0]
    rounds = await in_turn(scene, (Floor(), Service()), extent.rounds, extent.effort)
    sizes = await by_size(scene, extent.turns, extent.turns_at_least, extent.requests, extent.idle_seconds)
    return Measured(rounds, sizes, (load_before, os.getloadavg()[0]), time.monotonic() - began)


def report(measured: Measured, *, json_wanted: bool, check: bool) -> int:
    """Print it; the exit code."""
    if json_wanted:
        sys.stdout.write(f"{json.dumps(as_json(measured), indent=2, ensure_ascii=False)}\n")
    else:
        console = Console(width=None if sys.stdout.isatty() else 140)
        for table in as_tables(measured):
            console.print(table)
    for words in measured.wrong:
        sys.stderr.write(f"WRONG: {words}\n")
    missed = [target for target in measured.targets if not target.met]
    return 1 if measured.wrong or (check and missed) else 0


def main() -> int:
    options = arguments()
    extent = QUICK if options.quick else WHOLE
    extent = replace(extent, rounds=options.rounds or extent.rounds)
    measured = asyncio.run(measure(extent, encrypted=options.encryption))
    return report(measured, json_wanted=options.json, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
