"""python -m tests.chaos.scenarios [NAME…] [--keep FOLDER] [--json]    scenarios alone, without the trials"""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from tests.chaos.scenarios.report import as_json, as_table, wrong
from tests.chaos.scenarios.run import SCENARIOS, run_scenarios


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.scenarios", description="Scenarios, with controls.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"by default all: {', '.join(SCENARIOS)}")
    parser.add_argument("--keep", type=Path, help="keep databases and logs in this directory")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    results = run_scenarios(options.names or [*SCENARIOS], options.keep)
    if options.json:
        sys.stdout.write(f"{json.dumps(as_json(results), indent=2)}\n")
    else:
        Console(width=None if sys.stdout.isatty() else 220).print(as_table(results))
    told = wrong(results)
    sys.stderr.write("".join(f"{words}\n" for words in told))
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
