"""JMESPath: what a file of sources says about an answer of the far end."""

from typing import Any, cast

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import JsonValue
from pydantic_core import to_json

from activities.errors import OutcomeUnknown, ServiceRefused

LONGEST_REFUSAL = 500
"""Characters of an answer that stand in the message of an error."""


class NotAnExpression(ValueError):
    """An option is no JMESPath."""

    def __init__(self, option: str, what: str) -> None:
        super().__init__(what)
        self.option = option


class Expression:
    """One that was read.

    Raises:
        NotAnExpression: it is no JMESPath; the message says where it goes wrong.
    """

    def __init__(self, option: str, text: str) -> None:
        try:
            self._compiled: Any = jmespath.compile(text)
        except JMESPathError as error:
            raise NotAnExpression(option, f"it is no JMESPath: {' '.join(str(error).split())[:200]}") from error

    def of(self, value: JsonValue) -> JsonValue:
        """What it finds in a value.

        Raises:
            ValueError: it cannot be applied to the value.
        """
        try:
            return cast("JsonValue", self._compiled.search(value))
        except (JMESPathError, TypeError, ValueError) as error:
            raise ValueError(" ".join(str(error).split())[:200]) from error


def refuse_what_failed(failed_when: Expression, value: JsonValue, name: str) -> None:
    """Look whether an answer that is none of an error by its form says no all the same.

    Raises:
        ServiceRefused: it does.
        OutcomeUnknown: nobody can tell from the answer what it says.
    """
    try:
        failed = is_something(failed_when.of(value))
    except ValueError as error:
        raise OutcomeUnknown(f"{name} was answered in a way that failed_when cannot judge: {error}") from error
    if failed:
        raise ServiceRefused(f"{name} was refused by the far end: {in_short(value)}")


def is_something(value: JsonValue) -> bool:
    """Whether it is true, as JMESPath has it: nothing, an empty text, list or object, and false are not; 0 is."""
    return value not in (None, False, "", [], {}) or (value == 0 and value is not False)


def in_short(value: JsonValue) -> str:
    """The beginning of a value, for a message."""
    said = to_json(value).decode()
    return said if len(said) <= LONGEST_REFUSAL else f"{said[:LONGEST_REFUSAL]}…"
