"""Grounded arguments: values that somebody other than the model must have mentioned, such as a mail's recipients.

A small model mistypes an address now and then, and a stranger would get the mail. So such a value must occur in the
request, in a tool's result, or in the address book of the settings.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import cast

from pydantic import JsonValue

from activities.model.occurrence import EDGES, occurs
from activities.toolkit.function_names import FIND_TOOLS
from activities.toolkit.parameters import Parameters
from activities.toolkit.tool import Tool
from workflows.contract.conversation import AssistantEntry, ToolMessage, UserEntry
from workflows.contract.internal import ModelInput
from workflows.contract.values import Arguments, texts

MOST_MENTIONED = 50
LONGEST_SEARCHED = 64 * 1024
"""Characters of what was said that are searched for values to offer."""


@dataclass(frozen=True)
class Heard:
    """What came from the requester, from a tool or from the address book, and not from the model.

    The result of an untrusted tool is a stranger's text, and no ground.
    """

    texts: tuple[str, ...]

    @classmethod
    def of(cls, situation: ModelInput, address_book: Iterable[str]) -> "Heard":
        return cls((*address_book, *_said(situation)))

    def mentions(self, value: str) -> bool:
        return any(occurs(value, text) for text in self.texts)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Each once; none, where there are so many that searching them takes long."""
        together = " ".join(self.texts)
        return () if len(together) > LONGEST_SEARCHED else tuple(_words(together))


def ungrounded(tool: Tool, arguments: Arguments, heard: Heard) -> tuple[str, ...]:
    """The values of grounded arguments that nobody mentioned before the model did."""
    held = tool.beyond_defaults(arguments)
    values = (text for name in tool.grounded for text in texts(held.get(name)))
    return tuple(value for value in values if not heard.mentions(value))


def narrowed(tool: Tool, heard: Heard) -> dict[str, JsonValue]:
    """The tool's schema, in which grounded arguments of a narrow type list the values that were mentioned so far.

    An endpoint that holds a model to the schema then cannot let it mistype one. Where nothing fitting was mentioned,
    or the type is as wide as any text, the schema stays as it is.
    """
    schema = tool.parameters.schema.document
    properties: dict[str, JsonValue] = {**_properties(schema)}
    for name in tool.grounded:
        if values := mentioned(tool, name, heard):
            properties[name] = _one_of(_properties(schema)[name], cast("list[JsonValue]", values))
    return {**schema, "properties": properties}


def mentioned(tool: Tool, name: str, heard: Heard) -> list[str]:
    """What somebody mentioned that a grounded argument would take.

    Nothing, where its type is as wide as any text, or where it is not certain that nothing was overlooked.
    """
    schema = tool.parameters.schema.document
    part = _one_value(schema, name)
    if not {"format", "pattern"} & part.keys():
        return []
    words = [word for word in heard.words if "@" in word or part.get("format") != "email"]
    values = _fitting(tool, name, words)
    # A list that lacks one would force the model to take another: rather none than that.
    cut_wrong = part.get("format") == "email" and len(values) < len(words)
    return [] if cut_wrong or len(values) > MOST_MENTIONED else values


def named(tool: Tool, name: str, text: str) -> list[str]:
    """The words of a text that a grounded argument would take; none, where its type is as wide as any text."""
    part = _one_value(tool.parameters.schema.document, name)
    words = [word for word in _words(text) if "@" in word or part.get("format") != "email"]
    return _fitting(tool, name, words) if {"format", "pattern"} & part.keys() else []


def _said(situation: ModelInput) -> Iterator[str]:
    for entry in situation.conversation:
        if isinstance(entry, UserEntry):
            yield entry.text
        elif isinstance(entry, AssistantEntry):
            for call in entry.calls:
                # What a tool's description gives as an example, nobody has said.
                if call.told and not (call.told.failed or call.told.untrusted or call.tool == FIND_TOOLS):
                    yield from _said_in(call.told)


def _said_in(told: ToolMessage) -> list[str]:
    """A result, and where it is JSON also the texts in it, where no escape (`\\nann@example.com`) hides a beginning."""
    try:
        value = json.loads(told.value) if isinstance(told.value, str) else told.value
        return [told.text, *texts(value)]
    except (ValueError, RecursionError):
        return [told.text]


def _words(text: str) -> Iterable[str]:
    words = (word.strip(EDGES) for word in re.split(r"[\s,;:<>()\[\]{}|\"“”„«»‘]+", text))
    return dict.fromkeys(word for word in words if word)


def _fitting(tool: Tool, name: str, words: Iterable[str]) -> list[str]:
    schema = tool.parameters.schema.document
    as_list = _one_value(schema, name) is not _properties(schema)[name]
    is_email = _one_value(schema, name).get("format") == "email"
    return [
        word
        for word in words
        if _takes(tool.parameters, name, word, as_list=as_list) and not (is_email and _may_begin_inside(word))
    ]


def _may_begin_inside(word: str) -> bool:
    """Whether an address may begin inside a word: before it may stand others, in a script that has no spaces."""
    return not word.rpartition("@")[0].isascii()


@lru_cache(maxsize=256)
def _takes(parameters: Parameters, name: str, word: str, *, as_list: bool) -> bool:
    """Whether the argument would take a word, alone, as its value. The same words come at every turn of a request."""
    return parameters.takes(name, [word] if as_list else word)


def _one_of(part: Mapping[str, JsonValue], values: list[JsonValue]) -> dict[str, JsonValue]:
    """An argument's schema, in which a value is one of these."""
    items = part.get("items")
    return {**part, "items": {**items, "enum": values}} if isinstance(items, dict) else {**part, "enum": values}


def _one_value(schema: Mapping[str, JsonValue], name: str) -> dict[str, JsonValue]:
    """The schema of one value: of the items, where the argument is a list."""
    items = _properties(schema)[name].get("items")
    return items if isinstance(items, dict) else _properties(schema)[name]


def _properties(schema: Mapping[str, JsonValue]) -> dict[str, dict[str, JsonValue]]:
    return cast("dict[str, dict[str, JsonValue]]", schema["properties"])
