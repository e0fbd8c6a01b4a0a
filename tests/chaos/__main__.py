"""python -m tests.chaos [--json] [--seeds 1,2,3] [--sends 220] [--seconds 50]

Exits with 0 only if no trial has a violation and the negative control has duplicates.
"""

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.chaos.report import as_json, as_table
from tests.chaos.trial import Result, control, trial

SEEDS = (1, 2, 3)
CONTROL_SENDS, CONTROL_SECONDS = 60, 20.0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="The crash matrix.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)), help="the fixed ones; a random one is added")
    parser.add_argument("--only", action="store_true", help="add no random seed")
    parser.add_argument("--sends", type=int, default=220, help="messages a seed")
    parser.add_argument("--seconds", type=float, default=50, help="how long faults and blows last, a seed")
    parser.add_argument("--keep", type=Path, help="keep databases and logs in this directory")
    return parser.parse_args()


async def run(options: argparse.Namespace) -> tuple[list[Result], Result]:
    seeds = [int(seed) for seed in options.seeds.split(",")]
    if not options.only:
        seeds.append(random.SystemRandom().randrange(1000, 1_000_000))
    note(f"seeds: {', '.join(map(str, seeds))}")
    trials: list[Result] = []
    for seed in seeds:
        result = await trial(seed, sends=options.sends, seconds=options.seconds, home=_home(options.keep, str(seed)))
        note(f"seed {seed}: {len(result.verdict.violations)} violations, {result.seconds:.0f} s")
        for words in result.verdict.violations:
            note(f"    {words}")
        trials.append(result)
    return trials, await control(
        seeds[0], sends=CONTROL_SENDS, seconds=CONTROL_SECONDS, home=_home(options.keep, "control")
    )


def note(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def _home(keep: Path | None, name: str) -> Path | None:
    if keep is None:
        return None
    (keep / name).mkdir(parents=True)
    return keep / name


def report(trials: Sequence[Result], negative: Result, *, json_wanted: bool) -> int:
    blind = not negative.verdict.duplicates
    well = not blind and all(result.is_well for result in trials)
    if json_wanted:
        sys.stdout.write(f"{json.dumps(as_json(trials, negative, well=well), indent=2)}\n")
        return 0 if well else 1
    Console(width=None if sys.stdout.isatty() else 200).print(as_table(trials, negative))
    for result in trials:
        for words in result.verdict.violations:
            note(f"seed {result.name}: {words}")
    if blind:
        note("The negative control sent nothing twice: this harness would not notice if the service did.")
    return 0 if well else 1


def main() -> int:
    options = arguments()
    return report(*asyncio.run(run(options)), json_wanted=options.json)


if __name__ == "__main__":
    sys.exit(main())
