"""An HTTP server that takes orders and fails at every stage: before it reads, while it reads, before and after it has
taken the order, and while it answers.

An order counts as delivered from the moment at which it is taken, whatever is said then. What goes wrong is drawn by
lot for each connection; with a key, an order is taken once.
"""

import asyncio
import re
import socket
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from tests.chaos.smtp_record import Delivery

LONG = 5
"""Seconds of silence: longer than anybody waits here."""
GOOD = 0.4
"""So many connections come to no harm."""
BEFORE = ("hang up", "reset in the head", "silence before reading", "reset in the body")
NOT_TAKEN = ("400", "409", "422", "307", "425", "429", "429 later", "200 error")
EITHER = (
    *("408", "500", "502", "503", "503 later", "504", "302"),
    *("silence", "lost", "reset", "100 and silence", "half an answer", "drip"),
)
"""Each after the order was taken, or without."""
FAULTS = (*BEFORE, *NOT_TAKEN, *(f"{each}, {taken}" for each in EITHER for taken in ("taken", "not taken")), "stale")


@dataclass
class OrderDesk:
    random: Random
    url: str = ""
    deliveries: list[Delivery] = field(default_factory=list[Delivery])
    played: Counter[str] = field(default_factory=Counter[str])
    """How often each fault was."""
    _of_keys: dict[str, str] = field(default_factory=dict[str, str])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = "" if self.random.random() < GOOD else self.random.choice(FAULTS)
        self.played[fault] += 1
        if fault == "silence before reading":
            await asyncio.sleep(LONG)
        if fault in BEFORE[:1]:
            return
        if fault == "reset in the head":
            await reader.readexactly(10)
            writer.transport.abort()
            return
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if fault in BEFORE:
            writer.transport.abort()
            return
        length = re.search(r"(?i)content-length: (\d+)", head)
        token = (await reader.readexactly(int(length[1]) if length else 0)).decode()
        kind, _, taken = fault.partition(", ")
        number = "" if kind in NOT_TAKEN or taken == "not taken" else self._take(token, head)
        await self._answer(kind, number, reader, writer)

    def _take(self, token: str, head: str) -> str:
        """The order's number."""
        key = re.search(r"(?i)idempotency-key: (\S+)", head)
        if key and (known := self._of_keys.get(key[1])):
            return known
        number = f"order-{len(self.deliveries) + 1}"
        self.deliveries.append(Delivery(token, number, datetime.now(UTC), (token,)))
        if key:
            self._of_keys[key[1]] = number
        return number

    async def _answer(self, kind: str, number: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        good = answered("200", f'{{"message_id": "{number}"}}')
        match kind:
            case "silence":
                await asyncio.sleep(LONG)
            case "lost":
                return
            case "reset":
                writer.transport.abort()
            case "100 and silence":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                await asyncio.sleep(LONG)
            case "half an answer":
                writer.write(good[:-5])
            case "drip":
                for byte in good:
                    if writer.is_closing():
                        return
                    writer.write(bytes([byte]))
                    await asyncio.sleep(LONG / len(good))
            case "stale":
                writer.write(good)
                await reader.read(1)  # of a further request, if one comes on this connection
                writer.transport.abort()
            case "200 error":
                writer.write(answered("200", '{"error": "sold out"}'))
            case "":
                writer.write(good)
            case _:
                status, _, later = kind.partition(" ")
                writer.write(answered(status, "{}", "Retry-After: 1\r\n" if later else ""))


def answered(status: str, body: str, headers: str = "") -> bytes:
    where = "Location: /elsewhere\r\n" if status in ("302", "307") else ""
    head = f"HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{where}{headers}\r\n{body}".encode()


@asynccontextmanager
async def order_desk(seed: int = 1) -> AsyncGenerator[OrderDesk]:
    """On a port of loopback at which, now and then, nobody listens for a moment."""
    desk = OrderDesk(Random(seed))
    sessions: set[asyncio.Task[None]] = set()

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        sessions.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await desk.serve(reader, writer)
        writer.close()
        sessions.discard(task)

    async def open_and_close(port: int) -> None:
        while True:
            server = await asyncio.start_server(session, "127.0.0.1", port, backlog=256, reuse_port=True)
            try:
                await asyncio.sleep(2)
            finally:
                server.close()
            await asyncio.sleep(0.2)

    with socket.socket() as port:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        port.bind(("127.0.0.1", 0))  # so that nobody else has it meanwhile
        number = port.getsockname()[1]
        desk.url = f"http://127.0.0.1:{number}"
        listening = asyncio.create_task(open_and_close(number))
        try:
            yield desk
        finally:
            for task in (listening, *sessions):
                task.cancel()
