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

from pydantic import JsonValue

from activities.model.clauses import sentences
from activities.model.evidence import CUT, calls_of, status_of
from activities.model.figures.grounds import Grounds
from activities.model.figures.misplaced import misplaced_numbers
from activities.model.figures.numbers import KnownNumbers
from activities.model.figures.offered import checked_numbers, checked_texts, outputs_numbers, outputs_texts, written
from activities.model.figures.reading import Figure
from activities.model.figures.unsupported import MOST_TOLD, is_supported, unsupported_figures
from activities.model.occurrence import occurs
from activities.toolkit.tool import Tool
from workflows.contract.api import ReceiptStatus
from workflows.contract.conversation import AssistantEntry, NoteEntry, UserEntry
from workflows.contract.internal import ModelInput, UnsupportedClaim
from workflows.contract.values import Arguments, Schema

NEVER_RUN = (ReceiptStatus.INVALID, ReceiptStatus.REJECTED, ReceiptStatus.REFUSED, ReceiptStatus.CANCELLED)
ADDRESS = re.compile(
    r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)]|www\.[\w.-]*\w|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", re.IGNORECASE
)
"""A link, or a mail address."""
SCHEME = re.compile(r"^https?://", re.IGNORECASE)
LONGEST_SENTENCE = 300
SHORTEST_WORD = 3
"""Characters."""


@dataclass(frozen=True)
class Spoken:
    situation: ModelInput
    today: date

    def unsupported_in_call(
        self, tool: Tool, arguments: Arguments, copied: Collection[str] = ()
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What nobody but the model has mentioned of a write's arguments, without the grounded ones, which are held to
        more than that elsewhere, and without `copied`, the texts that are a result, which no model has touched; and
        what only a stranger has: figures, addresses, and arguments of a single word. Addresses that are made up are
        told where a stranger's text has been read, which may have led to them."""
        if tool.route.effect != "write":
            return (), ()
        checked = [text for text in checked_texts(tool, arguments) if text not in copied]
        loose = [figure for text in checked if _has_digit(text) for figure in unsupported_figures(text, self._trusted)]
        given = checked_numbers(tool, arguments, self._trusted.said)
        numbers = [number for number in given if number not in self._trusted_numbers]
        numbers = numbers[:MOST_TOLD]
        misplaced = misplaced_numbers(arguments, given, self._trusted)
        if not self._strangers:
            return tuple(dict.fromkeys([*(figure.text for figure in loose), *map(str, numbers), *misplaced])), ()
        addresses = [address for text in checked for address in ADDRESS.findall(text) if not self._knows(address)]
        words = [text for text in checked if self._is_word_of_strangers(text)]
        told = [(figure.text, is_supported(figure, self._with_strangers)) for figure in loose]
        told += [(str(number), number in self._numbers_with_strangers) for number in numbers]
        told += [(address, self._is_of_strangers(address)) for address in addresses]
        of_strangers = [text for text, is_theirs in told if is_theirs]
        made_up = [text for text, is_theirs in told if not is_theirs]
        return tuple(dict.fromkeys([*made_up, *misplaced])), tuple(dict.fromkeys([*of_strangers, *words]))

    @cached_property
    def _trusted_numbers(self) -> KnownNumbers:
        return KnownNumbers(self._trusted)

    @cached_property
    def _numbers_with_strangers(self) -> KnownNumbers:
        return KnownNumbers(self._with_strangers)

    def _knows(self, address: str) -> bool:
        """Whether somebody who is trusted has mentioned a link or a mail address, however it was written; or the host
        of the link, the rest of which is no stranger's."""
        trusted = self._trusted.text
        if any(occurs(form, trusted) for form in _forms(address)):
            return True
        is_at_home = any(occurs(form, trusted) for form in _forms(_host(address)))
        return is_at_home and not any(occurs(form, text) for form in _forms(address) for text in self._strangers)

    def _is_of_strangers(self, address: str) -> bool:
        """Whether a stranger has mentioned it, or the host of the link."""
        forms = (*_forms(address), *_forms(_host(address)))
        return any(occurs(form, text) for form in forms for text in self._strangers)

    def _is_word_of_strangers(self, text: str) -> bool:
        word = text.strip()
        if len(word) < SHORTEST_WORD or len(word.split()) != 1 or ADDRESS.fullmatch(word):
            return False
        return not occurs(word, self._trusted.text) and any(occurs(word, stranger) for stranger in self._strangers)

    @cached_property
    def _strangers(self) -> list[str]:
        """The texts of strangers, casefolded."""
        ended = calls_of(self.situation.conversation)
        return [text.casefold() for _, told in ended if told.untrusted for text in (told.text, *written(told.value))]

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

    def unsupported_in_output(self, output: JsonValue, schema: Schema) -> tuple[str, ...]:
        """The figures of an output that stand nowhere. It may show what a summary may."""
        texts = outputs_texts(output, schema)
        figures = (figure.text for text in texts if _has_digit(text) for figure in unsupported_figures(text, self._all))
        given = outputs_numbers(output, schema, self._all.said)
        numbers = (str(number) for number in given if number not in self._all_numbers)
        misplaced = misplaced_numbers(output, given, self._all)
        return tuple(dict.fromkeys([*figures, *numbers, *misplaced]))[:MOST_TOLD]

    @cached_property
    def _trusted(self) -> Grounds:
        return Grounds(self._said, [*self._found(untrusted=False)], self.today)

    @cached_property
    def _all(self) -> Grounds:
        found = [*self._found(untrusted=True), *self._made_with()]
        return Grounds([*self._said, *self._own_words()], found, self.today, calls=self._counts())

    @cached_property
    def _all_numbers(self) -> KnownNumbers:
        return KnownNumbers(self._all)

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


def _forms(address: str) -> tuple[str, ...]:
    """How else it may be written: a link without its scheme, with or without www."""
    bare = SCHEME.sub("", address).rstrip("/").removeprefix("www.")
    return (bare,) if "@" in address.partition("/")[0] else (bare, f"www.{bare}")


def _host(address: str) -> str:
    return re.split(r"[/?#]", SCHEME.sub("", address), maxsplit=1)[0]


def _has_digit(text: str) -> bool:
    return re.search(r"\d", text) is not None


def _sentence_of(figure: Figure, lines: list[str], summary: str) -> str:
    return next((line for line in lines if figure.text in line), " ".join(summary.split()))


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= LONGEST_SENTENCE else f"{sentence[: LONGEST_SENTENCE - 1]}…"
