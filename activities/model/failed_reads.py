"""Figures that a summary gives for what could not be read: "It is 17 °C in Paris", where the weather call has failed.

A figure is let pass where the request names it, or a result of the same thing, or of another thing that the clause
names too. Figures of what was read are not compared with it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from activities.model.clauses import Clause, Says, clauses
from activities.model.evidence import calls_of
from activities.model.occurrence import occurs
from activities.toolkit.tool import Tool
from workflows.contract.conversation import ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import ModelInput
from workflows.contract.values import texts

NUMBER = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?")
MEASURED = (
    r"[$€£¥]\s?\d|\d[\d.,]{0,15}\s?(?:°|℃|℉|%|(?:degrees?|celsius|fahrenheit|percent|dollars?|euros?|pounds?|cents?|USD|EUR"
    r"|GBP|JPY|CHF|km/h|mph|m/s|hPa)\b)|\d[.,]\d|\b(?:degrees|dollars|euros|percent)\b"
)
FIGURE = re.compile(
    rf"{MEASURED}|(?:\b(?:is|at|was|are|were|of)|[:=→])\s+(?:(?:about|around|currently|now)\s+)?[-+−]?\d", re.IGNORECASE
)
WITH_UNIT = re.compile(MEASURED, re.IGNORECASE)


@dataclass(frozen=True)
class Read:
    tool: str
    subjects: tuple[str, ...]
    """The texts in its arguments."""
    result: str
    """What it was told; empty, where it failed."""

    @classmethod
    def of(cls, call: ToolCallRecord, told: ToolMessage) -> "Read":
        arguments = call.arguments if told.arguments is None else told.arguments
        subjects = (text for value in arguments.values() for text in texts(value) if not NUMBER.fullmatch(text))
        return cls(call.tool, tuple(subjects), "" if told.failed else told.text)

    def tells_of(self, subject: str) -> bool:
        return occurs(subject, " ".join([*self.subjects, self.result]))

    def is_named_in(self, text: str) -> bool:
        return any(len(subject) > 1 and occurs(subject, text) for subject in self.subjects)


@dataclass(frozen=True)
class FailedReads:
    """The reads that failed and did not work another time, beside those that worked."""

    failed: tuple[Read, ...]
    done: tuple[Read, ...]
    asked: str
    """What the messages say."""

    @classmethod
    def of(cls, situation: ModelInput, tools: Mapping[str, Tool]) -> "FailedReads":
        entries = situation.conversation
        reads = {name for name, tool in tools.items() if tool.route.effect == "read"}
        ended = [(told.failed, Read.of(call, told)) for call, told in calls_of(entries) if call.tool in reads]
        done = tuple(read for failed, read in ended if not failed)
        again = {(read.tool, read.subjects) for read in done}
        failed = tuple(read for failed, read in ended if failed and (read.tool, read.subjects) not in again)
        return cls(failed, done, " ".join(entry.text for entry in entries if isinstance(entry, UserEntry)))

    def problems(self, sentence: str) -> Iterator[tuple[str, bool]]:
        if self.failed:
            for clause in clauses(sentence, FIGURE):
                if clause.says is Says.DONE:
                    yield from self._problems(clause)

    def _problems(self, clause: Clause) -> Iterator[tuple[str, bool]]:
        named = [read for read in self.failed if read.is_named_in(clause.text)]
        others = [read for read in self.done if read.is_named_in(clause.text)]
        figures = _figures(clause.text, named + others)
        if named:
            same = [
                read for read in self.done if any(read.tells_of(subject) for each in named for subject in each.subjects)
            ]
            if not figures or not self._are_from(others + same, figures):
                for read in named:
                    yield f"no call of {read.tool} for {', '.join(read.subjects)} has succeeded", False
        elif not others and (WITH_UNIT.search(clause.text) or not self.done) and not self._are_from(self.done, figures):
            for tool in dict.fromkeys(read.tool for read in self.failed):
                yield f"a call of {tool} has failed, and no result says this", False

    def _are_from(self, sources: Iterable[Read], figures: Iterable[str]) -> bool:
        known = [
            _value(each) for text in (self.asked, *(read.result for read in sources)) for each in NUMBER.findall(text)
        ]
        return all(any(_is_rounded(figure, value) for value in known) for figure in figures)


def _figures(text: str, reads: Iterable[Read]) -> list[str]:
    """The numbers in a text but those in the names of what it is about: "S&P 500"."""
    for read in reads:
        for subject in read.subjects:
            text = re.sub(re.escape(subject), "", text, flags=re.IGNORECASE)
    return NUMBER.findall(text)


def _value(number: str) -> float:
    thousands = re.fullmatch(r"\d+(?:,\d{3})+(?:\.\d+)?", number)
    return float(number.replace(",", "" if thousands else "."))


def _is_rounded(figure: str, value: float) -> bool:
    """Whether a figure is a value, to as many places as the figure has."""
    places = len(figure.partition(".")[2])
    return abs(_value(figure) - value) <= 0.5 * 10**-places + 1e-9
