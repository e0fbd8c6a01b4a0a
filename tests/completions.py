"""Chat completions, as endpoints write them and as they should not."""

import json
from typing import Any


def completion(message: Any, finish_reason: Any = "stop", **more: Any) -> str:
    """The body of a reply with one message."""
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": finish_reason}], **more})


def calling(*calls: Any, finish_reason: Any = "tool_calls", **message: Any) -> str:
    """The body of a reply with these calls, and with these fields of its message."""
    return completion({"role": "assistant", "content": None, "tool_calls": calls, **message}, finish_reason)


def call(arguments: Any, name: Any = "get_weather", **more: Any) -> dict[str, Any]:
    """One call; `more` are fields beside its function."""
    return {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}, **more}
