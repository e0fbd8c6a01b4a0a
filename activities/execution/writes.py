"""What the ledger is to know of a call, and which other calls would do the same."""

from datetime import timedelta

from pydantic import JsonValue

from activities.ledger.rows import Write
from activities.toolkit.tool import Tool
from workflows.contract.internal import ToolCall
from workflows.contract.values import sha256, texts


def write_of(call: ToolCall, tool: Tool | None) -> Write:
    """What the ledger is to know of a call; the tool may be one that this worker does not have."""
    if tool is None:
        return Write(call, _likeness(call, call.tool, ()))
    # An act is awaited beyond its attempt for as long again.
    return Write(
        call,
        _likeness(call, tool.same_as or call.tool, tool.done_for),
        timedelta(seconds=2 * tool.route.start_to_close),
        repeated_as=tool.repeated_as,
    )


def _likeness(call: ToolCall, action: str, done_for: tuple[str, ...]) -> str:
    """The same for calls with the same grounded arguments (the recipients of a mail), or else the same arguments."""
    named = {name: sorted({text.casefold() for text in texts(call.arguments.get(name))}) for name in done_for}
    given: dict[str, JsonValue] = {name: [*values] for name, values in named.items() if values}
    return sha256([action, given or call.arguments])
