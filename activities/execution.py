"""Tools run as activities: arguments held to the schema once more, writes guarded by the ledger, results capped."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import structlog
from pydantic import JsonValue
from pydantic_core import to_json, to_jsonable_python
from temporalio import activity
from temporalio.client import AsyncActivityCancelledError
from temporalio.service import RPCError

from activities.act import Act, Fence
from activities.cancellation import to_the_end
from activities.errors import (
    ErrandError,
    KeyTaken,
    OutcomeUnknown,
    ServiceUnavailable,
    ToolBroke,
    UnknownYet,
    Withdrawn,
)
from activities.failures import translated
from activities.ledger import Action, Ledger, State
from activities.redaction import SECRETS
from activities.tool import Tool
from workflows.contract import (
    RECALL,
    SETTLE,
    Arguments,
    Recall,
    Recalled,
    Receipt,
    ReceiptStatus,
    Settlement,
    ToolCall,
    ToolResult,
)

log = structlog.stdlib.get_logger(__name__)

RESULT_BYTES = 16 * 1024
"""The most that one tool result may take in history and in the conversation."""

DEEPEST = 64
"""Levels of lists and objects in a result. It is wrapped in some more on its way, and JSON of 200 cannot be read."""
NOT_JSON = "(the result cannot be kept as JSON)"

GRACE = timedelta(seconds=30)
"""How long running activities may take to finish when their worker is told to stop."""
LAST_WORDS = 2.0
MOST_RECALLED = 500
"""As many calls as a request may make."""
RECALLED_BYTES = 1024
"""Of the arguments of a recalled write, and of its result: 500 of them have to fit into one payload."""

ToolActivity = Callable[[ToolCall], Awaitable[ToolResult]]


def read_activity(tool: Tool, provisions: Mapping[type, object]) -> ToolActivity:
    """The activity of a tool that may be repeated freely."""
    function = tool.bind(provisions)

    @activity.defn(name=tool.name)
    async def run(call: ToolCall) -> ToolResult:
        with translated():
            value = await function(tool.validate(call.arguments), {ToolCall: call})
        return _result(value)

    return run


def write_activity(
    tool: Tool, provisions: Mapping[type, object], ledger: Ledger, *, fence: Fence | None = None
) -> ToolActivity:
    """The activity of a tool that changes the world: the ledger is asked first, and told before and after the act."""
    function = tool.bind(provisions)

    @activity.defn(name=tool.name)
    async def run(call: ToolCall) -> ToolResult:
        with translated():
            arguments = tool.validate(call.arguments)
            seen = await ledger.find(call.key)
            if seen is not None and (stored := await _known(tool, call, seen, ledger)):
                return stored
            if seen is None and call.after_reset is not None:
                await _refuse_if_done_before(tool, call, call.after_reset, ledger)
            act = Act(ledger, call, attempt=activity.info().attempt, seen=seen, fence=fence or _still_counts)
            value = await _to_its_end(act, _acting(tool, act, lambda: function(arguments, {ToolCall: call, Act: act})))
            result = _result(value)
            await to_the_end(act.done(result.value))
            return result

    return run


class Settle:
    """Says what became of a write whose attempts were lost, and keeps them from acting later."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name=SETTLE)
    async def settle(self, call: ToolCall) -> Settlement:
        with translated():
            try:
                found = await self._ledger.give_up(call)
            except KeyTaken as taken:
                return Settlement(status=ReceiptStatus.REFUSED, error=str(taken))
        match found.state:
            case State.DONE:
                return Settlement(status=ReceiptStatus.DONE, result=found.result)
            case State.NOT_DONE:
                return Settlement(status=ReceiptStatus.FAILED, error=found.error)
            case State.BEGUN | State.UNKNOWN:
                return Settlement(
                    status=ReceiptStatus.UNKNOWN, error=found.error or "it was begun, and never reported on"
                )


