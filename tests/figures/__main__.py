"""python -m tests.figures [--show]

Prints how many right figures are taken for made up, and how many changed ones are noticed. Exits with 0 only if both hold
what `tests.figures.measured` asks for.
"""

import argparse
import sys
from collections.abc import Iterator

from tests.figures.measured import MOST_FALSE, MOST_MISSED, Part, conversations, cost, parts, writes


def lines(show: bool) -> Iterator[str]:
    measured = [*parts(), conversations(), writes()]
    for part in measured:
        yield str(part)
        if show:
            yield from (f"  taken for made up: {each}" for each in part.false)
            yield from (f"  not noticed: {each}" for each in part.missed)
    for name, milliseconds in cost():
        yield f"{name}: {milliseconds:.2f} ms"


def holds(part: Part) -> bool:
    return part.share_false <= MOST_FALSE and part.share_missed <= MOST_MISSED


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.figures", description="How well figures are told apart.")
    parser.add_argument("--show", action="store_true", help="also say which")
    for line in lines(parser.parse_args().show):
        sys.stdout.write(f"{line}\n")
    return 0 if all(holds(part) for part in (*parts(), conversations(), writes())) else 1


if __name__ == "__main__":
    sys.exit(main())
