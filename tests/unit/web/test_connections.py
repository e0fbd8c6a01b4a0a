"""Who says nothing on a connection does not keep it."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from deploy.web import connections

CALL = b"GET / HTTP/1.1\r\nHost: door\r\n\r\n"
IN_TIME = 0.3


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers when the time for a head is long over."""
    await asyncio.sleep(3 * IN_TIME)
    await PlainTextResponse("taken")(scope, receive, send)


@asynccontextmanager
async def connected() -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(slow, log_config=None, lifespan="off", http=connections.PromptProtocol)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            server.should_exit = True
            await running


@pytest.fixture(autouse=True)
def in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_IN", IN_TIME)


async def test_a_connection_without_a_word_is_closed() -> None:
    async with asyncio.timeout(5), connected() as (reader, _):
        assert await reader.read() == b""


async def test_a_head_that_drips_is_not_waited_for() -> None:
    async with asyncio.timeout(5), connected() as (reader, writer):
        closed = asyncio.create_task(reader.read())
        writer.write(b"GET / HTTP/1.1\r\nX: ")
        while not closed.done():
            writer.write(b"x")
            await asyncio.sleep(IN_TIME / 10)
        with suppress(ConnectionResetError):  # where a drip was under way when the server closed
            assert b"taken" not in closed.result()


async def test_an_answer_takes_what_time_it_needs_and_the_next_head_is_waited_for_anew() -> None:
    async with asyncio.timeout(10), connected() as (reader, writer):
        for _ in range(2):
            writer.write(CALL)
            assert b"taken" in await reader.readuntil(b"taken")
        writer.write(CALL[:10])
        assert await reader.read() == b""
