"""HTTP clients that read no reply without a bound: so many bytes, counted after decompression, and so much time.

A reply with status 2xx that is longer is an error. Of any other the beginning is enough: its status says the rest.
The time limit of a request (`timeout`) is one for the whole reply, and not for the pause between two of its bytes.
"""

import asyncio
import codecs
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

import httpx
import httpx2

from activities.stages import stage

LONGEST_REPLY = 4 * 1024 * 1024
"""Bytes, of a service. What is used of a reply is far less, and JSON may take twenty times as much once it is read."""
LONGEST_OF_A_MODEL = 16 * 1024 * 1024
"""Reasoning that comes as a stream of events, some 250 bytes for each word, is long."""
LONGEST_ERROR = 1024 * 1024
AT_ONCE = 4096
"""Bytes that are decompressed at once: of the most compressed ones, 4 MiB come out."""

ASCII = b'{"a-Z": [0]}'
_OF_ITS_TRANSFER = ("content-encoding", "content-length", "transfer-encoding")


class ReplyTooLong(httpx.HTTPError):
    """A reply has more bytes than are read of any, or may have."""


class BoundedClient(httpx.AsyncClient):
    """For services."""

    @stage("http")
    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        """As `httpx.AsyncClient` does it. Who streams a reply has to bound it.

        Raises:
            ReplyTooLong: it has more than 4 MiB.
            httpx.HTTPError: as always; ReadTimeout also where its bytes drip in for too long.
        """
        if stream:
            return await super().send(request, stream=True, **options)
        try:
            async with asyncio.timeout(_seconds(request.extensions, self.timeout.read)):
                reply = await super().send(request, stream=True, **options)
                async with aclosing(reply):
                    packed = _packed(reply)
                    if not packed:
                        reply.stream = _Counted(reply.stream, reply, LONGEST_REPLY)
                        await reply.aread()
                        return _with_text(reply)
                    if len(packed) > 1 and reply.is_success:
                        raise ReplyTooLong(f"the reply is packed more than once ({', '.join(packed)}), and is not read")
                    reply.stream = _InPieces(reply.stream)
                    body = await _body(reply, LONGEST_REPLY) if len(packed) == 1 else b""
        except TimeoutError as error:
            raise httpx.ReadTimeout("not all of the reply came in time", request=request) from error
        whole = httpx.Response(content=body, **without_its_body(reply))
        whole.next_request, whole.elapsed = reply.next_request, reply.elapsed
        return _with_text(whole)


class BoundedHttpx2Client(httpx2.AsyncClient):
    """The same for the model's client, which stands on another library."""

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        if stream:
            return await super().send(request, stream=True, **options)
        try:
            async with asyncio.timeout(_seconds(request.extensions, self.timeout.read)):
                reply = await super().send(request, stream=True, **options)
                async with aclosing(reply):
                    if not _packed(reply):
                        reply.stream = _Counted2(reply.stream, reply, LONGEST_OF_A_MODEL)
                        await reply.aread()
                        return _with_text(reply)
                    body = await _body(reply, LONGEST_OF_A_MODEL)
        except TimeoutError as error:
            raise httpx2.ReadTimeout("not all of the reply came in time", request=request) from error
        whole = httpx2.Response(content=body, **without_its_body(reply))
        whole.next_request, whole.elapsed = reply.next_request, reply.elapsed
        return _with_text(whole)


class _Counting:
    """The body of a reply that is not packed, up to its bound: what comes in is what it has."""

    def __init__(self, body: object, reply: httpx.Response | httpx2.Response, longest: int) -> None:
        assert isinstance(body, httpx.AsyncByteStream | httpx2.AsyncByteStream)
        self._body, self._reply, self._longest = body, reply, longest

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in bounded(self._body, self._reply, self._longest):
            yield part

    async def aclose(self) -> None:
        await self._body.aclose()


class _Counted(_Counting, httpx.AsyncByteStream):
    """For httpx."""


class _Counted2(_Counting, httpx2.AsyncByteStream):
    """For httpx2."""


class _InPieces(httpx.AsyncByteStream):
    """A body in small pieces, since httpx decompresses each at once. (httpx2 bounds by itself what comes out.)"""

    def __init__(self, body: object) -> None:
        assert isinstance(body, httpx.AsyncByteStream)
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._body:
            for start in range(0, len(part), AT_ONCE):
                yield part[start : start + AT_ONCE]

    async def aclose(self) -> None:
        await self._body.aclose()


def _seconds(extensions: Mapping[str, Any], usual: float | None) -> float | None:
    """For the whole reply; a request that was made without the client has the client's own limit."""
    return extensions.get("timeout", {"read": usual}).get("read")


def without_its_body(reply: httpx.Response | httpx2.Response) -> dict[str, Any]:
    """What a reply is made of, for the constructor of either library, without the headers that say how its body was
    sent: it is unpacked."""
    headers = [(name, value) for name, value in reply.headers.multi_items() if name.lower() not in _OF_ITS_TRANSFER]
    return {
        "status_code": reply.status_code,
        "headers": headers,
        "request": reply.request,
        "extensions": reply.extensions,
        "history": reply.history,
        "default_encoding": reply.default_encoding,
    }


def _packed(reply: httpx.Response | httpx2.Response) -> list[str]:
    """How, one in the other. Of a piece that is packed twice a thousand times as much may come out."""
    codings = (each.strip().lower() for each in reply.headers.get("content-encoding", "").split(","))
    return [each for each in codings if each not in ("", "identity")]


R = TypeVar("R", httpx.Response, httpx2.Response)


def _with_text(reply: R) -> R:
    """A reply whose text can be asked for: Python has codecs that are of no text, such as "hex", and fails at them."""
    if reply.charset_encoding is not None and not _is_of_text(reply.charset_encoding):
        reply.encoding = "utf-8"
    return reply


def _is_of_text(charset: str) -> bool:
    try:
        name = codecs.lookup(charset).name
        return name.startswith(("utf-16", "utf-32")) or ASCII.decode(charset, "replace") == ASCII.decode()
    except (LookupError, ValueError, TypeError, AssertionError):
        return False


async def _body(reply: httpx.Response | httpx2.Response, longest: int) -> bytes:
    return b"".join([part async for part in bounded(reply.aiter_bytes(), reply, longest)])


async def bounded(
    parts: AsyncIterable[bytes], reply: httpx.Response | httpx2.Response, longest: int
) -> AsyncIterator[bytes]:
    """The parts of a reply, up to a number of bytes.

    Raises:
        ReplyTooLong: the reply says that all is well, and has more bytes; of any other, the beginning is enough.
    """
    longest = longest if reply.is_success else LONGEST_ERROR
    declared = reply.headers.get("content-length", "")
    if reply.is_success and reply.request.method != "HEAD" and declared.isdecimal() and int(declared) > longest:
        raise ReplyTooLong(f"the reply has {int(declared):,} bytes, and no more than {longest:,} are read")
    read = 0
    async for part in parts:
        left, read = longest - read, read + len(part)
        if read > longest and reply.is_success:
            raise ReplyTooLong(f"the reply has more than {longest:,} bytes, and no more are read")
        yield part[:left]
        if read > longest:
            return
