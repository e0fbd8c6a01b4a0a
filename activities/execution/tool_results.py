"""What a tool returns, as the workflow can read it and as the conversation can hold it."""

from pydantic import JsonValue
from pydantic_core import to_json

from activities.readable import readable
from activities.redaction import SECRETS
from activities.sayable import beginning
from workflows.contract.internal import ToolResult

RESULT_BYTES = 16 * 1024
"""The most that one tool result may take in history and in the conversation: of UTF-8, and in JSON twice that, which
only a text with many control characters takes."""

LONGEST_SEARCHED = 64 * 1024
"""Characters of a longer one that are searched for secrets."""

DEEPEST = 64
"""Levels of lists and objects in a result. It is wrapped in some more on its way, and JSON of 200 cannot be read."""


def tool_result(value: object, *, attempt: int) -> ToolResult:
    """Never raises: what has happened is not to fail over what it returned."""
    return ToolResult(value=capped(readable(value)), attempts=attempt)


def capped(value: JsonValue) -> JsonValue:
    """A result without secrets. One of more than 16 KiB becomes the beginning of its text, and says so; one of many
    levels, its text."""
    text = _text(value)
    if len(text) > LONGEST_SEARCHED:
        return _shortened(SECRETS.redact_beginning(text, LONGEST_SEARCHED), len(text.encode()))
    value = SECRETS.redact_value(value)
    text = _text(value)
    if _beginning(text) != text:
        return _shortened(text, len(text.encode()))
    return text if _is_deeper(value, DEEPEST) else value


def _shortened(text: str, size: int) -> str:
    kept = _beginning(text)
    return f"{kept}\n[shortened: the first {len(kept.encode()):,} of {size:,} bytes]"


def _beginning(text: str) -> str:
    return beginning(text.encode()[:RESULT_BYTES].decode(errors="ignore"), 2 * RESULT_BYTES)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else to_json(value).decode()


def _is_deeper(value: JsonValue, levels: int) -> bool:
    if not isinstance(value, list | dict):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)
