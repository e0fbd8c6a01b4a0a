"""A request over HTTP in stages, so that of a write it is known whether it can have happened.

    before    resolve, connect, TLS, headers and body ready: a failure there means that nothing happened
    the row   is written into the ledger just before the first byte goes out
    after     the answer says what became of it; no answer means that nobody knows

httpcore tells of each step by the `trace` extension (https://www.encode.io/httpcore/extensions/), and waits for whoever
listens: that is where the act begins.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx

from activities.errors import (
    ConfigurationError,
    OutcomeUnknown,
    OutcomeUnknownRetryable,
    ServiceRefused,
    ServiceUnavailable,
)
from activities.execution.act import Act
from activities.http.bounded import ReplyTooLong
from activities.http.web import retry_after
from workflows.contract.internal import ToolCall
from workflows.contract.values import sha256

FIRST_BYTE = "http11.send_request_headers.started"
HEAD_FAILED = "http11.send_request_headers.failed"
LONGEST_QUOTE = 300
"""Characters of a far end's own words in an error."""
NOT_TAKEN = {HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
NOT_THERE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
ELSEWHERE = {HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT}
"""Which say that nothing was done here (RFC 9110 section 15.4.8, 15.4.9); of the other redirects, forms say both."""

Judge = Callable[[httpx.Response], None]
"""Raises `ServiceRefused` where a reply with a good status says in its body that nothing was done."""


@dataclass(frozen=True)
class FarEnd:
    """What a source says of the far end of one operation."""

    name: str
    """For messages: "crm createTicket"."""
    idempotency_header: str = ""
    """The operation takes the call's key in this header, and does nothing twice under one key."""
    safe_503: bool = False
    """With 503 it says that it has taken nothing."""
    repeatable: bool = False
    """To do it again does no harm, as the source says of this PUT or DELETE."""
    credentials: tuple[str, ...] = ()
    """The variables with which it is told who asks."""

    @property
    def can_be_asked_again(self) -> bool:
        return bool(self.idempotency_header) or self.repeatable


def idempotency_key(call: ToolCall) -> str:
    """The same for every attempt of a call, and for no other call: not for one of a later request of the same id."""
    return sha256([call.chain, call.key.removesuffix(f"~{call.chain}")])


class HttpSender:
    """Sends requests, and says what became of them in errors of the tree.

    Args:
        reads: the client for what only reads.
        writes: the client for what does not; it keeps no connection.
    """

    def __init__(self, reads: httpx.AsyncClient, writes: httpx.AsyncClient) -> None:
        self._reads = reads
        self._writes = writes

    async def read(self, request: httpx.Request, far: FarEnd, *, may_be_missing: bool = False) -> httpx.Response:
        """The reply, if its status is 2xx.

        Args:
            request: is sent once.
            far: what is known of the far end.
            may_be_missing: 404 and 410 are answers too: what is asked about is not there.

        Raises:
            ServiceUnavailable: no connection, no answer in time, 408, 425, 429 or 5xx.
            ServiceRefused: any other status, or a reply that is too long.
            ConfigurationError: the request cannot be sent at all.
        """
        _check_headers(request, far)
        try:
            reply = await self._reads.send(request)
        except ReplyTooLong as error:
            raise ServiceRefused(f"{far.name} sent too much: {error}") from error
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError):
            raise _cannot_be_sent(far) from None
        except httpx.HTTPError as error:
            what = f"{far.name} could not be reached at {_address(request)}: {type(error).__name__}"
            raise ServiceUnavailable(what) from error
        if reply.is_success or (may_be_missing and reply.status_code in NOT_THERE):
            return reply
        if reply.is_server_error or reply.status_code in {*NOT_TAKEN, HTTPStatus.REQUEST_TIMEOUT}:
            raise ServiceUnavailable(f"{far.name} cannot answer now: {_words(reply)}", retry_after=_pause(reply))
        raise _refused(far, reply)

    async def write(
        self, request: httpx.Request, far: FarEnd, act: Act, key: str, *, judge: Judge | None = None
    ) -> httpx.Response:
        """The reply, if the far end has done it.

        Args:
            request: is sent at most once.
            far: what is known of the far end.
            act: begins with the first byte that goes out.
            key: the same for every attempt of the call.
            judge: looks at a reply with a good status.

        Raises:
            ServiceUnavailable: nothing has happened, and it may be tried again.
            ServiceRefused: nothing has happened.
            OutcomeUnknownRetryable: nobody knows, and the far end may be asked again.
            OutcomeUnknown: nobody knows.
            ConfigurationError: the request cannot be sent at all.
        """
        if far.idempotency_header:
            request.headers[far.idempotency_header] = key
        _check_headers(request, far)
        async with AsyncExitStack() as stack:
            steps = _Steps(act, stack)
            request.extensions = {**request.extensions, "trace": steps.hear}
            reply = await self._answer(request, far, steps)
            _check(reply, far, act)
            if judge is not None:
                judge(reply)
            return reply

    async def _answer(self, request: httpx.Request, far: FarEnd, steps: "_Steps") -> httpx.Response:
        try:
            # An error of the tree, by the guard or by an act that could not begin, passes as it is.
            return await self._writes.send(request)
        except httpx.HTTPError as error:
            if not steps.is_unsent(error):
                raise _unknown(far, f"no whole answer came: {type(error).__name__}") from error
            if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
                raise _cannot_be_sent(far) from None
            what = (
                f"{far.name} could not be reached at {_address(request)}, and nothing was sent: {type(error).__name__}"
            )
            raise ServiceUnavailable(what) from error
        except httpx.InvalidURL:
            raise _cannot_be_sent(far) from None


