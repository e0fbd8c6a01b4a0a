"""python -m tests.bfcl [--json] [--step N]

Exits with 0 only if every check holds.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import TextIO

import structlog
from rich.console import Console
from temporalio.client import Client

from tests.bfcl.documents import read_documents
from tests.bfcl.gold import check_gold, exceptions
from tests.bfcl.leaderboard import CATEGORIES, IRRELEVANT, PARALLEL, PYTHON, sample
from tests.bfcl.mutations import mutate
from tests.bfcl.report import Row, as_json, as_table
from tests.bfcl.requests import carry_out, leave_alone
from tests.dev_server import dev_server
from tests.scripted_model import ScriptedModel


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bfcl", description="Conformance with the BFCL's data.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--step", type=int, default=1, help="take every n-th case only")
    return parser.parse_args()


async def measure(step: int, note: Callable[[str], None]) -> list[Row]:
    """A row a category."""
    rows: list[Row] = []
    with ScriptedModel() as model:
        async with dev_server() as environment:
            for category in CATEGORIES:
                rows.append(await _row(category, step, environment.client, model))
                note(f"{category}: {rows[-1].seconds:.0f} s, {len(rows[-1].mistakes)} mistakes")
    return rows


async def _row(category: str, step: int, client: Client, model: ScriptedModel) -> Row:
    begun = time.monotonic()
    cases = sample(category, step)
    row = Row(category, cases=len(cases))
    row.take_documents(read_documents(cases))
    if category in PYTHON:
        row.take_gold(check_gold(cases), exceptions(), [case.id for case in cases])
        row.take_mutations(mutate(cases))
    if category in PARALLEL:
        row.take_requests(await carry_out(client, model, cases))
    elif category in IRRELEVANT:
        row.take_requests(await leave_alone(client, model, cases))
    row.seconds = time.monotonic() - begun
    return row


def result_stream() -> TextIO:
    """Standard output, for the result alone: the dev server and the SDK would write there too, and go to stderr."""
    stream = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return stream


def note(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def main() -> int:
    options, out = arguments(), result_stream()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rows = asyncio.run(measure(options.step, note))
    if options.json:
        out.write(f"{json.dumps(as_json(rows), indent=2, ensure_ascii=False)}\n")
    else:
        Console(file=out, width=None if out.isatty() else 200).print(as_table(rows))
    out.close()
    for row in rows:
        for words in row.mistakes:
            note(f"{row.category}: {words}")
    return 0 if not any(row.mistakes for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
