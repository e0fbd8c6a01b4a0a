"""The replies of a server over HTTP, as the SDK is to have them: by itself it reads one in JSON without a bound."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx2
from mcp.client.streamable_http import DEFAULT_MAX_SSE_EVENT_SIZE
from mcp_types import INTERNAL_ERROR
from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import to_json

from activities.http.bounded import LONGEST_REPLY, ReplyTooLong, bounded, without_its_body
from activities.toolkit.mcp.mended import mended

EVENTS = "text/event-stream"
"""Of these the SDK bounds each one."""
PATIENCE = 5.0
"""Seconds for the words of a refusal; its status says what counts."""
LONGEST_WORDS = 300
"""Characters of them."""


class _Unreadable(httpx2.StreamError):
    """What the SDK takes for a reply that it cannot read. Anything else would end the session, with all its calls."""


class _Bounded(httpx2.AsyncByteStream):
    """The body of a reply, unpacked, up to its bound, and mended."""

    def __init__(self, reply: httpx2.Response) -> None:
        self._reply = reply

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            parts = [part async for part in bounded(self._reply.aiter_bytes(), self._reply, LONGEST_REPLY)]
        except ReplyTooLong as error:
            raise _Unreadable(str(error)) from error
        yield _clear(mended(b"".join(parts)))

    async def aclose(self) -> None:
        await self._reply.aclose()


class _Answer(BaseModel):
    """What is looked at of a message of the server."""

    id: JsonValue = None
    method: str = ""
    result: object = None
    error: JsonValue = None

    @property
    def is_two(self) -> bool:
        """Whether it is a yes and a no in one, of which the SDK would read the no alone."""
        return self.result is not None and self.error is not None

    def is_to(self, number: int | str) -> bool:
        """Whether it may be the answer to a request; an error without an id is to what the server could not read."""
        return bool(self.method) or self.id in (number, str(number)) or (self.id is None and self.error is not None)


class _OwnEvents(httpx2.AsyncByteStream):
    """The events of one call. The SDK takes any answer among them for the call's, whatever request it names."""

    def __init__(self, reply: httpx2.Response, number: int | str) -> None:
        self._reply = reply
        self._number = number

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for event in httpx2.EventSource(self._reply, max_event_size=DEFAULT_MAX_SSE_EVENT_SIZE):
            data = self._own(_clear(mended(event.data.encode())).decode())
            lines = [f"event: {event.event}", *(f"data: {line}" for line in data.split("\n"))]
            if event.id:
                lines.append(f"id: {event.id}")
            if event.retry is not None:
                lines.append(f"retry: {event.retry}")
            yield "\n".join([*lines, "", ""]).encode()

    def _own(self, data: str) -> str:
        """The same, or an error in place of an answer to another request."""
        try:
            answer = _Answer.model_validate_json(data)
        except ValidationError:
            return data
        if answer.is_to(self._number):
            return data
        why = f"the server answered another request ({str(answer.id)[:50]}) in place of this one"
        return _error(self._number, why).decode()

    async def aclose(self) -> None:
        await self._reply.aclose()


def _clear(data: bytes) -> bytes:
    """The same, or an error in place of an answer of which nobody can tell what it says."""
    try:
        answer = _Answer.model_validate_json(data)
    except ValidationError:
        return data
    return _error(answer.id, "the server answered with a result and an error in one") if answer.is_two else data


def _error(number: JsonValue, why: str) -> bytes:
    return to_json({"jsonrpc": "2.0", "id": number, "error": {"code": INTERNAL_ERROR, "message": why}})


def as_read(reply: httpx2.Response, number: int | str | None) -> httpx2.Response:
    """The same reply, no longer than anything else that is read of a service.

    Args:
        reply: of the server.
        number: of the call whose events it may be.
    """
    if not reply.headers.get("content-type", "").lower().startswith(EVENTS):
        return httpx2.Response(stream=_Bounded(reply), **without_its_body(reply))
    if number is None:
        return reply
    return httpx2.Response(stream=_OwnEvents(reply, number), **without_its_body(reply))


async def words_of(refusal: httpx2.Response) -> tuple[httpx2.Response, str]:
    """Read a refusal: the same once more, and what it says in plain text."""
    body = b""
    with suppress(TimeoutError, httpx2.HTTPError, httpx2.StreamError):
        async with asyncio.timeout(PATIENCE):
            body = await refusal.aread()
    await refusal.aclose()
    whole = httpx2.Response(content=body, **without_its_body(refusal))
    is_text = refusal.headers.get("content-type", "").startswith("text/plain")
    return whole, " ".join(whole.text.split())[:LONGEST_WORDS] if is_text else ""
