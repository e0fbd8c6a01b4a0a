"""A far end on loopback that records what it was asked."""

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: str


Answer = Callable[[Asked], tuple[int, object]]
"""Status and JSON; no status: the connection is cut. Bytes are the whole answer, as it goes over the wire."""


def raw(status: str, content: str = "", *headers: str) -> tuple[int, bytes]:
    """An answer as it goes over the wire, of whatever form: raw("200 OK", "<html>", "content-type: text/html")."""
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(content.encode())}", "connection: close"]
    return int(status[:3]), ("\r\n".join(lines) + "\r\n\r\n" + content).encode()


@dataclass
class FarEnd:
    url: str
    asked: list[Asked] = field(default_factory=list[Asked])
    answer: Answer = lambda _: (200, {})

    def asked_for(self, method: str) -> list[Asked]:
        return [each for each in self.asked if each.method == method]


@contextmanager
def far_end() -> Generator[FarEnd]:
    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body)
            far.asked.append(asked)
            status, value = far.answer(asked)
            if not status:
                self.close_connection = True
                return
            if isinstance(value, bytes):
                self.close_connection = True
                self.wfile.write(value)
                return
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _handle

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    far = FarEnd(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield far
    finally:
        server.shutdown()
        server.server_close()
