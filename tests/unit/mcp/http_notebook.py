"""A notebook as an MCP server by Streamable HTTP; what it does with a call is up to the test."""

import json
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from tests.mcp_server import TOOLS

GREETING: dict[str, Any] = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "notebook", "version": "1"},
}
Message = dict[str, Any]
POLL = 0.05
"""Seconds within which a server ends; by default half a second, which every test would wait."""


def text(said: str, **more: bool) -> Message:
    """The result of a call."""
    return {"result": {"content": [{"type": "text", "text": said}], **more}}


class HttpNotebook(ThreadingHTTPServer):
    """Notes what it is called with, unless it refuses; `status` is what it answers to calls."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.status = 200
        self.notes: list[str] = []
        self.headers: list[str | None] = []
        self.methods: list[str] = []
        """Of all messages, in the order in which they came."""
        self.greeting = GREETING
        self.tools = deepcopy(TOOLS)
        self.rest: Message = {}
        """The rest of an answer, for a client that has lost it on the way."""
        self.refuses: tuple[str, ...] = ()
        """The methods that it answers with 401."""
        self.moved = False
        """All that comes is sent to another path."""
        self.session = ""
        """The id of the session that it knows; it gives every client the one that stands here."""
        self.calls: Callable[[Talk, Message], None] = called
        """What it does with a call."""
        self.replies: Callable[[Talk], None] = Talk.accept
        """What it does with the client's reply to a question of its own."""

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone is no news."""


class Talk(BaseHTTPRequestHandler):
    """One connection."""

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.book.moved and self.path != "/moved":
            self.say(307, headers=[("location", "/moved")])
            return
        self.book.headers.append(self.headers["x-key"])
        self.book.methods.append(message.get("method", "reply"))
        if message.get("method") in self.book.refuses:
            self.say(401)
            return
        match message.get("method"):
            case "initialize":
                headers = [("mcp-session-id", self.book.session)] * bool(self.book.session)
                self.say(200, {"id": message["id"], "result": self.book.greeting}, headers)
            case "tools/list":
                self.say(200, {"id": message["id"], "result": {"tools": self.book.tools}})
            case "tools/call":
                self.book.calls(self, message)
            case None:
                self.book.replies(self)
            case method if "id" in message:
                self.say(200, {"id": message["id"], "error": {"code": -32601, "message": f"no method {method}"}})
            case _:
                self.accept()

    def do_GET(self) -> None:
        if self.headers["last-event-id"]:
            self.begin_events()
            self.event(self.book.rest)
        else:
            self.say(405)

    def do_DELETE(self) -> None:
        self.say(405)

    @property
    def book(self) -> HttpNotebook:
        return cast("HttpNotebook", self.server)

    def note(self, message: Message) -> None:
        """Do what a call asks for."""
        self.book.notes.append(message["params"]["arguments"]["text"])

    def accept(self) -> None:
        self.say(202)

    def say(self, status: int, message: Message | None = None, headers: Sequence[tuple[str, str]] = ()) -> None:
        self.say_body(status, json.dumps({"jsonrpc": "2.0", **message}) if message else "", "application/json", headers)

    def say_body(self, status: int, body: str, kind: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        self.send_response(status)
        for name, value in [*headers, *[("content-type", kind)] * bool(body), ("content-length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def begin_events(self) -> None:
        self.begin("text/event-stream")

    def begin(self, kind: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        """An answer that goes on until the connection ends."""
        self.send_response(200)
        for name, value in [("content-type", kind), *headers]:
            self.send_header(name, value)
        self.end_headers()

    def lose_events(self) -> None:
        """End a stream of events whose rest can be asked for."""
        self.wfile.write(b"id: 1\nretry: 1\ndata:\n\n")

    def event(self, message: Message) -> None:
        self.wfile.write(f"data: {json.dumps({'jsonrpc': '2.0', **message})}\n\n".encode())
        self.wfile.flush()

    def hang_up(self) -> None:
        with suppress(OSError):
            self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def called(talk: Talk, message: Message) -> None:
    """Answer with the notebook's status; with a 4xx, nothing was done. 0 hangs up."""
    status = talk.book.status
    if status < 400 or status >= 500:
        talk.note(message)
    if status == 0:
        talk.hang_up()
        return
    talk.say(status, {"id": message["id"], **text("noted")} if status == 200 else None)


def serving(server: HttpNotebook) -> threading.Thread:
    thread = threading.Thread(target=server.serve_forever, args=[POLL], daemon=True)
    thread.start()
    return thread
