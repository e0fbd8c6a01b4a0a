"""What every call is held to before anything else."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest
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


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://door", 200), ("http://DOOR", 200), ("http://evil.example", 403), ("null", 403), ("http://[", 403)],
)
async def test_only_the_doors_own_pages_may_send_something(origin: str, status: int) -> None:
    guard = Guard(taken, frozenset({"door"}), largest_body=1024)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url="http://door") as caller:
        answer = await caller.post("/v1/requests", json={}, headers={"Origin": origin})
    assert answer.status_code == status


@pytest.mark.parametrize("host", ["door", "DOOR", "door:8240", "door:1"])
async def test_the_door_answers_by_its_name(host: str) -> None:
    assert await status_by(host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "door.evil.example",
        "door, evil.example",
        "x@door",
        "door/x",
        "door?x",
        "door#x",
        "door:80:80",
    ],
)
async def test_what_is_not_its_name_and_a_port_and_nothing_more_leads_nowhere(host: str) -> None:
    assert await status_by(host) == 421


async def status_by(host: str) -> int:
    guard = Guard(taken, frozenset({"door"}), largest_body=1024)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url="http://door") as caller:
        return (await caller.get("/v1/requests", headers={"Host": host})).status_code
