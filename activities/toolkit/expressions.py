"""JMESPath: what a file of sources says about an answer of the far end."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import jmespath
from jmespath.exceptions import JMESPathError, JMESPathTypeError
from jmespath.functions import Functions
from pydantic import JsonValue
from pydantic_core import to_json

from activities.errors import OutcomeUnknown, ServiceRefused
from activities.written_by_hand import did_you_mean

LONGEST_REFUSAL = 500
"""Characters of an answer that stand in the message of an error."""
FUNCTIONS: Mapping[str, Mapping[str, Any]] = Functions.FUNCTION_TABLE
"""Those of JMESPath, with what they take."""


class NotAnExpression(ValueError):
    """An option is no JMESPath."""

    def __init__(self, option: str, what: str) -> None:
        super().__init__(what)
        self.option = option


class Expression:
    """One that was read.

    Raises:
        NotAnExpression: it is no JMESPath, or calls a function as there is none; the message says where it goes wrong.
    """

    def __init__(self, option: str, text: str) -> None:
        try:
            self._compiled: Any = jmespath.compile(text)
        except JMESPathError as error:
            raise NotAnExpression(option, f"it is no JMESPath: {' '.join(str(error).split())[:200]}") from error
        for name, given in _calls(self._compiled.parsed):
            if why := _why_not_called(name, given):
                raise NotAnExpression(option, why)

    def of(self, value: JsonValue) -> JsonValue:
        """What it finds in a value.

        Raises:
            ValueError: it cannot be applied to the value. The message says why, and quotes nothing of the value.
        """
        try:
            return cast("JsonValue", self._compiled.search(value))
        except JMESPathTypeError as error:
            raise ValueError(_of_another_type(error)) from error
        except (JMESPathError, TypeError, ValueError) as error:
            raise ValueError(" ".join(str(error).split())[:200]) from error


def _calls(part: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The functions that a part of an expression calls, each with the number of its arguments."""
    children = cast("Sequence[object]", part["children"])
    if part["type"] == "function_expression":
        yield str(part["value"]), len(children)
    for child in children:
        if isinstance(child, dict):  # and not a bound of a slice
            yield from _calls(cast("Mapping[str, Any]", child))


def _why_not_called(name: str, given: int) -> str:
    """What is wrong with the call of a function, which JMESPath itself only sees once there is an answer."""
    if name not in FUNCTIONS:
        return f"JMESPath has no function {name}{did_you_mean(name, FUNCTIONS)}"
    takes = FUNCTIONS[name]["signature"]
    least = "at least " if takes[-1].get("variadic") else ""
    if given == len(takes) or (least and given > len(takes)):
        return ""
    return f"the function {name} takes {least}{len(takes)} argument{'s'[: len(takes) - 1]}, not {given}"


def _of_another_type(error: Any) -> str:
    """Of values that a function does not take: jmespath's own words quote them."""
    return f"the function {error.function_name} takes {' or '.join(error.expected_types)}, not {error.actual_type}"


def refuse_what_failed(failed_when: Expression, value: JsonValue, name: str) -> None:
    """Look whether an answer that is none of an error by its form says no all the same.

    Raises:
        ServiceRefused: it does.
        OutcomeUnknown: nobody can tell from the answer what it says.
    """
    try:
        json.dumps(value, allow_nan=False)  # of a number that is none, nobody can say whether it is one of errors
        failed = is_something(failed_when.of(value))
    except ValueError as error:
        raise OutcomeUnknown(f"{name} was answered in a way that failed_when cannot judge: {error}") from error
    if failed:
        raise ServiceRefused(f"{name} was refused by the far end: {in_short(value)}")


def is_something(value: JsonValue) -> bool:
    """Whether there is something in it: not in null, false, 0, an empty text, list or object, or one of nulls alone.

    JMESPath takes 0 for true. Here it is the number of what there is: of errors, or of what a search has found. And
    `{id: id}` of what has no id is an object all the same.
    """
    if isinstance(value, list | dict):
        return any(each is not None for each in (value.values() if isinstance(value, dict) else value))
    return value not in (None, False, "", 0)


def in_short(value: JsonValue) -> str:
    """The beginning of a value, for a message."""
    said = to_json(value).decode()
    return said if len(said) <= LONGEST_REFUSAL else f"{said[:LONGEST_REFUSAL]}…"
