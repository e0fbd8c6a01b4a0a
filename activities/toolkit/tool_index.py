"""Finds the tools that fit a text, by SQLite's full-text search: BM25 over stems (https://sqlite.org/fts5.html)."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from functools import cached_property

from pydantic import JsonValue

from activities.errors import ConfigurationError
from activities.toolkit.tool import Tool
from activities.toolkit.vocabulary import asked, meaning, words

MOST_WORDS = 60
"""Of a text that is searched by: a long one costs no more."""
WEIGHT_OF_DETAILS = 0.4
"""Beside what a tool is called and the first sentence about it, which say what it does."""
_INDEX = """
    CREATE VIRTUAL TABLE heads USING fts5(name, summary, meaning, tokenize='porter unicode61');
    CREATE VIRTUAL TABLE details USING fts5(description, arguments, tokenize='porter unicode61');
"""
_HEADS = "SELECT rowid, bm25(heads, 0.5, 1, 2) FROM heads WHERE heads MATCH ?"
_DETAILS = "SELECT rowid, bm25(details) FROM details WHERE details MATCH ?"


class ToolIndex:
    """All tools of a worker, searched by what they say of themselves. Made when it is first searched."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self.tools = tools
        self._names = [*tools]

    def search(self, text: str, most: int) -> list[str]:
        """The names of the tools that fit a text in plain words, best first.

        Args:
            text: in English; of other languages it finds what is called the same.
            most: how many.

        Raises:
            ConfigurationError: this Python's SQLite has no full-text search.
        """
        sought = " OR ".join(f'"{word}"' for word in asked(text, MOST_WORDS))
        if not sought:
            return []
        scores: dict[int, float] = {}
        for query, weight in ((_HEADS, 1.0), (_DETAILS, WEIGHT_OF_DETAILS)):
            for row, score in self._index.execute(query, (sought,)):  # the better, the lower
                scores[row] = scores.get(row, 0) + weight * score
        best = sorted(scores, key=lambda row: (scores[row], row))
        return [self._names[row] for row in best[:most]]

    @cached_property
    def _index(self) -> sqlite3.Connection:
        index = sqlite3.connect(":memory:", check_same_thread=False)
        try:
            index.executescript(_INDEX)
        except sqlite3.OperationalError as error:
            raise ConfigurationError(
                f"ERRAND_OFFER_AT_MOST: tools cannot be searched for: SQLite says {error}"
            ) from error
        for row, tool in enumerate(self.tools.values()):
            summary, rest = _parted(tool.description)
            said = words(f"{tool.name} {summary}")
            meant = meaning(said, looks=tool.route.effect == "read")
            index.execute(
                "INSERT INTO heads (rowid, name, summary, meaning) VALUES (?, ?, ?, ?)",
                (row, " ".join(words(tool.name)), summary, " ".join(meant)),
            )
            index.execute(
                "INSERT INTO details (rowid, description, arguments) VALUES (?, ?, ?)",
                (row, rest, " ".join(_of_arguments(tool.parameters.schema.document.get("properties")))),
            )
        return index


def _parted(description: str) -> tuple[str, str]:
    """The first sentence, and the rest."""
    end = re.search(r"[.!?](?=\s)", description)
    return (description[: end.end()], description[end.end() :]) if end else (description, "")


def _of_arguments(properties: JsonValue) -> Iterator[str]:
    """Their names, their descriptions, and the values that are listed for them."""
    for name, part in properties.items() if isinstance(properties, dict) else ():
        yield from words(name)
        if isinstance(part, dict):
            yield str(part.get("description", ""))
        yield from _listed(part)


def _listed(part: JsonValue) -> Iterator[str]:
    match part:
        case dict():
            values = part.get("enum")
            yield from (value for value in (values if isinstance(values, list) else ()) if isinstance(value, str))
            for inner in part.values():
                yield from _listed(inner)
        case list():
            for inner in part:
                yield from _listed(inner)
        case _:
            pass
