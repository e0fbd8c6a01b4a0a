"""A server by Streamable HTTP is a source as well, and what becomes of its writes is told apart by what HTTP said."""

import json
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from temporalio.exceptions import ApplicationError

from activities.errors import ConfigurationError
from activities.ledger.ledger import Ledger
from activities.ledger.rows import State
from activities.toolkit.foreign_tools import foreign_tools
from tests.mcp_server import TOOLS
from tests.unit.mcp.notebook import Notebook

GREETING: dict[str, Any] = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "notebook", "version": "1"},
}


class HttpNotebook(ThreadingHTTPServer):
    """Notes what it is called with, unless it refuses; `status` is what it answers to calls."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.notes: list[str] = []
        self.headers: list[str | None] = []


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = cast("HttpNotebook", self.server)
        message = json.loads(self.rfile.read(int(self.headers["content-length"])))
        server.headers.append(self.headers["x-key"])
        match message["method"]:
            case "initialize":
                self._say(200, {"id": message["id"], "result": GREETING})
            case "tools/list":
                self._say(200, {"id": message["id"], "result": {"tools": TOOLS}})
            case "tools/call":
                self._call(server, message)
            case method if "id" in message:
                self._say(200, {"id": message["id"], "error": {"code": -32601, "message": f"no method {method}"}})
            case _:
                self._say(202, None)

    def do_GET(self) -> None:
        self._say(405, None)

    def _call(self, server: HttpNotebook, message: dict[str, Any]) -> None:
        if server.status < 400 or server.status >= 500:
            server.notes.append(message["params"]["arguments"]["text"])
        if server.status == 0:
            self.connection.close()
            return
        noted = {"id": message["id"], "result": {"content": [{"type": "text", "text": "noted"}]}}
        self._say(server.status, noted if server.status == 200 else None)

    def _say(self, status: int, message: dict[str, Any] | None) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode() if message else b""
        self.send_response(status)
        if body:
            self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Generator[HttpNotebook]:
    with HttpNotebook() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest_asyncio.fixture
async def book(server: HttpNotebook, tmp_path: Path, ledger: Ledger) -> AsyncGenerator[Notebook]:
    file = tmp_path / "sources.toml"
    url = f"http://127.0.0.1:{server.server_port}/mcp"
    file.write_text(f'[mcp.book]\nurl = "{url}"\nheaders = {{ X-Key = "BOOK_KEY" }}\ntimeout = 3\nprivate = true\n')
    book = Notebook(tmp_path / "record", foreign_tools(file, environment={"BOOK_KEY": "hush-hush"}), ledger)
    async with aclosing(book.found):
        yield book


async def test_a_write_is_done_once_and_every_request_carries_the_secret(server: HttpNotebook, book: Notebook) -> None:
    assert (await book.call("take_note", text="milk")).value == "noted"
    assert (server.notes, await book.state()) == (["milk"], State.DONE)
    assert {*server.headers} == {"hush-hush"}


@pytest.mark.parametrize(
    ("status", "error", "state"),
    [
        (400, "ServiceRefused", State.NOT_DONE),
        (403, "ServiceRefused", State.NOT_DONE),
        (404, "ServiceUnavailable", State.NOT_DONE),
        (429, "ServiceUnavailable", State.NOT_DONE),
        (500, "OutcomeUnknown", State.UNKNOWN),
        (503, "OutcomeUnknown", State.UNKNOWN),
        (0, "OutcomeUnknown", State.UNKNOWN),
    ],
)
async def test_what_is_not_taken_has_not_happened_and_what_is_lost_is_unknown(
    server: HttpNotebook, book: Notebook, status: int, error: str, state: State
) -> None:
    server.status = status
    with pytest.raises(ApplicationError) as raised:
        await book.call("take_note", text="milk")
    assert (raised.value.type, await book.state()) == (error, state)
    assert server.notes == ["milk"] * (state is State.UNKNOWN)


async def test_a_server_that_is_gone_has_done_nothing(server: HttpNotebook, book: Notebook) -> None:
    await book.call("take_note", text="milk")
    server.shutdown()
    server.server_close()
    with pytest.raises(ApplicationError) as raised:
        await book.call("take_note", "r/2.0", text="bread")
    assert raised.value.type == "ServiceUnavailable"
    assert await book.state("r/2.0") is not State.UNKNOWN


def test_a_url_at_a_private_address_ends_the_worker_unless_it_is_said_to_be_private(
    server: HttpNotebook, tmp_path: Path
) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(f'[mcp.book]\nurl = "http://127.0.0.1:{server.server_port}/mcp"\n')
    refused = r"mcp\.book\.url: .*127\.0\.0\.1, which is no public address; private = true allows it"
    with pytest.raises(ConfigurationError, match=refused):
        foreign_tools(file)
    assert server.headers == []
    assert foreign_tools(file, private=True).tools
