"""Whatever a worker talks to beside Temporal: one HTTP port for model, weather and stocks, and a mailbox.

They answer at once and always the same, so that nothing but the contenders differs; all in the loop that asks.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

from pydantic import JsonValue

from tests.bench.job import CITY, PRICE, TEMPERATURE, completion
from tests.bench.mailbox import Mailbox, mailbox
from tests.scripted_model import Object

LONGEST_BODY = 16 * 2**20
PLACES = {
    "results": [{"id": 2988507, "name": CITY, "latitude": 48.85, "longitude": 2.35, "country": "France"}],
    "generationtime_ms": 0.5,
}
FORECAST = {
    "latitude": 48.86,
    "longitude": 2.36,
    "timezone": "Europe/Paris",
    "current": {
        "time": "2026-11-22T09:30",
        "interval": 900,
        "temperature_2m": float(TEMPERATURE),
        "apparent_temperature": 21.0,
        "relative_humidity_2m": 60,
        "weather_code": 2,
        "wind_speed_10m": 9.0,
    },
}
QUOTES = (
    "Symbol,Date,Time,Open,High,Low,Close,Volume,Name\r\n"
    f"AAPL.US,2026-11-20,22:00:09,227.1,230.2,226.8,{PRICE},41000000,APPLE\r\n"
)
PAGES = {
    "/v1/search": json.dumps(PLACES).encode(),
    "/v1/forecast": json.dumps(FORECAST).encode(),
    "/q/l/": QUOTES.encode(),
}


@dataclass(frozen=True)
class Surroundings:
    http_port: int
    mail: Mailbox

    @property
    def services(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def model(self) -> str:
        return f"{self.services}/v1"


@asynccontextmanager
async def surroundings() -> AsyncGenerator[Surroundings]:
    """They answer inside the block, on free ports."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, limit=LONGEST_BODY, backlog=256)
    async with mailbox() as mail:
        try:
            yield Surroundings(server.sockets[0].getsockname()[1], mail)
        finally:
            server.close()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """HTTP/1.1, as much of it as the contenders speak: one request after the other on a connection that stays."""
    with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            status, body = _answer(head.split(maxsplit=2)[1], await reader.readexactly(_length(head)))
            kind = b"text/csv" if body.startswith(b"Symbol") else b"application/json"
            writer.write(
                b"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
                % (status, status.phrase.encode(), kind, len(body), body)
            )
            await writer.drain()
    writer.close()


def _length(head: str) -> int:
    lengths = (line.partition(":")[2] for line in head.splitlines() if line.lower().startswith("content-length:"))
    return int(next(lengths, "0"))


def _answer(target: str, body: bytes) -> tuple[HTTPStatus, bytes]:
    path = target.partition("?")[0]
    if path == "/v1/chat/completions":
        asked = cast("dict[str, JsonValue]", json.loads(body))
        return HTTPStatus.OK, json.dumps(completion(cast("list[Object]", asked["messages"]))).encode()
    page = PAGES.get(path)
    return (HTTPStatus.OK, page) if page else (HTTPStatus.NOT_FOUND, b"{}")
