"""The figures of a conversation: what a write, or the summary, may take them from.

A write may take them from the request and from results, but not from a stranger's text. The summary may also repeat
what the calls were made with, and what a stranger's text says: it shows it, and decides nothing by it.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import cast

from pydantic import JsonValue

from activities.model.clauses import sentences
from activities.model.evidence import CUT, calls_of, status_of
from activities.model.figures.grounds import Grounds
from activities.model.figures.reading import Figure
from activities.model.figures.unsupported import is_supported, unsupported_figures
from activities.toolkit.tool import Tool
from workflows.contract.api import ReceiptStatus
from workflows.contract.conversation import AssistantEntry, NoteEntry, UserEntry
from workflows.contract.internal import ModelInput, UnsupportedClaim
from workflows.contract.values import Arguments

NEVER_RUN = (ReceiptStatus.INVALID, ReceiptStatus.REJECTED, ReceiptStatus.REFUSED, ReceiptStatus.CANCELLED)
ADDRESS = re.compile(
    r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)]|www\.[\w.-]*\w|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"
)
"""A link, or a mail address."""
LONGEST_SENTENCE = 300
"""Characters."""


@dataclass(frozen=True)
class Spoken:
    situation: ModelInput
    today: date

    def unsupported_in_call(
        self, tool: Tool, arguments: Arguments, copied: Collection[str] = ()
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The figures in the texts of a write that nobody but the model has mentioned, and the figures and addresses
        that only a stranger has. Grounded arguments are held to more than that elsewhere, and `copied` are the texts
        that are a result, which no model has touched."""
        if tool.route.effect != "write":
            return (), ()
        foreseen = {text.casefold() for text in _foreseen(tool.parameters.schema.document)}
        texts = (text for name, value in arguments.items() if name not in tool.grounded for text in _written(value))
        checked = [text for text in texts if text.casefold() not in foreseen and text not in copied]
        loose = [figure for text in checked if _has_digit(text) for figure in unsupported_figures(text, self._trusted)]
        made_up = (
            figure.text for figure in loose if not (self._strangers and is_supported(figure, self._with_strangers))
        )
        strangers = (figure.text for figure in loose if self._strangers and is_supported(figure, self._with_strangers))
        addresses = (address for text in checked for address in self._addresses_of_strangers(text))
        return tuple(dict.fromkeys(made_up)), tuple(dict.fromkeys([*strangers, *addresses]))

    def _addresses_of_strangers(self, text: str) -> Iterator[str]:
        for address in ADDRESS.findall(text) if self._strangers else ():
            lowered = address.casefold()
            if any(lowered in stranger for stranger in self._strangers) and lowered not in self._trusted.text:
                yield address

    @cached_property
    def _strangers(self) -> list[str]:
        """The texts of strangers, casefolded."""
        ended = calls_of(self.situation.conversation)
        return [text.casefold() for _, told in ended if told.untrusted for text in (told.text, *_written(told.value))]

    @cached_property
    def _with_strangers(self) -> Grounds:
        return Grounds(self._said, [*self._found(untrusted=True)], self.today)

    def unsupported_in_summary(
        self, summary: str, told_already: Collection[UnsupportedClaim]
    ) -> tuple[UnsupportedClaim, ...]:
        """The figures of a summary that stand nowhere, by sentence; but of sentences of which more is said already."""
        if not _has_digit(summary):
            return ()
        known = {claim.sentence for claim in told_already}
        lines = sentences(summary)
        wrong: dict[str, list[str]] = {}
        for figure in unsupported_figures(summary, self._all):
            shown = _shortened(_sentence_of(figure, lines, summary))
            if shown not in known:
                wrong.setdefault(shown, []).append(figure.text)
        return tuple(
            UnsupportedClaim(
                sentence=sentence,
                why=f"neither the request nor a result says {', '.join(figures)}",
                figures=tuple(figures),
            )
            for sentence, figures in wrong.items()
        )

    @cached_property
    def _trusted(self) -> Grounds:
        return Grounds(self._said, [*self._found(untrusted=False)], self.today)

    @cached_property
    def _all(self) -> Grounds:
        found = [*self._found(untrusted=True), *self._made_with()]
        return Grounds([*self._said, *self._own_words()], found, self.today, calls=self._counts())

    @property
    def _said(self) -> list[str]:
        return [entry.text for entry in self.situation.conversation if isinstance(entry, UserEntry)]

    def _found(self, *, untrusted: bool) -> Iterator[JsonValue]:
        """What a call is told that does not fit names the model's own figures."""
        for _, told in calls_of(self.situation.conversation):
            if status_of(told) != ReceiptStatus.INVALID and (untrusted or not told.untrusted):
                yield told.value

    def _made_with(self) -> Iterator[JsonValue]:
        for call, told in calls_of(self.situation.conversation):
            if status_of(told) not in NEVER_RUN:
                yield call.arguments if told.arguments is None else told.arguments

    def _own_words(self) -> Iterator[str]:
        """What the model said before, where it may have read what is no longer there; but not what was sent back."""
        entries = self.situation.conversation
        lost = any(isinstance(entry, NoteEntry) for entry in entries[:1]) or any(
            isinstance(told.value, str) and CUT.search(told.value) for _, told in calls_of(entries)
        )
        for entry, following in pairwise(entries):
            if lost and isinstance(entry, AssistantEntry) and not isinstance(following, NoteEntry):
                yield entry.text

    def _counts(self) -> Iterator[int]:
        ended = [(call.tool, status_of(told)) for call, told in calls_of(self.situation.conversation)]
        yield from Counter(tool for tool, _ in ended).values()
        yield from Counter(status for _, status in ended).values()
        yield from Counter(ended).values()


def _written(value: JsonValue) -> Iterator[str]:
    """The texts in a value; a number that an argument has is no text."""
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _written(each)
        case dict():
            for each in value.values():
                yield from _written(each)
        case _:
            return


def _foreseen(schema: object) -> Iterator[str]:
    """The values that a schema itself offers; what its descriptions say is often an example."""
    match schema:
        case dict():
            for name, part in cast("dict[str, JsonValue]", schema).items():
                yield from _written(part) if name in ("enum", "const", "default") else _foreseen(part)
        case list():
            for part in cast("list[JsonValue]", schema):
                yield from _foreseen(part)
        case _:
            return


def _has_digit(text: str) -> bool:
    return re.search(r"\d", text) is not None


def _sentence_of(figure: Figure, lines: list[str], summary: str) -> str:
    return next((line for line in lines if figure.text in line), " ".join(summary.split()))


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= LONGEST_SENTENCE else f"{sentence[: LONGEST_SENTENCE - 1]}…"