class Remember:
    """Says what a request did before its run was reset, and the new run does not know of."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name=RECALL)
    async def recall(self, wanted: Recall) -> Recalled:
        with translated():
            rows = await self._ledger.search(request_id=wanted.request_id, limit=MOST_RECALLED)
        forgotten = (row for row in rows if wanted.known.get(row.key) != row.digest and row.state is not State.NOT_DONE)
        return Recalled(receipts=tuple(map(_receipt, sorted(forgotten, key=lambda row: row.begun_at))))


def _receipt(row: Action) -> Receipt:
    known = row.state is State.DONE
    return Receipt(
        key=row.key,
        tool=row.tool,
        arguments=row.arguments if len(to_json(row.arguments)) <= RECALLED_BYTES else {},
        effect="write",
        status=ReceiptStatus.DONE if known else ReceiptStatus.UNKNOWN,
        result=row.result if len(to_json(row.result)) <= RECALLED_BYTES else "(in the ledger)",
        error=None if known else f"begun before the request was reset: {row.error or 'its end is not known'}",
        attempts=row.attempt,
        approved_by=row.approved_by or None,
        started_at=row.begun_at,
        finished_at=row.finished_at,
    )


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


async def _known(tool: Tool, call: ToolCall, seen: Action, ledger: Ledger) -> ToolResult | None:
    """The result of a write that has happened; None where it may happen (again).

    Raises:
        KeyTaken: the key was used for another action.
        OutcomeUnknown: an earlier attempt began, and nobody knows how it ended.
    """
    seen.must_be(call)
    match seen.state:
        case State.DONE:
            return ToolResult(value=seen.result, attempts=activity.info().attempt)
        case State.NOT_DONE:
            return None
        case State.BEGUN | State.UNKNOWN:
            if tool.idempotent:
                return None
            seen = await ledger.give_up(call)
            if seen.state is State.DONE:  # at this very moment
                return ToolResult(value=seen.result, attempts=activity.info().attempt)
            raise OutcomeUnknown(
                f"attempt {seen.attempt} began at {seen.begun_at:%H:%M:%S} UTC and was never reported on"
            )


async def _refuse_if_done_before(tool: Tool, call: ToolCall, known: tuple[str, ...], ledger: Ledger) -> None:
    """In a run that was reset, the model may come to the same write by another way, and so under another key.

    Raises:
        KeyTaken: before the reset the same was done, or something with the same grounded arguments.
    """
    for row in await ledger.search(request_id=call.request_id, limit=MOST_RECALLED):
        other = row.key != call.key and row.key not in known and row.state is not State.NOT_DONE
        if other and row.tool == call.tool and _looks_like(tool, row.arguments, call.arguments):
            raise KeyTaken(f"the same was done as {row.key}, or may have been, before the request was reset")


def _looks_like(tool: Tool, one: Arguments, other: Arguments) -> bool:
    grounded = bool(tool.grounded) and all(one.get(name) == other.get(name) for name in tool.grounded)
    return grounded or one == other


async def _acting(tool: Tool, act: Act, run: Callable[[], Awaitable[object]]) -> object:
    """Run a write. Where its tool does not mark the point of no return, all of it is the act."""
    try:
        if tool.asks_for(Act):
            return await run()
        async with act:
            return await run()
    except UnknownYet:
        raise
    except OutcomeUnknown as error:
        raise _unknown(tool, str(error)) from error
    except ErrandError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        log.exception("a mistake in a tool")
        if not act.begun:
            raise ToolBroke(what) from error
        raise _unknown(tool, what) from error


def _unknown(tool: Tool, what: str) -> OutcomeUnknown:
    """An idempotent tool can find out by being asked again."""
    return UnknownYet(what) if tool.idempotent else OutcomeUnknown(what)


async def _to_its_end(act: Act, write: Awaitable[object]) -> object:
    """Await a write although its request is cancelled meanwhile: what became of it belongs on its receipt.

    Raises:
        OutcomeUnknown, ServiceUnavailable: the worker stops, or the server has given the attempt up.
    """
    running = asyncio.ensure_future(write)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        if running.done() or details is None or not details.cancel_requested:
            return await _last_words(act, running)
    act.withdrawn = True
    stopping = asyncio.ensure_future(_grace_is_over())
    try:
        # The server does not say a second time that it wants an end, so a worker that stops has to look by itself.
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    return running.result() if running.done() else await _last_words(act, running)


async def _grace_is_over() -> None:
    await activity.wait_for_worker_shutdown()
    await asyncio.sleep(GRACE.total_seconds() - 2 * LAST_WORDS)


async def _last_words(act: Act, running: asyncio.Future[object]) -> object:
    """Stop a write that cannot be awaited any longer. If it comes to an end all the same, that end stands."""
    running.cancel()
    await asyncio.wait([running], timeout=LAST_WORDS)
    if running.done() and not running.cancelled():
        return running.result()
    if act.begun:
        raise OutcomeUnknown("the worker stopped before it knew the result") from None
    raise ServiceUnavailable("the worker stopped before it happened") from None


async def _still_counts() -> None:
    """
    Raises:
        Withdrawn: the request was cancelled.
        ServiceUnavailable: the server has given this attempt up, or cannot be asked.
    """
    attempt = activity.client().get_async_activity_handle(task_token=activity.info().task_token)
    try:
        await attempt.heartbeat()
    except AsyncActivityCancelledError as error:
        raise Withdrawn("the request was cancelled before it happened") from error
    except RPCError as error:
        raise ServiceUnavailable(f"this attempt does not count any more: {error.message}") from error
