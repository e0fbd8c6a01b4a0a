"""What others write is read in a time of its length, however it is made: a worker does nothing else meanwhile."""

import base64
import random
import re
import time
from collections.abc import Callable

import pytest

from activities.contacts.csv_contacts import csv_entries
from activities.model.clauses import clauses, sentences
from activities.model.context_length import is_about_length
from activities.model.evidence import CUT
from activities.model.occurrence import LONG, occurs
from activities.model.origins import sources
from activities.toolkit.mcp.results import may_have_acted
from activities.toolkit.openapi.descriptions import shortened
from activities.toolkit.tool_index import ToolIndex
from activities.toolkit.vocabulary import asked
from tests.unit.toolkit.test_tool_index import DESK

LENGTH = 100_000
MOST_SECONDS = 3
SHAPES = {
    **{
        repr(unit): unit * (LENGTH // len(unit))
        for unit in (
            *("b", "1", " ", "(", "[", "“", "a@", "1,", "1a", "a1 ", "日本語の文章です。", "http://", "a; "),
            *("[](", "… [shortened: ", "context", "1,1a"),
        )
    },
    "base64": base64.b64encode(random.Random(1).randbytes(LENGTH * 3 // 4)).decode(),
}
SENT = re.compile(r"\bsent\b")
READERS: dict[str, Callable[[str], object]] = {
    "the choice of tools": lambda text: ToolIndex(DESK).search(text, 20),
    "the words of a request": lambda text: asked(text, 60),
    "where arguments come from": lambda text: sources({"body": f"It says {text}"}, ()),
    "a value that is half of it": lambda text: occurs(text[: len(text) // 2], text),
    "the longest value that may begin inside itself": lambda text: occurs(text[:LONG], text),
    "the clauses of an answer": lambda text: [clauses(each, SENT) for each in sentences(f"sent {text}")],
    "what was cut": CUT.search,
    "an endpoint's complaint": lambda text: is_about_length(400, text, frozenset({text})),
    "what a server says of its failure": lambda text: may_have_acted(text, "failed"),
    "a description": lambda text: shortened(text, 200),
    "an address book": lambda text: [*csv_entries(f'name,email\nAnn,"a{text}a"\n')],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.sampled(40)
def test_no_text_takes_long_however_it_is_made(reader: str, shape: str) -> None:
    begun = time.process_time()
    READERS[reader](SHAPES[shape])
    assert time.process_time() - begun < MOST_SECONDS
