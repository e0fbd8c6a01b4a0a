"""What every call is held to before anything else: the name under which the door is called, the site that a browser
calls from, and the size of the body."""

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deploy.web.problems import Kind, Problem

SAFE = ("GET", "HEAD", "OPTIONS")
PROBES = ("/healthz", "/readyz")
"""What orchestrators call by an address of their own choice."""
HOST = re.compile(r"(?:(?P<name>[A-Za-z0-9._-]+)|\[(?P<address>[0-9A-Fa-f:.]+)\])(?::[0-9]{1,5})?")
HEARD_OUT = 10
"""Times the largest body."""
PATIENCE = 60.0
"""Seconds for a whole body: it is read before anybody knows who sends it."""
ADDED: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


class Guard:
    """Middleware. Another name in `Host` is that of a site whose name leads here (DNS rebinding), and a browser that
    sends something for another site says so in `Sec-Fetch-Site` or `Origin`."""

    def __init__(self, app: ASGIApp, names: frozenset[str], largest_body: int, patience: float = PATIENCE) -> None:
        self._app = app
        self._names = names
        self._largest = largest_body
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ADDED.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope["method"], scope["path"], Headers(scope=scope))
            body = await self._body_in_time(receive)
        except Problem as problem:
            await problem.response()(scope, receive, with_headers)
            return
        await self._app(scope, _again(body, receive), with_headers)

    def _check(self, method: str, path: str, headers: Headers) -> None:
        host = headers.get("Host", "")
        if path not in PROBES and _name(host) not in self._names:
            known = ", ".join(sorted(self._names))
            raise Problem(Kind.WRONG_HOST, f"the header Host: the door is called {known} (ERRAND_WEB_HOSTS has more)")
        if method in SAFE:
            return
        site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
        if site not in (None, "same-origin", "none") or (origin and _place(origin) != host.casefold()):
            raise Problem(Kind.ELSEWHERE, "a page of another site may not do this")
        kind = headers.get("Content-Type", "").partition(";")[0].strip().casefold()
        has_body = headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers
        if has_body and path.startswith("/v1/") and kind != "application/json":
            raise Problem(Kind.NOT_JSON, "the header Content-Type: expected application/json")

    async def _body_in_time(self, receive: Receive) -> bytes:
        try:
            async with asyncio.timeout(self._patience):
                return await self._body(receive)
        except TimeoutError:
            late = f"the body did not come within {self._patience:g} s"
            raise Problem(Kind.UNREADABLE, late, headers={"Connection": "close"}) from None

    async def _body(self, receive: Receive) -> bytes:
        """The whole of it, where it is no larger than it may be.

        One that is larger is heard out, up to a point: whoever still sends does not hear the answer.
        """
        body, size = bytearray(), 0
        while (message := await receive())["type"] == "http.request":
            size += len(message.get("body", b""))
            if size <= self._largest:
                body += message.get("body", b"")
            if not message.get("more_body") or size > self._largest * HEARD_OUT:
                break
        if size > self._largest:
            much = f"the body has more than {self._largest:,} bytes (ERRAND_WEB_LARGEST_BODY)"
            raise Problem(Kind.TOO_LARGE, much, headers={"Connection": "close"})
        return bytes(body)


def _name(host: str) -> str:
    """Of a header `Host`, without the port; nothing, where more stands there (RFC 9110 section 7.2)."""
    found = HOST.fullmatch(host)
    return (found["name"] or found["address"]).casefold() if found else ""


def _place(origin: str) -> str:
    """Of a header `Origin`, name and port."""
    try:
        return urlsplit(origin).netloc.casefold()
    except ValueError:
        return ""


def _again(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read to whoever reads it, and then what else comes."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once
