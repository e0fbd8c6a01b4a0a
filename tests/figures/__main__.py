"""python -m tests.figures [--show]

Prints how many right figures are taken for made up, how many changed ones are noticed, and what that costs. Exits
with 0 only if it is as good as `tests.figures.measured` asks for.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator

from tests.figures.measured import Part, conversations, cost, numbers, outputs, parts, writes


def lines(measured: Iterable[Part], show: bool) -> Iterator[str]:
    for part in measured:
        yield str(part)
        if show:
            yield from (f"  taken for made up: {each}" for each in part.false)
            yield from (f"  not noticed: {each}" for each in part.missed)
    for name, milliseconds in cost():
        yield f"{name}: {milliseconds:.2f} ms"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.figures", description="How well figures are told apart.")
    parser.add_argument("--show", action="store_true", help="also say which")
    measured = [*parts(), conversations(), writes(), *numbers(), *outputs()]
    for line in lines(measured, parser.parse_args().show):
        sys.stdout.write(f"{line}\n")
    return 0 if all(part.holds for part in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
