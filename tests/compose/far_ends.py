"""The far ends of a worker, of the standard library alone, as it runs within the image: a model that sends one mail,
and an SMTP server that waits before its verdict and logs what it took.

python far_ends.py model|mail
"""

import json
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer

VERDICT_AFTER = 6
"""Seconds: long enough to stop or kill the worker meanwhile."""
MAIL = {"to": ["ann@example.com"], "subject": "Hello", "body": "Hello from Compose."}


class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        call = {"id": "c0", "type": "function", "function": {"name": "send_email", "arguments": json.dumps(MAIL)}}
        answer: dict[str, object] = {"role": "assistant", "content": "It is sent."}
        if all(message["role"] != "assistant" for message in asked["messages"]):
            answer = {"role": "assistant", "content": None, "tool_calls": [call]}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        choice = {"index": 0, "finish_reason": "tool_calls" if "tool_calls" in answer else "stop", "message": answer}
        body = json.dumps({"id": "c", "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Mail(StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 mail")
        while line := self.rfile.readline():
            match line.split()[0].upper() if line.strip() else b"":
                case b"DATA":
                    self._say("354 go on")
                    while (part := self.rfile.readline()) not in (b".\r\n", b""):
                        if part.lower().startswith(b"message-id:"):
                            print(part.decode().strip(), flush=True)
                    time.sleep(VERDICT_AFTER)
                    self._say("250 taken")
                case b"QUIT":
                    self._say("221 bye")
                    break
                case _:
                    self._say("250 yes")

    def _say(self, reply: str) -> None:
        with suppress(ConnectionError):  # the worker may have been killed meanwhile
            self.wfile.write(f"{reply}\r\n".encode())


if __name__ == "__main__":
    if sys.argv[1] == "model":
        ThreadingHTTPServer(("0.0.0.0", 8000), Model).serve_forever()
    ThreadingTCPServer.allow_reuse_address = True
    ThreadingTCPServer(("127.0.0.1", 1025), Mail).serve_forever()
