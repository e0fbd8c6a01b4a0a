"""An OpenAI-compatible endpoint on loopback that answers from a script: real HTTP, replies decided by the test."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Self, cast

from pydantic import JsonValue

Object = dict[str, JsonValue]


@dataclass(frozen=True)
class Raw:
    """A whole HTTP reply."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict[str, str])


Answer = Object | Raw


def call(tool: str, **arguments: JsonValue) -> Object:
    return {"type": "function", "function": {"name": tool, "arguments": json.dumps(arguments)}}


def calls(*made: Object) -> Answer:
    numbered: list[JsonValue] = [{"id": f"call_{index}", **each} for index, each in enumerate(made)]
    return {"role": "assistant", "content": None, "tool_calls": numbered}


def say(text: str) -> Answer:
    return {"role": "assistant", "content": text}


class ScriptedModel:
    """Answers the n-th turn of a request with the n-th answer of the script for its text, however often it is asked.

    `trouble` holds replies that are given first, one for each HTTP request. `asked` holds the bodies of all requests.
    """

    def __init__(self) -> None:
        self.scripts: dict[str, Sequence[Answer]] = {}
        self.trouble: list[Raw] = []
        self.asked: list[Object] = []
        self.held_turn: int | None = None
        """One that is not answered before `go` is set."""
        self.go = Event()
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def forget(self) -> None:
        """Have nothing scripted, and nothing held, whatever the test before has left."""
        self.scripts.clear()
        self.trouble.clear()
        self.asked.clear()
        self.held_turn = None
        self.go.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, body: Object) -> Raw:
        with self._lock:
            self.asked.append(body)
            if self.trouble:
                return self.trouble.pop(0)
        messages = cast("list[Object]", body["messages"])
        text = next(str(each["content"]) for each in messages if each["role"] == "user")
        turn = sum(each["role"] == "assistant" for each in messages)
        if turn == self.held_turn:
            self.go.wait(30)
        answer = self.scripts[text][turn]
        if isinstance(answer, Raw):
            return answer
        reason = "tool_calls" if "tool_calls" in answer else "stop"
        completion = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "choices": [{"index": 0, "finish_reason": reason, "message": answer}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
        }
        return Raw(200, json.dumps(completion))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                reply = model.answer(json.loads(self.rfile.read(length)))
                body = reply.body.encode()
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
