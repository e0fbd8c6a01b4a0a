"""What the answer of a far end says: whether it is a no, and what the model and the receipt get of it."""

import re
from collections.abc import Sequence
from functools import cached_property
from http import HTTPStatus

import httpx
import structlog
from pydantic import JsonValue

from activities.errors import OutcomeUnknown
from activities.lenient_json import decode, parse, passable, require_numbers
from activities.toolkit.expressions import Expression, refuse_what_failed

log = structlog.stdlib.get_logger(__name__)

OF_A_HEAD = ("content-length", "content-type", "etag", "last-modified")

LONGEST_QUOTE = 100
"""Bytes of what stands in place of an answer."""

WITHOUT_A_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT}
"""Under any other status, an answer without a body may be one that was cut off before it."""


class Answers:
    """Of one operation.

    Args:
        name: of the operation, in messages.
        failed_when: JMESPath: where it is true, the far end has said no.
        result: JMESPath: what is of interest.
        headers: that are told with the body.
        only_json: the document knows no other answer than JSON.

    Raises:
        NotAnExpression: one is no JMESPath; the message says where it goes wrong.
    """

    def __init__(
        self,
        name: str,
        *,
        failed_when: str = "",
        result: str = "",
        headers: Sequence[str] = (),
        only_json: bool = False,
    ) -> None:
        self._name = name
        self._failed_when = Expression("failed_when", failed_when) if failed_when else None
        self._result = Expression("result", result) if result else None
        self._headers = headers
        self._only_json = only_json

    def judge(self, reply: httpx.Response) -> None:
        """Look whether an answer with a good status says no in its body.

        Raises:
            ServiceRefused: the far end said no, although its status says that all is well.
            OutcomeUnknown: nobody can tell from the answer what it said.
        """
        if self._only_json and (answer := _Answer(reply)).is_another:
            raise OutcomeUnknown(
                f"{self._name} was answered with {answer.in_words}, where its document knows only JSON: "
                "something in between may have answered, such as a gateway or a sign-in"
            )
        if self._failed_when is None or reply.request.method == "HEAD" or reply.status_code in WITHOUT_A_BODY:
            return
        try:
            value = _Answer(reply).unambiguous()
        except ValueError as error:
            raise OutcomeUnknown(f"{self._name} was answered with what says neither yes nor no: {error}") from error
        refuse_what_failed(self._failed_when, value, self._name)

    def result(self, reply: httpx.Response) -> JsonValue:
        """What the model is told. Never raises: what has happened does not fail over what it returned."""
        told = self._body(reply)
        if not self._headers:
            return told
        headers: dict[str, JsonValue] = {name: reply.headers[name] for name in self._headers if name in reply.headers}
        return {"headers": headers, "body": told}

    def _body(self, reply: httpx.Response) -> JsonValue:
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
        except ValueError as error:
            log.warning("an answer could not be reduced by `result`", operation=self._name, reason=str(error))
            return f"the answer could not be reduced by `result`: {error}"

    def shown(self, reply: httpx.Response) -> JsonValue:
        """What a look shows. A receipt says `done` by it, so it is never made of an answer that is another one.

        Raises:
            OutcomeUnknown: it is no answer of the operation, but a page in its place, or nothing.
        """
        try:
            value = _Answer(reply).unambiguous()
            return self._result.of(value) if self._result else value
        except ValueError as error:
            raise OutcomeUnknown(f"{self._name} was answered with what shows neither yes nor no: {error}") from error


class _Answer:
    def __init__(self, reply: httpx.Response) -> None:
        self._reply = reply

    @property
    def is_json(self) -> bool:
        return not isinstance(self._parsed, _NotJson)

    @property
    def is_another(self) -> bool:
        """Whether there is something in it, and that is no JSON, whatever its label says."""
        return bool(self._reply.content.strip()) and isinstance(self._read, _NotJson)

    @property
    def in_words(self) -> str:
        """What it is, where it is no JSON, for people."""
        # Not by its label, which a page may not have, and which may name a charset that is none.
        text = " ".join(self._reply.content[:LONGEST_QUOTE].decode("utf-8-sig", "replace").split())
        if self._media_type == "text/html" or re.match(r"(<\?xml[^>]*>\s*)?<(!doctype )?html\b", text, re.IGNORECASE):
            return "a page of HTML"
        what = f"what is no JSON ({self._media_type or 'of no media type'}, {len(self._reply.content):,} bytes)"
        return f"{what}: {text}" if text.isprintable() else what

    @property
    def value(self) -> JsonValue:
        """JSON, else text; of anything else, what it is."""
        if not isinstance(self._parsed, _NotJson):
            return self._parsed
        media_type = self._media_type or "application/octet-stream"
        if media_type.startswith("text/") or re.search(r"[/+](xml|json|yaml|x-yaml|javascript|x-ndjson)$", media_type):
            return self._reply.text
        return {"media_type": media_type, "bytes": len(self._reply.content)}

    def unambiguous(self) -> JsonValue:
        """JSON that every reader reads alike, to its last number.

        Raises:
            ValueError: it is something else. The message says what.
        """
        if not self._reply.content:
            raise ValueError(f"nothing, under status {self._reply.status_code}")
        if not self.is_json:
            raise ValueError(f"it is no JSON; its media type is {self._media_type or 'not said'}")
        # Of a number that is none, nobody can say whether it is one of errors.
        require_numbers(self._reply.text)
        return parse(self._reply.text)

    @cached_property
    def _parsed(self) -> "JsonValue | _NotJson":
        media_type = self._media_type
        if media_type and not re.search(r"[/+]json$", media_type) and not media_type.startswith("text/plain"):
            return _NotJson()
        return self._read

    @cached_property
    def _read(self) -> "JsonValue | _NotJson":
        """Its content, whatever its label."""
        try:
            return passable(decode(self._reply.text))
        except (ValueError, RecursionError):
            return _NotJson()

    @cached_property
    def _media_type(self) -> str:
        return self._reply.headers.get("content-type", "").partition(";")[0].strip().lower()


class _NotJson:
    pass
