"""What of a call, or of an output, is held to what was said: all texts and numbers but those that a schema offers."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import cast

from pydantic import JsonValue

from activities.model.figures.numbers import FieldNumber, numbers_in
from activities.model.figures.unsupported import MOST_CHECKED
from activities.toolkit.tool import Tool
from workflows.contract.values import Arguments, Schema

OFFERED = ("enum", "const", "default")
"""Keywords of a schema whose values nobody has to mention."""
DEFAULT = re.compile(r"\bdefault\w*[^\d.;-]{0,25}(-?\d{1,15}(?:\.\d{1,10})?(?:e[+-]?\d{1,2})?)", re.IGNORECASE)
BOUNDS = ("minimum", "maximum")
RANGE = re.compile(
    r"\b(?:rang\w*|between|from|limits?)\b[^\d.;]{0,15}(-?\d{1,9}(?:\.\d{1,9})?)[^\d.;]{1,12}(-?\d{1,9}(?:\.\d{1,9})?)"
    r"|\bmax(?:imum)?\b[^\d.;]{0,15}(\d{1,9}(?:\.\d{1,9})?)",
    re.IGNORECASE,
)
EXTREME = re.compile(
    r"\b(?:max|maximum|maximal\w*|min|minimum|minimal\w*|full|fully|all|most|least|highest|lowest|alle[ns]?|volle?[nrs]?"
    r"|höchste\w*|tous|toutes|todos|todas|tutti|tutte)\b"
)
"""What a request says of one who may take the least or the largest value."""
WITHIN = ("items", "anyOf", "oneOf", "allOf")
CODE = re.compile(r"(?<![\w.,$€£-])\d{1,2}(?![\w%]|[.,]\d)")
"""Of "1: cleaning, 2: ironing"."""


def checked_texts(tool: Tool, arguments: Arguments) -> list[str]:
    """The texts of arguments that are held to what was said; not those that the schema itself offers."""
    foreseen = {text.casefold() for text in _foreseen(tool.parameters.schema.document)}
    texts = (text for name, value in arguments.items() if name not in tool.grounded for text in written(value))
    return [text for text in texts if text.casefold() not in foreseen]


def checked_numbers(tool: Tool, arguments: Arguments, said: str = "") -> list[FieldNumber]:
    """The numbers of arguments that are held to what was said; not those that the argument's own schema offers, nor its
    least and its largest one, where the requester asks for such a thing."""
    document = tool.parameters.schema.document
    parts = cast("dict[str, JsonValue]", document.get("properties", {}))
    found: list[FieldNumber] = []
    for name in (name for name in arguments if name not in tool.grounded):
        foreseen = {*_foreseen_numbers(parts.get(name)), *_foreseen_numbers(document.get("$defs"))}
        if EXTREME.search(said):
            foreseen.update(_bounds(parts.get(name)))
        found += [each for each in numbers_in(arguments[name], name) if each.value not in foreseen]
    return found[:MOST_CHECKED]


def outputs_texts(output: JsonValue, schema: Schema) -> list[str]:
    """The texts of an output that are held to what was said."""
    foreseen = {text.casefold() for text in _foreseen(schema)}
    return [text for text in written(output) if text.casefold() not in foreseen]


def outputs_numbers(output: JsonValue, schema: Schema, said: str = "") -> list[FieldNumber]:
    """The numbers of an output that are held to what was said; not those on a scale, with which a model judges."""
    foreseen, scales = {*_foreseen_numbers(schema)}, {*_scales(schema)}
    if EXTREME.search(said):
        foreseen.update(_bounds(schema))
    found = (each for each in numbers_in(output) if each.value not in foreseen and each.name not in scales)
    return [*islice(found, MOST_CHECKED)]


def _scales(schema: object, name: str = "") -> Iterator[str]:
    """The fields that have a least and a largest value: a confidence from 0 to 1, stars from 1 to 5."""
    match schema:
        case dict():
            parts = cast("dict[str, JsonValue]", schema)
            if {"minimum", "exclusiveMinimum"} & parts.keys() and {"maximum", "exclusiveMaximum"} & parts.keys():
                yield name
            for key, part in parts.items():
                yield from _scales(part, name if key in WITHIN else key)
        case list():
            for part in cast("list[JsonValue]", schema):
                yield from _scales(part, name)
        case _:
            return


def written(value: JsonValue) -> Iterator[str]:
    """The texts in a value."""
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from written(each)
        case dict():
            for each in value.values():
                yield from written(each)
        case _:
            return


def _foreseen(schema: object) -> Iterator[str]:
    """The values that a schema itself offers; what its descriptions say is often an example."""
    match schema:
        case dict():
            for name, part in cast("dict[str, JsonValue]", schema).items():
                yield from written(part) if name in OFFERED else _foreseen(part)
        case list():
            for part in cast("list[JsonValue]", schema):
                yield from _foreseen(part)
        case _:
            return


def _foreseen_numbers(schema: object) -> Iterator[float]:
    """Also those that a description calls a default, or that may be codes."""
    match schema:
        case dict():
            for name, part in cast("dict[str, JsonValue]", schema).items():
                if name in OFFERED:
                    yield from (number.value for number in numbers_in(part))
                elif name == "description":
                    yield from (float(each) for each in (*DEFAULT.findall(str(part)), *CODE.findall(str(part))))
                else:
                    yield from _foreseen_numbers(part)
        case list():
            for part in cast("list[JsonValue]", schema):
                yield from _foreseen_numbers(part)
        case _:
            return


def _bounds(schema: object) -> Iterator[float]:
    match schema:
        case dict():
            for name, part in cast("dict[str, JsonValue]", schema).items():
                if name in BOUNDS:
                    yield from (number.value for number in numbers_in(part))
                elif name == "description":
                    yield from (float(each) for match in RANGE.finditer(str(part)) for each in match.groups() if each)
                else:
                    yield from _bounds(part)
        case list():
            for part in cast("list[JsonValue]", schema):
                yield from _bounds(part)
        case _:
            return