@dataclass
class _Steps:
    """Of one request, as httpcore tells them; with the first byte the act begins."""

    act: Act
    stack: AsyncExitStack
    """In which it is left."""
    has_begun_it: bool = False
    """Whether the act began with this request, and not with one before it."""
    of_the_head: BaseException | None = None
    """What was raised while the headers were sent."""

    async def hear(self, step: str, told: Mapping[str, Any]) -> None:
        if step == FIRST_BYTE and not self.act.begun:
            await self.stack.enter_async_context(self.act)
            self.has_begun_it = True
        elif step == HEAD_FAILED:
            self.of_the_head = told["exception"]

    def is_unsent(self, error: httpx.HTTPError) -> bool:
        """Whether no byte went out: headers that are none are refused before the first of them is written."""
        is_of_head = self.of_the_head is not None and error.__cause__ is self.of_the_head
        is_refused = is_of_head and isinstance(error, httpx.LocalProtocolError)
        return not self.act.begun or (self.has_begun_it and is_refused)


def _check(reply: httpx.Response, far: FarEnd, act: Act) -> None:
    """Take a reply for what its status says.

    Raises:
        ErrandError: the far end does not say that it has done it.
    """
    status = reply.status_code
    if reply.is_success:
        return
    if status in NOT_TAKEN or (status == HTTPStatus.SERVICE_UNAVAILABLE and far.safe_503):
        raise ServiceUnavailable(f"{far.name} did not take it: {_words(reply)}", retry_after=_pause(reply))
    under_way = status == HTTPStatus.CONFLICT and bool(far.idempotency_header) and act.may_have_happened
    if reply.is_redirect and status not in ELSEWHERE:
        raise _unknown(far, f"{_words(reply)}; a redirect of a write is not followed")
    # RFC 9110 section 15 takes a status beyond 599 for a 5xx.
    says_no = reply.is_client_error or status in ELSEWHERE
    if not says_no or under_way or status == HTTPStatus.REQUEST_TIMEOUT:
        raise _unknown(far, _words(reply), _pause(reply))
    raise _refused(far, reply)


def _refused(far: FarEnd, reply: httpx.Response) -> ServiceRefused:
    unauthorized = reply.status_code == HTTPStatus.UNAUTHORIZED
    refused = f"{far.name} refused: {_words(reply)}"
    if unauthorized and far.credentials:
        refused += f" (asked with {' and '.join(far.credentials)})"
    error = ServiceRefused(refused)
    error.unauthorized = unauthorized
    return error


def _unknown(far: FarEnd, why: str, pause: timedelta | None = None) -> OutcomeUnknown:
    what = f"{far.name} may have done it: {why}"
    if far.can_be_asked_again:
        return OutcomeUnknownRetryable(what, retry_after=pause)
    return OutcomeUnknown(what)


def _check_headers(request: httpx.Request, far: FarEnd) -> None:
    """Look at the headers before anything is written down: httpcore does so after it has said that it sends.

    Raises:
        ConfigurationError: one cannot be sent.
    """
    for name, value in request.headers.raw:
        if not re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(rb"[\x00\r\n]", value):
            raise _cannot_be_sent(far)


def _cannot_be_sent(far: FarEnd) -> ConfigurationError:
    # Without the cause: it may quote a header that cannot be sent.
    return ConfigurationError(f"{far.name}: no such request can be made; check its URL and its headers")


def _address(request: httpx.Request) -> str:
    """Host and port alone: the rest of a URL may be a secret."""
    return request.url.netloc.decode("ascii")


def _pause(reply: httpx.Response) -> timedelta | None:
    return retry_after(reply.headers.get("Retry-After", ""))


def _words(reply: httpx.Response) -> str:
    """The status, and the far end's own words, where it has some that fit on a line."""
    status = f"{reply.status_code} {reply.reason_phrase}".strip()
    kind = reply.headers.get("content-type", "")
    if not any(each in kind for each in ("json", "text/plain")):
        return status
    return f"{status}: {' '.join(reply.text.split())[:LONGEST_QUOTE]}".removesuffix(": ")
