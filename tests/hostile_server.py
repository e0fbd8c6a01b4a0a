"""An HTTP server on loopback that answers as nobody should: without end, drop by drop, packed a thousand times."""

import asyncio
import re
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1024 * 1024
ENDLESS = 600 * MIB

Body = Callable[[], AsyncIterator[bytes]]


@dataclass
class Hostile:
    """`asked` are the request lines; `left_alone` is set when who asked has hung up before the reply's end."""

    head: bytes
    body: Body
    url: str = ""
    asked: list[str] = field(default_factory=list[str])
    left_alone: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # uvloop says RuntimeError where it has closed the connection between two writes.
        with suppress(ConnectionError, asyncio.IncompleteReadError, RuntimeError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                await reader.readexactly(int(length[1]) if length else 0)
                self.asked.append(head.splitlines()[0])
                writer.write(self.head + b"\r\n")
                async for part in self.body():
                    writer.write(part)
                    await writer.drain()
                if b"Connection: close" in self.head:
                    break
        self.left_alone.set()
        writer.close()


@asynccontextmanager
async def hostile(*head: str, body: Body) -> AsyncGenerator[Hostile]:
    """
    Args:
        head: the reply's status line and headers.
        body: gives the bytes that follow, as they go over the wire.
    """
    server = Hostile("".join(f"{line}\r\n" for line in head).encode(), body)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server


async def plain() -> AsyncIterator[bytes]:
    """600 MB."""
    for _ in range(ENDLESS // MIB):
        yield b"x" * MIB


async def chunked() -> AsyncIterator[bytes]:
    """The same in chunks (RFC 9112 section 7.1)."""
    async for part in plain():
        yield b"%x\r\n" % len(part) + part + b"\r\n"
    yield b"0\r\n\r\n"


async def packed() -> AsyncIterator[bytes]:
    """The same in 600 KB of gzip. Once flushed in full, a compressed block may be repeated."""
    packing = zlib.compressobj(9, wbits=31)
    yield packing.compress(b"") + packing.flush(zlib.Z_FULL_FLUSH)
    block = packing.compress(b"x" * MIB) + packing.flush(zlib.Z_FULL_FLUSH)
    for _ in range(ENDLESS // MIB):
        yield block


async def drip() -> AsyncIterator[bytes]:
    """A byte every tenth of a second, for as long as anybody waits."""
    while True:
        yield b" "
        await asyncio.sleep(0.1)


def text(said: str) -> Body:
    async def body() -> AsyncIterator[bytes]:
        yield said.encode()

    return body


OK = "HTTP/1.1 200 OK"
JSON = "Content-Type: application/json"
TOO_MUCH = {
    "declared": ((OK, JSON, f"Content-Length: {ENDLESS}"), plain),
    "until it hangs up": ((OK, JSON, "Connection: close"), plain),
    "in chunks": ((OK, JSON, "Transfer-Encoding: chunked"), chunked),
    "packed": ((OK, JSON, "Content-Encoding: gzip", "Connection: close"), packed),
}
"""600 MB, in every way in which they can come."""


class Peak:
    """How many MB of memory this process has used at most since then, beyond what it used at that time (Linux)."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")
        self._before = _status("VmRSS")

    @property
    def grown(self) -> float:
        return (_status("VmHWM") - self._before) / 1024


def _status(name: str) -> int:
    """Kilobytes."""
    found = re.search(rf"^{name}:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])
