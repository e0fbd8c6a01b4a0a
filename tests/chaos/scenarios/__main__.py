"""python -m tests.chaos.scenarios [NAME…] [--controls] [--json]    some scenarios alone, without the trials"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.chaos.scenarios.run import SCENARIOS, carry_out_all


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.scenarios")
    parser.add_argument("names", nargs="*", default=[*SCENARIOS])
    parser.add_argument("--controls", action="store_true", help="only the workers that are broken on purpose")
    parser.add_argument("--both", action="store_true")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    kinds = (False, True) if options.both else (options.controls,)
    with tempfile.TemporaryDirectory(prefix="errand-scenarios-") as temporary:
        folder = (options.keep or Path(temporary)).absolute()
        results = asyncio.run(carry_out_all(folder, options.names, kinds))
    for each in results:
        sys.stdout.write(f"{each.line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
