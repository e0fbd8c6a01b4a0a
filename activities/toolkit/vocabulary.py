"""The words that people ask with, and those that programmers name functions with: "throw out" and `delete`.

A search by words alone would miss what is called otherwise. The groups are of everyday office and software English, for
any system; a word may stand in several. Pure data and functions.
"""

import re
from collections.abc import Iterable, Iterator


def words(text: str) -> list[str]:
    """In lower case and each once; camelCase, snake_case and paths taken apart."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", re.sub(r"\b([Ss])et(ting)? up\b", "setup", text))
    return list(dict.fromkeys(word.lower() for word in re.findall(r"[^\W_]+", apart)))


_GROUPS = {
    "make": "create add make open new start register file publish submit upload insert generate post begin propose "
    "introduce establish define setup",
    "keep": "store save write put set keep record upsert create",
    "change": "update change edit modify rename set replace mark close reopen adjust turn switch correct fix alter "
    "revise make bring",
    "move": "move transfer migrate relocate hand",
    "drop": "delete remove drop erase rid throw clear revoke unset destroy kick discard wipe purge",
    "run": "run start trigger dispatch execute launch retry rerun restart re",
    "stop": "stop cancel abort halt end kill pause suspend disable",
    "copy": "copy duplicate clone fork replicate",
    "join": "join merge combine unite",
    "say": "comment reply answer tell write say message",
    "review": "review approve accept confirm inspect check",
    "refuse": "reject decline refuse dismiss deny",
    "give": "assign assignee responsible give",
    "invite": "invite invitation join",
    "allow": "allow permit grant access permission let may right role",
    "block": "block ban forbid lock",
    "follow": "follow subscribe watch",
    "hook": "webhook hook callback whenever notify",
    "find": "search find look query",
    "count": "count number many total statistics metric",
    "view": "view visit visitor traffic",
    "compare": "compare comparison difference differ diff changed",
    "latest": "latest newest recent recently",
    "bring": "download export fetch bring",
    "limit": "limit throttle quota rate allowance remaining",
    "release": "release publish version ship deploy deployment",
    "secret": "secret password passphrase token credential",
    "person": "person people user member who somebody collaborator colleague participant",
    "group": "group team department",
    "organization": "org organization organisation company enterprise",
    "repository": "repo repository project",
    "machine": "machine computer server host runner agent node",
    "alert": "alert warning vulnerability weakness",
    "leak": "leak exposed exposure scanning",
    "picture": "picture image photo logo avatar",
    "file": "file document content attachment",
    "folder": "folder directory path tree",
    "output": "log print output console trace",
    "history": "history audit activity past",
    "money": "cost price bill billing spend usage charge payment money invoice",
    "settings": "setting option preference configuration config",
    "label": "label tag category topic",
    "mail": "email mail",
    "visible": "private public visibility hidden visible",
    "mine": "i me my mine myself our us authenticated current",
}
_LOOKING = frozenset(
    words("list get show find search see view read look tell check what which who whose how is are was has does")
)
_UNTOLD = frozenset(
    words(
        "a about after again against all also am an and any anybody anyone are as at be because been before being "
        "below between both but by called can could did do does doing don down during each everywhere few for from "
        "further gave get got had has have having he her here hers him his how i if in into is it its itself just "
        "lately left let like make many me more most much my name named need needs no nor not now of off on once "
        "only onto or other others our ours out over own please s said same say says she should since so some "
        "somebody someone such t than that the their theirs them then there these they this those through till to "
        "too under until up us very want wants was we were what when whenever where which while who whom why will "
        "with would you your"
    )
)
"""Words that say nothing of what is to be done."""
_GROUPS_OF: dict[str, list[str]] = {}
for _group, _words in _GROUPS.items():
    for _word in _words.split():
        _GROUPS_OF.setdefault(_word, []).append(f"group{_group}")
_ENDINGS = (("ies", ("y",)), ("es", ("",)), ("s", ("",)), ("ed", ("", "e")), ("ing", ("", "e")))
_LOOKS = "grouplook"
_VALUE = re.compile(r"(?<!\S)\S*?(?:[\w-][/@._:]\w|\d)\S*")
"""octo/app, ann@example.com, report.pdf, 8812: what it is to be done with, and not what is to be done.

It is looked for at the beginning of what stands between spaces only, or else a long text without any takes minutes.
"""


def meaning(found: Iterable[str], *, looks: bool) -> Iterator[str]:
    """A word for each group that one of these words is in, and one for what only looks."""
    yield from dict.fromkeys(group for word in found for form in _forms(word) for group in _GROUPS_OF.get(form, ()))
    if looks:
        yield _LOOKS


def asked(text: str, most: int) -> list[str]:
    """What a text in plain words is searched by: its first words that say something, and their groups."""
    said = words(_VALUE.sub(" ", text)) or words(text)
    telling = [word for word in said if word not in _UNTOLD][:most]
    return [*telling, *meaning(said[: 2 * most], looks=not _LOOKING.isdisjoint(said))]


def _forms(word: str) -> Iterator[str]:
    """The word, and what it may be a form of: visitors, visited, visiting; vulnerabilities, stopped, storing."""
    yield word
    for ending, replacements in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 2:
            stem = word[: -len(ending)]
            yield from (stem + each for each in replacements)
            if stem[-1] == stem[-2]:
                yield stem[:-1]
