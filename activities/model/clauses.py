"""What the clauses of an English sentence say of an action: that it was done, that it was not, or neither.

It goes by words, so it sees what most sentences say and not what all of them mean. What stands in a clause about the
content of a message ("… that the train is not late") neither denies nor doubts that the message was sent.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

QUOTED = re.compile(r'"[^"]*"|“[^“”]*”')
SUBJECT = r"(?:I|it|they|we|you|he|she|the|an?|this|that|there|my|your|none|nothing|nobody|no|neither)\b"
BOUNDARY = re.compile(
    rf";\s*|\s[–—-]\s|,?\s+(?=(?:but|however|although|though|while|whereas|except)\b)"
    rf"|,\s+(?:and\s+|so\s+|then\s+)?(?={SUBJECT})|\s+and\s+(?={SUBJECT})",
    re.IGNORECASE,
)
CONTENT = re.compile(
    r",?\s+(?:that|saying|stating|asking|telling|informing|about|regarding|with|because|since|as|if|whether"
    r"|to\s+(?:say|ask|tell|inform|let|confirm|remind))\b|:\s|[“\"]",
    re.IGNORECASE,
)
"""Where, behind the word for an action, begins what it was about."""
HARMLESS = re.compile(r"\bno (?:problems?|errors?|issues?|doubt|trouble)\b|\bnot only\b", re.IGNORECASE)
DOUBT = re.compile(
    r"\b(?:unknown|unclear|uncertain|unsure|unconfirmed|unverified|perhaps|maybe|may|might|possibly|probably|likely"
    r"|apparently|presumably|could have|or not)\b"
    r"|(?:\b(?:no|not|never|cannot|nobody|unable)\b|n['’]t\b).{0,30}\b(?:know|known|knows|certain\w*|sure|clear"
    r"|confirm\w*|verif\w+|determine\w*)\b",
    re.IGNORECASE,
)
CONDITION = re.compile(r"\b(?:if|whether|unless|until|once)\b", re.IGNORECASE)
DENIAL = re.compile(
    r"\b(?:not|no|never|nothing|nobody|none|neither|nor|cannot|unable|fail(?:ed|s|ure)?|unsuccessful\w*|invalid"
    r"|reject\w*|refus\w*|declin\w*|den(?:y|ied)|forb\w+|cancel\w*|except|excluding)\b|n['’]t\b",
    re.IGNORECASE,
)
INTENT = re.compile(
    r"\b(?:will|would|should|could|can|shall|to be|going to|please)\b(?:\s+\S+){0,5}\s*$", re.IGNORECASE
)
"""Just before the word for an action: it is still to be done."""


class Says(Enum):
    DONE = auto()
    NOT_DONE = auto()
    NEITHER = auto()


@dataclass(frozen=True)
class Clause:
    text: str
    main: str
    """Without what the message was about."""
    says: Says
    has_word: bool
    """Whether one of the words for the action stands in it."""

    def going_on(self, text: str) -> "Clause":
        main = f"{self.main} {text}" if self.main == self.text else self.main
        return Clause(f"{self.text} {text}", main, self.says, self.has_word)


def sentences(text: str) -> list[str]:
    """Each on one line, with single spaces."""
    return [" ".join(each.split()) for each in re.split(r"(?<=[.!?])\s+|\n+", text) if each.strip()]


def clauses(sentence: str, words: re.Pattern[str]) -> list[Clause]:
    """A clause without a word for the action, a denial or a doubt goes on with what the one before it says."""
    if sentence.endswith("?"):
        return []
    found: list[Clause] = []
    for part in BOUNDARY.split(QUOTED.sub(_only_a_word, sentence)):
        clause = _clause(part, words)
        if found and clause.says is Says.NEITHER and not clause.has_word and not DOUBT.search(part):
            clause = found.pop().going_on(part)
        elif found and clause.says is Says.DONE and CONDITION.match(found[-1].text):
            clause = replace(clause, says=Says.NEITHER)
        found.append(clause)
    return found


def _only_a_word(quoted: re.Match[str]) -> str:
    return '""' if " " in quoted[0] else quoted[0]


def _clause(text: str, words: re.Pattern[str]) -> Clause:
    text = HARMLESS.sub("", text)
    word = words.search(text)
    main = _without_content(text, word.end() if word else None)
    before = main[: word.start()] if word else main
    if DOUBT.search(main) or CONDITION.search(before):
        says = Says.NEITHER
    elif DENIAL.search(main):
        says = Says.NOT_DONE
    elif word and not INTENT.search(before):
        says = Says.DONE
    else:
        says = Says.NEITHER
    return Clause(text, main, says, has_word=word is not None)


def _without_content(text: str, after: int | None) -> str:
    content = CONTENT.search(text, after) if after is not None else None
    return text[: content.start()] if content else text


# --- how many ------------------------------------------------------------------------------------------------------

NUMBERS = {word: number for number, word in enumerate(("two", "three", "four", "five", "six", "seven"), start=2)}
NUMBER = rf"(?P<number>{'|'.join(NUMBERS)}|\d{{1,3}})"
PEOPLE = r"(?:recipients?|addressees?|address(?:es)?|people|persons?|colleagues?|contacts?|customers?|members?)"
END = r"(?=\s*(?:[.,;:!?)]|$|were\b|have\b|got\b|about\b|that\b|with\b|successfully\b))"
EVERYBODY = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\bto (?:all|both|each|every)\b(?: of)?(?: the| these| those)?(?: {NUMBER})?",
        rf"\b(?:all|both|each|every)(?: of)?(?: the| your| these| those)?(?: {NUMBER})?(?: \w+)? {PEOPLE}\b",
        rf"\b(?:the |these |those )?{NUMBER}(?: \w+)? {PEOPLE}\b",
        rf"\b(?:all|both)(?: {NUMBER})?{END}",
        r"\b(?:everyone|everybody|(?:all|both|each) of (?:them|you|us)|them (?:all|both))\b",
    )
)
SOME = re.compile(
    rf"\b(?:one|some|most|half|{'|'.join(NUMBERS)}|\d{{1,3}}) (?:out )?of (?:the |these |those )?"
    rf"(?:{'|'.join(NUMBERS)}|\d{{1,3}}|{PEOPLE})\b",
    re.IGNORECASE,
)
SEVERAL = re.compile(
    r"\b(?:both|all|each|every|them|they|these|those|e-?mails|mails|messages|were|(?:have|has) all|have been)\b",
    re.IGNORECASE,
)


def of_everybody(text: str) -> Iterator[int | None]:
    """For each place that speaks of all whom an action was for: how many they are, if it says so."""
    text = SOME.sub("", text)
    for pattern in EVERYBODY:
        for match in pattern.finditer(text):
            number = match.groupdict().get("number")
            if number:
                yield NUMBERS.get(number.casefold()) or int(number)
            else:
                yield 2 if "both" in match[0].casefold() else None


def of_several(text: str) -> bool:
    return SEVERAL.search(text) is not None
