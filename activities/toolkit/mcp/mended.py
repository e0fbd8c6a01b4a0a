"""What a server writes, as the SDK is to read it: an answer with half of a surrogate pair in it is an answer."""

from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from activities.lenient_json import decode, passable

Message = SessionMessage | Exception


def mended(written: bytes) -> bytes:
    """JSON that pydantic reads: with U+FFFD for half of a surrogate pair, and null for a number that no reader takes.

    What it reads as it is, and what is no JSON, stays the same.
    """
    try:
        from_json(written)
    except ValueError:
        try:
            return to_json(passable(decode(written.decode())))
        except ValueError:
            return written
    return written


def mended_line(message: Message) -> Message:
    """What the SDK makes of a line of a program. Of one that it cannot read it tells nobody, and whoever waits for the
    answer in it waits until the call's time is over."""
    if not isinstance(message, ValidationError):
        return message
    found = message.errors(include_url=False, include_context=False)[0]
    if found["type"] != "json_invalid":
        return message
    try:
        plain = mended(str(found["input"]).encode())
        return SessionMessage(jsonrpc_message_adapter.validate_json(plain, by_name=False))
    except ValueError:  # what a program says beside the protocol
        return message
