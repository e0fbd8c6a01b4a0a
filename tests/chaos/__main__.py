"""python -m tests.chaos [--json] [--seeds 1,2,3] [--sends 220] [--seconds 40] [--scenarios all] [--broken all]

Exits with 0 only if no trial and no scenario has a violation, every fault and every blow has happened, the negative
control has duplicates, and every scenario's control was caught. With --broken, only if every broken worker was caught.
"""

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console

from tests.chaos import broken
from tests.chaos.faults import Encryption
from tests.chaos.report import as_json, as_table, blows_in_words, cells_table, never_hit, never_struck
from tests.chaos.scenarios import report as of_scenarios
from tests.chaos.scenarios.run import SCENARIOS, run_scenarios
from tests.chaos.scenarios.run import Result as Played
from tests.chaos.sites import Kind
from tests.chaos.trial import Result, Terrain, run_control, run_trial, trial

SEEDS = (1, 2, 3)
TERRAINS = (
    Terrain(Kind.SQLITE, Encryption.STARTTLS),
    Terrain(Kind.POSTGRES, Encryption.STARTTLS),
    Terrain(Kind.SQLITE, Encryption.TLS),
)
"""One for each seed, and again from the beginning."""
CONTROL_SENDS, CONTROL_SECONDS = 60, 20.0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="The crash matrix.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)), help="the fixed ones; a random one is added")
    parser.add_argument("--only", action="store_true", help="add no random seed")
    parser.add_argument("--sends", type=int, default=220, help="messages a seed")
    parser.add_argument("--seconds", type=float, default=40, help="how long faults and blows last, a seed")
    parser.add_argument("--at-once", type=int, default=2, help="trials that run at the same time")
    parser.add_argument("--keep", type=Path, help="keep databases and logs in this directory")
    parser.add_argument("--scenarios", default="all", help=f"all, none, or of {', '.join(SCENARIOS)}; separated by ;")
    parser.add_argument("--broken", help=f"try whether broken workers are caught: all, or of {', '.join(broken.WAYS)}")
    return parser.parse_args()


def seeds(options: argparse.Namespace) -> list[int]:
    chosen = [int(seed) for seed in options.seeds.split(",")]
    if not options.only:
        chosen.append(random.SystemRandom().randrange(1000, 1_000_000))
    note(f"seeds: {', '.join(map(str, chosen))}")
    return chosen


def run(options: argparse.Namespace) -> tuple[list[Result], Result, list[Played]]:
    """All trials, some at once: most of each is waiting. Then all scenarios, which do not bear so much company."""
    trials: list[Result] = []
    chosen = seeds(options)
    with ProcessPoolExecutor(options.at_once, get_context("spawn")) as processes:
        place = _home(options.keep, "control")
        negative = processes.submit(run_control, chosen[0], CONTROL_SENDS, CONTROL_SECONDS, place)
        for index in range(0, len(chosen), options.at_once):
            missing, blows = never_hit(trials), never_struck(trials) if trials else ()
            several = [
                processes.submit(
                    run_trial,
                    seed,
                    options.sends,
                    options.seconds,
                    replace(TERRAINS[number % len(TERRAINS)], first=missing, first_blows=blows),
                    _home(options.keep, str(seed)),
                )
                for number, seed in list(enumerate(chosen))[index : index + options.at_once]
            ]
            for each in several:
                trials.append(each.result())
                _tell(trials[-1])
        control = negative.result()
        played = processes.submit(run_scenarios, scenarios(options), _home(options.keep, "scenarios")).result()
    note(f"scenarios: {sum(each.seconds for each in played):.0f} s, several at once")
    return trials, control, played


def scenarios(options: argparse.Namespace) -> list[str]:
    if options.scenarios == "all":
        return [*SCENARIOS]
    return [] if options.scenarios == "none" else options.scenarios.split(";")


def _tell(result: Result) -> None:
    note(f"seed {result.name}: {len(result.verdict.violations)} violations, {result.seconds:.0f} s")
    for words in result.verdict.violations:
        note(f"    {words}")


async def run_broken(options: argparse.Namespace) -> int:
    """One trial a seed with each broken worker; how many were caught, and as what."""
    missed = 0
    chosen = seeds(options)
    for way in broken.WAYS if options.broken == "all" else options.broken.split(","):
        results: list[Result] = []
        for seed in chosen:
            home = _home(options.keep, f"{way}-{seed}")
            terrain = Terrain(worker=("tests.chaos.broken", way))
            results.append(await trial(seed, sends=options.sends, seconds=options.seconds, terrain=terrain, home=home))
        caught = [result for result in results if not result.is_well]
        missed += not caught
        seen = [words.partition(":")[0] for result in caught for words in result.verdict.violations]
        kinds = ", ".join(f"{seen.count(kind)} {kind}" for kind in sorted(set(seen)))
        sys.stdout.write(f"{way}: caught in {len(caught)} of {len(results)} trials ({kinds or 'nothing'})\n")
        note(f"    {blows_in_words(results)}")
        sys.stdout.flush()
    return 1 if missed else 0


def note(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def _home(keep: Path | None, name: str) -> Path | None:
    if keep is None:
        return None
    (keep / name).mkdir(parents=True)
    return keep / name


def report(trials: Sequence[Result], negative: Result, played: Sequence[Played], *, json_wanted: bool) -> int:
    wrong = [f"seed {result.name}: {words}" for result in trials for words in result.verdict.violations]
    wrong += [f"No message met this fault: {fault.stage}, {fault.kind}." for fault in never_hit(trials)]
    wrong += [f"This blow never fell: {blow}." for blow in never_struck(trials)]
    if not negative.verdict.duplicates:
        wrong.append("The negative control sent nothing twice: this harness would not notice if the service did.")
    wrong += of_scenarios.wrong(played)
    if json_wanted:
        told = as_json(trials, negative, well=not wrong) | {"scenarios": of_scenarios.as_json(played)}
        sys.stdout.write(f"{json.dumps(told, indent=2)}\n")
    else:
        console = Console(width=None if sys.stdout.isatty() else 220)
        console.print(as_table(trials, negative), cells_table(trials))
        console.print(f"Blows: {blows_in_words(trials)}")
        if played:
            console.print(of_scenarios.as_table(played))
    for words in wrong:
        note(words)
    return 1 if wrong else 0


def main() -> int:
    options = arguments()
    if options.broken:
        return asyncio.run(run_broken(options))
    return report(*run(options), json_wanted=options.json)


if __name__ == "__main__":
    sys.exit(main())
