"""`make openapi`: import every document whole, and hold the requests that are made to it."""

import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from activities.toolkit.openapi.document import read_document
from activities.toolkit.openapi.importing import compile_document
from activities.toolkit.openapi.recipe import Compiled
from activities.toolkit.openapi.settings import OpenApiSettings
from activities.toolkit.schema_tools import tool_from_schema
from tests.openapi.checking import SERVER, Checked, Independent, check, why_not_judged
from tests.openapi.documents import documents, fetch, shown
from workflows.contract.values import Arguments

OUT = Console(soft_wrap=True, markup=False, highlight=False)


async def nothing(arguments: Arguments) -> None:
    """Is not called."""


@dataclass
class Imported:
    """One document."""

    compiled: Compiled
    checked: Checked = field(default_factory=Checked)
    seconds: float = 0


def imported(path: Path) -> Imported:
    """Import a document, and hold requests to it."""
    began = time.monotonic()
    document = read_document(path.read_bytes(), folder=path.parent)
    found = Imported(compile_document("api", OpenApiSettings(document=str(path), url=SERVER), document))
    found.seconds = time.monotonic() - began
    independent = None if document.version == "2.0" else Independent(document)
    for operation in found.compiled.operations:
        tool = tool_from_schema(
            name=operation.tool,
            description=operation.description,
            parameters=operation.arguments,
            function=nothing,
        )
        if independent is None:
            found.checked.not_judged["it reads no OpenAPI 2.0"] += 1
        elif why := why_not_judged(operation):
            found.checked.not_judged[why] += 1
        else:
            check(independent, operation, tool, found.checked)
    return found


def say(path: Path, found: Imported) -> None:
    compiled, checked = found.compiled, found.checked
    changed = sum(bool(operation.notes) for operation in compiled.operations)
    OUT.print(
        f"{shown(path)}: {len(compiled.operations)} imported ({changed} with a changed schema), "
        f"{len(compiled.left_out)} left out, in {found.seconds:.1f} s; "
        f"{checked.requests} requests, {len(checked.invalid)} invalid"
    )
    for name, why in compiled.left_out.items():
        OUT.print(f"  left out: {name}: {why}")
    for note, times in Counter(note for operation in compiled.operations for note in operation.notes).items():
        OUT.print(f"  changed: {note} ({times})")
    for why, times in checked.not_judged.items():
        OUT.print(f"  not judged by openapi-core: {why} ({times})")
    for name, why in checked.without.items():
        OUT.print(f"  no arguments were found for {name}: {why}")
    for each in checked.invalid:
        OUT.print(f"  invalid: {each.operation}: {each.request}\n    {each.why}")


def main(only: str = "") -> int:
    """Exit code 1: a request is invalid, or more than one operation in a hundred is left out."""
    fetch()
    totals: Counter[str] = Counter()
    for path in documents():
        if only in str(path):
            found = imported(path)
            say(path, found)
            totals["imported"] += len(found.compiled.operations)
            totals["left out"] += len(found.compiled.left_out)
            totals["requests"] += found.checked.requests
            totals["invalid"] += len(found.checked.invalid)
    OUT.print(", ".join(f"{number:,} {what}" for what, number in totals.items()))
    return int(totals["invalid"] > 0 or totals["left out"] * 100 > totals["left out"] + totals["imported"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
