"""python -m tests.many_tools: is the right tool among those that are chosen? Exits with 1 where it is too seldom."""

import statistics
import sys

from rich.console import Console

from activities.model.tool_choice import MOST_CHOSEN
from tests.many_tools.measuring import measured, tools_of
from tests.many_tools.requests import HELD_OUT, TO_TUNE_BY
from tests.openapi.documents import GITHUB, documents, fetch

OUT = Console(soft_wrap=True, markup=False, highlight=False)
ENOUGH = 0.85
MOST_MILLISECONDS = 5.0


def main() -> int:
    fetch()
    tools = tools_of(next(documents(GITHUB)))
    OUT.print(f"{len(tools):,} tools, {MOST_CHOSEN} of them shown")
    wrong = 0
    for name, requests in (("to tune by", TO_TUNE_BY), ("held out", HELD_OUT)):
        found = measured(tools, requests)
        shown = sum(each.is_shown for each in found)
        times = [each.milliseconds for each in found]
        OUT.print(
            f"{name}: the right one is shown for {shown} of {len(found)} requests; "
            f"{statistics.median(times):.1f} ms of CPU, {max(times):.1f} at most"
        )
        for each in found:
            if not each.is_shown:
                OUT.print(f"  {each.place:>4}  {each.wanted}: {each.text}")
        wrong += shown < ENOUGH * len(found) or max(times) > MOST_MILLISECONDS
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
