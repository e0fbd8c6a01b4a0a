"""Tools run as activities: arguments held to the schema once more, writes guarded by the ledger, results capped."""

from collections.abc import Awaitable, Callable, Mapping

import structlog
from pydantic import JsonValue
from pydantic_core import to_json, to_jsonable_python
from temporalio import activity

from activities.act import Fence
from activities.attempt_beats import count_attempt, still_counts
from activities.cancellation import to_the_end
from activities.errors import ServiceUnavailable
from activities.failures import translated
from activities.ledger import Ledger
from activities.ledger_rows import Action
from activities.redaction import SECRETS
from activities.tool import Tool
from activities.write_attempts import WriteAttempt
from workflows.contract import ToolCall, ToolResult

log = structlog.stdlib.get_logger(__name__)

RESULT_BYTES = 16 * 1024
"""The most that one tool result may take in history and in the conversation."""

DEEPEST = 64
"""Levels of lists and objects in a result. It is wrapped in some more on its way, and JSON of 200 cannot be read."""
NOT_JSON = "(the result cannot be kept as JSON)"

ToolActivity = Callable[[ToolCall], Awaitable[ToolResult]]


def read_activity(tool: Tool, provisions: Mapping[type, object]) -> ToolActivity:
    """The activity of a tool that may be repeated freely."""
    function = tool.bind(provisions)

    @activity.defn(name=tool.name)
    async def run(call: ToolCall) -> ToolResult:
        count_attempt()
        with translated():
            if call.chain:
                raise ServiceUnavailable(f"{tool.name} was called as a write, and this worker knows it as a read")
            value = await function(tool.validate(call.arguments), {ToolCall: call})
        return _result(value)

    return run


def write_activity(
    tool: Tool, provisions: Mapping[type, object], ledger: Ledger, *, fence: Fence = still_counts
) -> ToolActivity:
    """The activity of a tool that changes the world: the ledger is asked first, and told before and after the act."""
    function = tool.bind(provisions)

    @activity.defn(name=tool.name)
    async def run(call: ToolCall) -> ToolResult:
        attempt = WriteAttempt(tool, function, ledger, call, fence)
        with translated(attempt.detail):
            value = await attempt.carry_out()
            known = {"earlier": attempt.earlier, "ledger_key": attempt.ledger_key}
            if isinstance(value, Action):
                return ToolResult(value=value.result, attempts=activity.info().attempt).model_copy(update=known)
            result = _result(value)
            if attempt.act is not None:
                await to_the_end(attempt.act.done(result.value))
            return result.model_copy(update=known)

    return run


def capped(value: JsonValue) -> JsonValue:
    """A result of more than 16 KiB becomes the beginning of its text, and says so; one of many levels, its text."""
    text = value if isinstance(value, str) else to_json(value).decode()
    size = len(text.encode())
    if size <= RESULT_BYTES:
        return text if _is_deeper(value, DEEPEST) else value
    kept = text.encode()[:RESULT_BYTES].decode(errors="ignore")
    return f"{kept}\n[shortened: the first {len(kept.encode()):,} of {size:,} bytes]"


def _result(value: object) -> ToolResult:
    # What has happened is not to fail over what it returned.
    try:
        plain: JsonValue = capped(SECRETS.redact_value(to_jsonable_python(value, fallback=str, inf_nan_mode="null")))
    except Exception:  # the tool's own classes may raise anything
        log.exception("a tool's result cannot be kept")
        plain = NOT_JSON
    return ToolResult(value=plain, attempts=activity.info().attempt)


def _is_deeper(value: JsonValue, levels: int) -> bool:
    if not isinstance(value, list | dict):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)
