"""What the answer of a far end says: whether it is a no, and what the model and the receipt get of it."""

import re
from functools import cached_property

import httpx
from pydantic import JsonValue

from activities.errors import OutcomeUnknown
from activities.lenient_json import decode, passable
from activities.toolkit.expressions import Expression, refuse_what_failed

OF_A_HEAD = ("content-length", "content-type", "etag", "last-modified")


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
        self._failed_when = Expression("failed_when", failed_when) if failed_when else None
        self._result = Expression("result", result) if result else None

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
        refuse_what_failed(self._failed_when, answer.value, self._name)

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
            return self._result.of(answer.value)
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
