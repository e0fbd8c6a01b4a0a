"""What every call is held to before anything else."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from deploy.web.guard import Guard


async def taken(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("taken")(scope, receive, send)


async def slowly() -> AsyncGenerator[bytes]:
    yield b'{"text":'
    await asyncio.sleep(30)
    yield b'"x"}'


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    guard = Guard(taken, frozenset({"door"}), largest_body=1024, patience=0.05)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url="http://door") as caller:
        async with asyncio.timeout(5):
            late = await caller.post("/v1/requests", content=slowly(), headers={"Content-Type": "application/json"})
        in_time = await caller.post("/v1/requests", json={"text": "x"})
    assert (late.status_code, late.headers["Connection"]) == (400, "close")
    assert late.json()["type"] == "urn:errand:problem:unreadable"
    assert in_time.text == "taken"
