"""What a call is about, in a few words for people: "to ann@example.com"."""

import json
import string
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from activities.toolkit.definitions import Unfit
from workflows.contract.values import Arguments

LONGEST = 180


def described(about: str, arguments: Arguments, names: Sequence[str]) -> str:
    """The arguments in the braces of `about`; where that says nothing, the first of the arguments of these names."""
    shown = _Shown(arguments)
    if not about:
        return "".join(shown[name] for name in names[:1])[:LONGEST]
    return " ".join(_About().vformat(about, (), shown).split())[:LONGEST]


def check_about(about: str, arguments: Sequence[str]) -> None:
    """Refuse braces in which no argument stands.

    Raises:
        Unfit: there are such, or they cannot be filled in.
    """
    try:
        named = [field for _, field, _, _ in string.Formatter().parse(about) if field is not None]
        unknown = [field for field in named if field not in arguments]
        if not unknown:
            _About().vformat(about, (), dict.fromkeys(arguments, ""))
    except ValueError as error:
        raise Unfit(f"about {about!r} cannot be filled in: {error}") from error
    if unknown:
        raise Unfit(f"about names {{{unknown[0]}}}, which is no argument; {in_words(arguments)}")


def in_words(arguments: Sequence[str]) -> str:
    return f"its arguments are {', '.join(arguments)}" if arguments else "it has no arguments"


class _About(string.Formatter):
    """Takes whatever stands in braces for an argument's name, dots and all."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return kwargs[field_name], field_name


class _Shown(dict[str, str]):
    """Arguments as people read them; one that the model left out is empty."""

    def __init__(self, arguments: Arguments) -> None:
        super().__init__((name, _read(value)) for name, value in arguments.items())

    def __missing__(self, name: str) -> str:
        return ""


def _read(value: JsonValue) -> str:
    match value:
        case None:
            return ""
        case list():
            return ", ".join(map(_read, value))
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)
