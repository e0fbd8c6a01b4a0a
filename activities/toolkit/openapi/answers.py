"""What the answer of a far end says: whether it is a no, and what the model and the receipt get of it."""

import re
from functools import cached_property
from typing import Any, cast

import httpx
import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import JsonValue
from pydantic_core import to_json

from activities.errors import OutcomeUnknown, ServiceRefused
from activities.lenient_json import decode, passable

LONGEST_REFUSAL = 500
"""Characters of an answer that stand in the message of an error."""
OF_A_HEAD = ("content-length", "content-type", "etag", "last-modified")


class NotAnExpression(ValueError):
    """An option is no JMESPath."""

    def __init__(self, option: str, what: str) -> None:
        super().__init__(what)
        self.option = option


class Answers:
    """Of one operation.

    Args:
        name: of the operation, in messages.
        failed_when: JMESPath: where it is true, the far end has said no.
        result: JMESPath: what is of interest.

    Raises:
        NotAnExpression: one is no JMESPath; the message says where it goes wrong.
    """

    def __init__(self, name: str, *, failed_when: str = "", result: str = "") -> None:
        self._name = name
        self._failed_when = _expression("failed_when", failed_when)
        self._result = _expression("result", result)

    def judge(self, reply: httpx.Response) -> None:
        """Look whether an answer with a good status says no in its body.

        Raises:
            ServiceRefused: the far end said no, although its status says that all is well.
            OutcomeUnknown: nobody can tell from the answer what it said.
        """
        if self._failed_when is None or not reply.content:
            return
        answer = _Answer(reply)
        if not answer.is_json:
            raise OutcomeUnknown(
                f"{self._name} was answered with something else than JSON, which says neither yes nor no"
            )
        value = answer.value
        try:
            failed = _is_true(_search(self._failed_when, value))
        except ValueError as error:
            raise OutcomeUnknown(
                f"{self._name} was answered in a way that failed_when cannot judge: {error}"
            ) from error
        if failed:
            raise ServiceRefused(f"{self._name} was refused by the far end: {in_short(value)}")

    def result(self, reply: httpx.Response) -> JsonValue:
        """What the model is told. Never raises: what has happened does not fail over what it returned."""
        answer = _Answer(reply)
        if reply.request.method == "HEAD" or not reply.content:
            named = {
                name: reply.headers[name]
                for name in OF_A_HEAD
                if name in reply.headers and reply.request.method == "HEAD"
            }
            return {"status": f"{reply.status_code} {reply.reason_phrase}".strip(), **named}
        if self._result is None or not answer.is_json:
            return answer.value
        try:
            return _search(self._result, answer.value)
        except ValueError:
            return answer.value


class _Answer:
    def __init__(self, reply: httpx.Response) -> None:
        self._reply = reply

    @property
    def is_json(self) -> bool:
        return not isinstance(self._parsed, _NotJson)

    @property
    def value(self) -> JsonValue:
        """JSON, else text; of anything else, what it is."""
        if not isinstance(self._parsed, _NotJson):
            return self._parsed
        media_type = self._media_type or "application/octet-stream"
        if media_type.startswith("text/") or re.search(r"[/+](xml|json|yaml|x-yaml|javascript|x-ndjson)$", media_type):
            return self._reply.text
        return {"media_type": media_type, "bytes": len(self._reply.content)}

    @cached_property
    def _parsed(self) -> "JsonValue | _NotJson":
        media_type = self._media_type
        if media_type and not re.search(r"[/+]json$", media_type) and not media_type.startswith("text/plain"):
            return _NotJson()
        try:
            return passable(decode(self._reply.text))
        except (ValueError, RecursionError):
            return _NotJson()

    @cached_property
    def _media_type(self) -> str:
        return self._reply.headers.get("content-type", "").partition(";")[0].strip().lower()


class _NotJson:
    pass


def _expression(option: str, text: str) -> Any:
    if not text:
        return None
    try:
        return jmespath.compile(text)
    except JMESPathError as error:
        raise NotAnExpression(option, f"it is no JMESPath: {' '.join(str(error).split())[:200]}") from error


def _search(expression: Any, value: JsonValue) -> JsonValue:
    """Apply a JMESPath expression to a value.

    Raises:
        ValueError: the expression cannot be applied to the value.
    """
    try:
        return cast("JsonValue", expression.search(value))
    except (JMESPathError, TypeError, ValueError) as error:
        raise ValueError(" ".join(str(error).split())[:200]) from error


def _is_true(value: JsonValue) -> bool:
    """As JMESPath has it: nothing, an empty text, list or object, and false are not; 0 is."""
    return value not in (None, False, "", [], {}) or (value == 0 and value is not False)


def is_something(value: JsonValue) -> bool:
    """Whether what a look has found is anything at all."""
    return _is_true(value)


def in_short(value: JsonValue) -> str:
    """The beginning of a value, for a message."""
    said = to_json(value).decode()
    return said if len(said) <= LONGEST_REFUSAL else f"{said[:LONGEST_REFUSAL]}…"
