"""The network between a worker and the Temporal server: a proxy on loopback that can fail."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

PIECE = 2**16


@dataclass
class Wire:
    to: int
    port: int = 0
    delay: float = 0.0
    """Seconds that everything takes, each way."""
    _flows: asyncio.Event = field(default_factory=asyncio.Event)
    _connections: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    def __post_init__(self) -> None:
        self._flows.set()

    def cut(self) -> None:
        """All connections break off; new ones can be made at once."""
        for each in list(self._connections):
            each.transport.abort()

    @contextmanager
    def silent(self) -> Generator[None]:
        """Nothing gets through in here, and no end of it is told: connections stay, and what is written waits."""
        self._flows.clear()
        try:
            yield
        finally:
            self._flows.set()

    @contextmanager
    def slow(self, delay: float) -> Generator[None]:
        self.delay = delay
        try:
            yield
        finally:
            self.delay = 0.0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways, until either side has had enough."""
        self._connections.add(writer)
        try:
            await self._flows.wait()
            with suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
                self._connections.add(far_writer)
                try:
                    ways = [self._pump(reader, far_writer), self._pump(far_reader, writer)]
                    await asyncio.wait([asyncio.ensure_future(way) for way in ways])
                finally:
                    self._connections.discard(far_writer)
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(PIECE):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        await self._flows.wait()
        writer.close()


@asynccontextmanager
async def laid(to: int) -> AsyncGenerator[Wire]:
    """A wire from a free port to that one; what is still open at the end breaks off."""
    wire = Wire(to)
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        with suppress(asyncio.CancelledError):
            await wire.carry(reader, writer)
        tasks.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        wire.cut()
        for task in tasks:
            task.cancel()
