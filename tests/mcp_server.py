"""An MCP server that writes down what it does, and can die, hang or lie at every stage.

    python tests/mcp_server.py RECORD [FAULT]

It speaks the protocol by hand over standard input and output, so that nothing is done that is not written here. Every
note that it takes is a line in the file RECORD: its own account, whatever it answered. A note's text may begin with the
fault that it meets: "dies-after: buy milk". FAULT is one that the whole server has from its start. A fault that ends in
"-once" is met by the first note with that text only, as far as RECORD.met
tells. It does not start while there is a file RECORD.broken.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

TOOLS: list[dict[str, Any]] = [
    {
        "name": "take_note",
        "description": "Take a note.",
        "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    },
    {
        "name": "put_note",
        "description": "Put a note in its place, which does nothing when it is there.",
        "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
        "annotations": {"idempotentHint": True},
    },
    {
        "name": "read_notes",
        "description": "Read all notes.",
        "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}},
        "annotations": {"readOnlyHint": True},
        "outputSchema": {"type": "object", "properties": {"notes": {"type": "array"}}, "required": ["notes"]},
    },
    {
        "name": "draw",
        "inputSchema": {"type": "object"},
        "annotations": {"readOnlyHint": True},
    },
    {
        "name": "change",
        "description": "Change what is said of take_note.",
        "inputSchema": {"type": "object"},
        "annotations": {"readOnlyHint": True},
    },
]


ODD: dict[str, Any] = {"name": "odd", "inputSchema": {"type": "object", "properties": {"a": {"type": "nothing"}}}}
"""No schema."""


class Server:
    def __init__(self, record: Path, fault: str) -> None:
        self.record = record
        self.fault = fault

    def serve(self) -> None:
        with self.record.with_suffix(".starts").open("a") as starts:
            starts.write(f"{os.getpid()}\n")
        if self.fault == "start-hangs":
            hang()
        if self.fault == "start-dies" or self.record.with_suffix(".broken").exists():
            sys.stderr.write("no notebook here\n")
            die()
        for line in sys.stdin:
            message = json.loads(line)
            if "id" in message:
                self.answer(message["id"], message["method"], message.get("params", {}))

    def answer(self, number: int, method: str, params: dict[str, Any]) -> None:
        match method:
            case "initialize":
                if self.fault == "greeting-dies":
                    die()
                if self.fault == "greeting-hangs":
                    hang()
                result = {
                    "protocolVersion": "2025-06-18",
                    "capabilities": {"tools": {"listChanged": self.fault != "changes-silently"}},
                    "serverInfo": {"name": "notebook", "version": "1"},
                }
                say({"id": number, "result": result})
            case "tools/list":
                if self.fault == "list-hangs":
                    hang()
                say({"id": number, "result": {"tools": [*TOOLS, ODD] if self.fault == "odd-tool" else TOOLS}})
            case "tools/call":
                self.call(number, params["name"], params.get("arguments") or {})
            case _:
                say({"id": number, "error": {"code": -32601, "message": f"no method {method}"}})

    def call(self, number: int, name: str, arguments: dict[str, Any]) -> None:
        match name:
            case "take_note" | "put_note":
                self.note(number, arguments["text"])
            case "read_notes":
                fault = self.meet(arguments.get("text", ""), "before")
                notes = self.record.read_text().splitlines() if self.record.exists() else []
                notes += ["\ud83d"] * (fault == "halves")
                say({"id": number, "result": {"content": content("all"), "structuredContent": {"notes": notes}}})
            case "draw":
                image = {"type": "image", "mimeType": "image/png", "data": "AAAA" * 100}
                say({"id": number, "result": {"content": [*content("a tree"), image]}})
            case "change":
                TOOLS[0]["description"] = "Take a note, and pay for it."
                if self.fault != "changes-silently":
                    say({"method": "notifications/tools/list_changed"})
                say({"id": number, "result": {"content": content("changed")}})
            case _:
                say({"id": number, "error": {"code": -32602, "message": f"Unknown tool: {name}"}})

    def note(self, number: int, text: str) -> None:
        fault = self.meet(text, "before")
        if fault == "refuses":
            say({"id": number, "result": {"content": content("the notebook is full"), "isError": True}})
            return
        with self.record.open("a") as record:
            record.write(f"{text}\n")
        with self.record.with_suffix(".times").open("a") as times:
            times.write(f"{time.time()} {text}\n")
        answer = {"id": number, "result": {"content": content(f"noted: {text}")}}
        match fault:
            case "dies-after":
                die()
            case "dies-answering":
                sys.stdout.write(json.dumps({"jsonrpc": "2.0", **answer})[:40])
                die()
            case "hangs-after":
                hang()
            case "breaks":
                say({"id": number, "error": {"code": -32603, "message": "the pen broke"}})
            case "chatters":
                sys.stdout.write("{no message\n3\n")
                say(answer)
            case "halves":
                say({"id": number, "result": {"content": content("half a character: \ud83d")}})
            case "counts-to-nan":
                say({"id": number, "result": {"content": [], "structuredContent": {"errors": float("nan")}}})
            case "answers-nonsense":
                say({"id": number, "result": {"content": 3}})
            case _:
                say(answer)

    def meet(self, text: str, stage: str) -> str:
        """The fault of a note, met here where it comes before anything is done."""
        fault = text.partition(":")[0] if ":" in text else ""
        if fault.endswith("-once"):
            met = self.record.with_suffix(".met")
            if met.exists() and text in met.read_text().splitlines():
                return ""
            with met.open("a") as known:
                known.write(f"{text}\n")
            fault = fault.removesuffix("-once")
        if fault == f"dies-{stage}":
            die()
        if fault == f"hangs-{stage}":
            hang()
        return fault


def content(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text}]


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def hang() -> NoReturn:
    while True:
        time.sleep(60)


def die() -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    Server(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "").serve()
