"""GET /livez and /readyz of a worker, answered by its own event loop, for containers and Kubernetes.

/livez says that the loop runs. It depends on nothing else: a worker that is started anew because Temporal is away
would lose what it is doing. /readyz says whether the worker polls, and Temporal answers it.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from http import HTTPStatus

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.errors import ConfigurationError

PATIENCE = timedelta(seconds=2)
"""With a caller, and with Temporal."""
LONGEST_REQUEST = 8192

Ready = Callable[[], Awaitable[str]]
"""Why it is not ready; nothing where it is."""


def readiness(worker: Worker, client: Client) -> Ready:
    """Whether a worker takes work."""

    async def why_not() -> str:
        if not worker.is_running or worker.is_shutdown:
            return "the worker does not poll"
        try:
            await client.service_client.check_health(timeout=PATIENCE)
        except (RPCError, RuntimeError) as error:
            # The SDK's own connection failure is a bare RuntimeError.
            return f"Temporal does not answer: {error}"
        return ""

    return why_not


@asynccontextmanager
async def health_server(address: str | None, ready: Ready) -> AsyncGenerator[None]:
    """Answer at `host:port` while the block runs; without an address, nobody listens.

    Raises:
        ConfigurationError: nobody can listen there.
    """
    if address is None:
        yield
        return
    host, _, port = address.rpartition(":")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(2 * PATIENCE.total_seconds()):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(*await _said(head, ready)))
                await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(answer, host.strip("[]"), int(port), limit=LONGEST_REQUEST)
    except OSError as error:
        raise ConfigurationError(f"ERRAND_HEALTH_ADDRESS: {address}: {error.strerror}") from error
    async with server:
        yield


async def _said(head: bytes, ready: Ready) -> tuple[HTTPStatus, str]:
    method, _, rest = head.decode(errors="replace").partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    if method not in ("GET", "HEAD"):
        return HTTPStatus.METHOD_NOT_ALLOWED, "only GET"
    match path:
        case "/livez":
            return HTTPStatus.OK, "ok"
        case "/readyz":
            why_not = await ready()
            return (HTTPStatus.SERVICE_UNAVAILABLE, why_not) if why_not else (HTTPStatus.OK, "ok")
        case _:
            return HTTPStatus.NOT_FOUND, "there are /livez and /readyz"


def _response(status: HTTPStatus, text: str) -> bytes:
    body = f"{text}\n".encode()
    head = f"HTTP/1.1 {status} {status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
