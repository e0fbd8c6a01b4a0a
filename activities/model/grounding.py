"""Grounded arguments: values that somebody other than the model must have mentioned, such as a mail's recipients.

A small model mistypes an address now and then, and a stranger would get the mail. So such a value must occur in the
request, in a tool's result, or in the address book of the settings.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

from pydantic import JsonValue

from activities.tool import Tool
from workflows.contract import Arguments, Situation, ToolEntry, UserEntry

MOST_MENTIONED = 50
EDGES = ".,;:!?'’\"`*_"
"""What may stand around a value in a text without being part of it."""
LONGEST_SEARCHED = 64 * 1024
"""Characters of what was said that are searched for values to offer."""


def ungrounded(tool: Tool, arguments: Arguments, situation: Situation, known: Iterable[str]) -> tuple[str, ...]:
    """The values of grounded arguments that occur neither in the request, nor in a tool's result, nor in `known`.

    The result of an untrusted tool is a stranger's text, and no ground.
    """
    heard = [*known, *_said(situation)]
    values = (text for name in tool.grounded for text in texts(arguments.get(name)))
    return tuple(value for value in values if not any(occurs(value, text) for text in heard))


def narrowed(tool: Tool, situation: Situation, known: Iterable[str]) -> dict[str, JsonValue]:
    """The tool's schema, in which grounded arguments of a narrow type list the values that were mentioned so far.

    An endpoint that holds a model to the schema then cannot let it mistype one. Where nothing fitting was mentioned,
    or the type is as wide as any text, the schema stays as it is.
    """
    schema = tool.schema()
    for name in tool.grounded:
        values = mentioned(tool, name, situation, known)
        if values:
            _one_value(schema, name)["enum"] = cast("list[JsonValue]", values)
    return schema


def mentioned(tool: Tool, name: str, situation: Situation, known: Iterable[str]) -> list[str]:
    """What somebody mentioned that a grounded argument would take.

    Nothing, where its type is as wide as any text, or where it is not certain that nothing was overlooked.
    """
    schema = tool.parameters.schema.document
    part = _one_value(schema, name)
    heard = " ".join([*known, *_said(situation)])
    if not {"format", "pattern"} & part.keys() or len(heard) > LONGEST_SEARCHED:
        return []
    takes = _taker(tool, name, as_list=part is not _properties(schema)[name])
    words = [word for word in _words(heard) if "@" in word or part.get("format") != "email"]
    values = [word for word in words if takes(word)]
    # A list that lacks one would force the model to take another: rather none than that.
    cut_wrong = part.get("format") == "email" and len(values) < len(words)
    return [] if cut_wrong or len(values) > MOST_MENTIONED else values


def texts(value: JsonValue) -> Iterator[str]:
    """Every text in a value, numbers as they are written."""
    match value:
        case None:
            return
        case list():
            for each in value:
                yield from texts(each)
        case dict():
            for each in value.values():
                yield from texts(each)
        case _:
            yield str(value)


def _said(situation: Situation) -> Iterator[str]:
    """What came from the requester or from a tool, and not from the model."""
    for entry in situation.conversation:
        if isinstance(entry, UserEntry):
            yield entry.text
        elif isinstance(entry, ToolEntry) and not (entry.failed or entry.untrusted):
            yield from _said_in(entry.text)


def _said_in(result: str) -> list[str]:
    """A result, and where it is JSON also the texts in it, where no escape (`\\nann@example.com`) hides a beginning."""
    try:
        return [result, *texts(json.loads(result))]
    except (ValueError, RecursionError):
        return [result]


def occurs(value: str, text: str) -> bool:
    """As a word of its own: ann@example.com does not occur in joann@example.com."""
    if value.strip().casefold() not in text.casefold():
        return False
    before = r"(?<![\w.+@-])(?<!\w['’!#$%&*/=?^`{|}~])"
    word = rf"{before}{re.escape(value.strip())}(?![\w@+-]|\.\w)"
    return re.search(word, text, re.IGNORECASE) is not None


def _words(text: str) -> Iterable[str]:
    words = (word.strip(EDGES) for word in re.split(r"[\s,;:<>()\[\]{}|\"“”„«»‘]+", text))
    return dict.fromkeys(word for word in words if word)


def _taker(tool: Tool, name: str, *, as_list: bool) -> Callable[[str], bool]:
    """Whether the argument would take a word, alone, as its value."""

    return lambda word: tool.takes(name, [word] if as_list else word)


def _one_value(schema: Mapping[str, JsonValue], name: str) -> dict[str, JsonValue]:
    """The schema of one value: of the items, where the argument is a list."""
    items = _properties(schema)[name].get("items")
    return items if isinstance(items, dict) else _properties(schema)[name]


def _properties(schema: Mapping[str, JsonValue]) -> dict[str, dict[str, JsonValue]]:
    return cast("dict[str, dict[str, JsonValue]]", schema["properties"])
