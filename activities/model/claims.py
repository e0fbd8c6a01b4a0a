"""What a summary claims and no receipt bears out.

A tool says by which words its action is told of: `claim_verbs=("sent", "emailed", "mailed")`. A clause with such a
word claims the action, unless it denies or doubts it. It is borne out if a call of the tool is done: for every value of
a grounded argument (address) that it names, and for all of them where it speaks of all. Of a call that is `unknown`
neither "it was sent" nor "it was not sent" is borne out. Where several tools have a word in common, a call of any of
them will do. Figures for what could not be read: `failed_reads.py`.

So it notices "I emailed ann@example.com" without a mail to ann. It does not notice a claim in other words or another
language, or one about the content of a mail.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from activities.model.clauses import Clause, Says, clauses, of_everybody, of_several, sentences
from activities.model.evidence import Evidence, calls_of, gathered, status_of
from activities.model.failed_reads import FailedReads
from activities.model.grounding import Heard, mentioned, named
from activities.model.occurrence import occurs
from activities.toolkit.tool import Tool
from workflows.contract.api import ReceiptStatus
from workflows.contract.conversation import NoteEntry, UserEntry
from workflows.contract.internal import ModelInput, UnsupportedClaim

MOST_TOLD = 10
LONGEST_SENTENCE = 300
"""Characters."""
ANY_ACTION = (
    r"deliver\w*|go(?:ne|es)? (?:out|through)|went (?:out|through)|(?:un)?succe\w+|work(?:ed)?|happen\w*|complet\w+"
    r"|carried out|fail\w*|done"
)
"""Words for whatever was to be done, where nothing else can be meant."""
SENDER = re.compile(r"\bfrom \S+")

Problem = tuple[str, bool]
"""What is wrong with a claim, in words for the model; and whether it is that nobody knows."""


def unsupported(summary: str, situation: ModelInput, tools: Mapping[str, Tool]) -> tuple[UnsupportedClaim, ...]:
    """The sentences that no receipt bears out."""
    checks = [*_actions([*tools.values()], situation), FailedReads.of(situation, tools)]
    found: dict[UnsupportedClaim, None] = {}
    for sentence in sentences(summary):
        shown = sentence if len(sentence) <= LONGEST_SENTENCE else f"{sentence[: LONGEST_SENTENCE - 1]}…"
        for why, unknown in (problem for check in checks for problem in check.problems(sentence)):
            found[UnsupportedClaim(sentence=shown, why=why, unknown=unknown)] = None
        if len(found) >= MOST_TOLD:
            break
    return tuple(found)[:MOST_TOLD]


@dataclass(frozen=True)
class Action:
    """What the tools that are told of by the same words do, and what their calls bear out. Values are casefolded."""

    tools: tuple[Tool, ...]
    verbs: tuple[str, ...]
    situation: ModelInput
    every: Evidence
    recent: Evidence

    def problems(self, sentence: str) -> Iterator[Problem]:
        if self.verbs and (words := _words(self._verbs)).search(sentence):
            told = clauses(sentence, words)
            excused = frozenset(each for clause in told if clause.says is not Says.DONE for each in self._named(clause))
            for clause in told:
                if clause.says is Says.DONE:
                    yield from self._claimed(clause, excused)
        if self.every.any_unknown:
            for clause in clauses(sentence, self._words_of_denial()):
                if clause.says is Says.NOT_DONE:
                    yield from self._denied(clause)

    @property
    def _forgotten(self) -> bool:
        """Whether the conversation has lost its beginning: then there may be calls of which nothing is known here."""
        return isinstance(next(iter(self.situation.conversation), None), NoteEntry)

    @property
    def _asked_for(self) -> frozenset[str]:
        """Values that the last message names."""
        messages = [entry.text for entry in self.situation.conversation if isinstance(entry, UserEntry)]
        asked = Heard(tuple(messages[-1:]))
        return frozenset(each.casefold() for each in self._mentioned_in(asked))

    def _claimed(self, clause: Clause, excused: frozenset[str]) -> Iterator[Problem]:
        """What is wrong with saying that it was done."""
        whom = self._named(clause)
        evidence = self.every if whom else self.recent
        if self._forgotten:
            whom &= self.every.not_done
        lacking = (whom - self.every.done) or self._lacking_of_all(clause, whom, excused)
        if maybe := lacking & self.every.unknown:
            yield self._unknown(maybe)
        if (wrong := lacking - self.every.unknown) and evidence.any_done:
            yield f"no call of {self._name} to {_listed(wrong)} has succeeded", False
        elif not evidence.any_done and not maybe and not self._forgotten:
            yield self._unknown() if evidence.any_unknown and not wrong else self._nothing()
        elif not lacking:
            yield from self._in_part(clause, whom)

    def _lacking_of_all(self, clause: Clause, whom: frozenset[str], excused: frozenset[str]) -> frozenset[str]:
        """Whom it was not done for, where a clause says that it was done for all."""
        numbers = list(of_everybody(clause.text))
        left = self.recent.not_done - self.every.done - excused
        if None in numbers:
            return left | (self._asked_for - self.every.done - excused)
        if numbers:
            return left if self._fewer_than(numbers) else frozenset()
        return left if of_several(clause.text) and not whom else frozenset()

    def _in_part(self, clause: Clause, whom: frozenset[str]) -> Iterator[Problem]:
        if any(tool.grounded for tool in self.tools) and self._fewer_than(of_everybody(clause.text)):
            yield f"{self._name} was done for {len(self.recent.done)} of them", False
        elif of_several(clause.text) and self.recent.left_undone(whom):
            yield f"not every call of {self._name} has succeeded", False

    def _fewer_than(self, numbers: Iterable[int | None]) -> bool:
        return any(number is not None and number > len(self.recent.done) for number in numbers)

    def _denied(self, clause: Clause) -> Iterator[Problem]:
        """What is wrong with saying that it was not done."""
        whom = self._named(clause)
        if maybe := whom & self.every.unknown:
            yield self._unknown(maybe)
        elif clause.has_word and not whom and self.recent.any_unknown:
            yield self._unknown()

    def _nothing(self) -> Problem:
        return f"no call of {self._name} has succeeded", False

    def _unknown(self, values: Iterable[str] = ()) -> Problem:
        whom = f" to {_listed(values)}" if values else ""
        return f"{_either(self._unknown_tools)}{whom} may have been done, or not", True

    @property
    def _name(self) -> str:
        """Of the tools those that were called; of all, where none was."""
        return _either({call.tool.name: None for call in self.every.calls} or [tool.name for tool in self.tools])

    @property
    def _unknown_tools(self) -> Iterable[str]:
        return {call.tool.name: None for call in self.every.calls if call.is_unknown}

    @property
    def _verbs(self) -> str:
        return "|".join(map(re.escape, self.verbs))

    def _mentioned_in(self, heard: Heard) -> Iterator[str]:
        return (each for tool in self.tools for name in tool.done_for for each in mentioned(tool, name, heard))

    def _named(self, clause: Clause) -> frozenset[str]:
        """The values of grounded arguments that a clause names: in its main part, or else at all."""
        return self._named_in(clause.main) or self._named_in(clause.text)

    def _named_in(self, text: str) -> frozenset[str]:
        text = SENDER.sub("", text)
        typed = {value.casefold() for tool in self.tools for name in tool.done_for for value in named(tool, name, text)}
        called = {value for value in self.every.done | self.every.not_done if occurs(value, text)}
        short = {value for value in self.every.not_done if self._named_without_domain(value, text)}
        return frozenset((typed | called | short) - self.every.beside)

    def _named_without_domain(self, value: str, text: str) -> bool:
        """Whether "Bob" means bob@example.com."""
        name, at, _ = value.partition("@")
        return bool(at) and occurs(name, text) and not any(done.startswith(f"{name}@") for done in self.every.done)

    def _words_of_denial(self) -> re.Pattern[str]:
        names = " ".join(self._unknown_tools).casefold()
        of_its_name = (rf"{word}(?:s|ed|ing)?" for word in re.findall(r"[a-z]{3,}", names))
        ended = {status_of(told) for _, told in calls_of(self.situation.conversation)}
        alone = ended <= {ReceiptStatus.DONE, ReceiptStatus.UNKNOWN}
        return _words("|".join(filter(None, [self._verbs, *of_its_name, ANY_ACTION if alone else ""])))


def _actions(tools: Sequence[Tool], situation: ModelInput) -> Iterator[Action]:
    """One for each set of tools that have words in common, and one for each write that no word tells of."""
    verbs: dict[tuple[Tool, ...], dict[str, None]] = {}
    for tool in tools:
        for verb in tool.claim_verbs:
            same = tuple(each for each in tools if verb in each.claim_verbs)
            verbs.setdefault(same, {})[verb] = None
        if not tool.claim_verbs and tool.route.effect == "write":
            verbs[tool,] = {}
    return (Action(same, tuple(words), situation, *gathered(same, situation)) for same, words in verbs.items())


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(values))


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)
