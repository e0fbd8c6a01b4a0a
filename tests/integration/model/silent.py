"""An endpoint that takes questions and never answers them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Silent:
    url: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """A question has come."""
    left_alone: asyncio.Event = field(default_factory=asyncio.Event)
    """Who asked has hung up."""


@asynccontextmanager
async def silent_endpoint() -> AsyncGenerator[Silent]:
    silent = Silent()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        silent.asked.set()
        await reader.read()
        silent.left_alone.set()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        silent.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        yield silent
